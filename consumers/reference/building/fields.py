"""One field on its way from rows to a profile: looked at, then counted, then followed in the order of time."""

from collections import Counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ....detectors.profiling.dependence import Dependence
from ....detectors.profiling.texts import TextFilling
from ....schemas.stored.reference import CategoricalProfile, ProfiledField
from ...decode.scalars import FieldType
from .availability import FEWEST_VALUES, Availability
from .columns import PRESENT, Column, Integers, Key, categories, codes, numbers
from .series import Series
from .survey import Typed
from .vectors import EmbeddingField

__all__ = ["FEWEST_VALUES", "CategoricalField", "EmbeddingField", "Field", "NumericField", "TextField", "field_of"]

CATEGORIES = 64
#: Distinct categories that are counted; one that first comes later is *other*.
_MOST_DISTINCT = 1_000_000


class Field(Protocol):
    """What `build` does with a field: three passes over its rows, then its profile."""

    key: Key

    def look(self, column: Column, sampled: NDArray[np.bool_]) -> None:
        """First pass: what there is. Quantiles come from the sampled rows."""
        ...

    def count(self, column: Column) -> None:
        """Second pass: how often."""
        ...

    def follow(self, column: Column) -> None:
        """Third pass: in what order."""
        ...

    def profiled(self, name: str) -> ProfiledField:
        """The result."""
        ...


def field_of(key: Key, typed: Typed) -> Field:
    """The builder of one field."""
    match typed.type:
        case "numeric" | "timestamp":
            return NumericField(key, typed)
        case "text":
            return TextField(key)
        case "embedding":
            return EmbeddingField(key, typed.size)
    return CategoricalField(key, typed)


class NumericField:
    """Numbers, and ages of times."""

    def __init__(self, key: Key, typed: Typed) -> None:
        self.key, self._typed = key, typed
        self._availability = Availability()
        self._series = Series(typed.parse)

    def look(self, column: Column, sampled: NDArray[np.bool_]) -> None:
        """First pass."""
        values, states = self._read(column)
        there = states == PRESENT
        self._series.look(values[there], sampled[there])

    def count(self, column: Column) -> None:
        """Second pass."""
        values, states = self._read(column)
        self._availability.add(states)
        if self._enough:
            self._series.count(values[states == PRESENT])

    def follow(self, column: Column) -> None:
        """Third pass."""
        if self._enough:
            values, states = self._read(column)
            self._series.follow(values[states == PRESENT])

    def _read(self, column: Column) -> tuple[NDArray[np.float64], Integers]:
        return numbers(column, parse=self._typed.parse)

    @property
    def _enough(self) -> bool:
        return self._series.rows >= FEWEST_VALUES

    def profiled(self, name: str) -> ProfiledField:
        """The result."""
        values = self._series.profile() if self._enough else None
        return ProfiledField(name=name, role=self.key.role, type=self._typed.type, values=values, availability=self._availability.profile())


class TextField:
    """Texts."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self._availability = Availability()
        self._filling = TextFilling()
        self._rows = 0

    def look(self, column: Column, sampled: NDArray[np.bool_]) -> None:
        """First pass."""
        places, texts, _ = self._read(column)
        self._rows += len(texts)
        self._filling.look(texts, sampled[places])

    def count(self, column: Column) -> None:
        """Second pass."""
        _, texts, states = self._read(column)
        self._availability.add(states)
        if self._enough:
            self._filling.count(texts)

    def follow(self, column: Column) -> None:
        """Third pass."""
        if self._enough:
            self._filling.follow(self._read(column)[1])

    def _read(self, column: Column) -> tuple[list[int], list[str], Integers]:
        """The rows with a text, these texts, and the state of every row."""
        read = categories(column, "text")
        found = [(place, text) for place, text in enumerate(read) if isinstance(text, str)]
        return [place for place, _ in found], [text for _, text in found], codes(read, {})[1]

    @property
    def _enough(self) -> bool:
        return self._rows >= FEWEST_VALUES

    def profiled(self, name: str) -> ProfiledField:
        """The result."""
        values = self._filling.profile() if self._enough else None
        return ProfiledField(name=name, role=self.key.role, type="text", values=values, availability=self._availability.profile())


class CategoricalField:
    """Categories and booleans: how often each text comes, then the dependence of each one's indicator."""

    def __init__(self, key: Key, typed: Typed) -> None:
        self.key, self._boolean, self._parse = key, typed.type == "boolean", typed.parse
        self._availability = Availability()
        self._counts: Counter[str] = Counter()
        self._places: dict[object, int] = {}
        self._filled: Integers = np.zeros(0, dtype=np.int64)
        self._dependence: Dependence | None = None

    def look(self, column: Column, sampled: NDArray[np.bool_]) -> None:
        """First pass."""
        texts = [value for value in self._read(column) if type(value) is str]
        if len(self._counts) >= _MOST_DISTINCT:
            texts = [text for text in texts if text in self._counts]
        self._counts.update(texts)

    def count(self, column: Column) -> None:
        """Second pass."""
        if self._dependence is None:
            commonest = sorted(self._counts, key=lambda text: (-self._counts[text], text))[:CATEGORIES]
            self._places = {text: place for place, text in enumerate(commonest)}
            self._dependence = Dependence(np.eye(len(commonest) + 1))
            self._filled = np.zeros(len(commonest) + 1, dtype=np.int64)
        found, states = codes(self._read(column), self._places)
        self._availability.add(states)
        present = found[states == PRESENT]
        self._filled += np.bincount(present, minlength=len(self._filled))
        self._dependence.add(present)

    def follow(self, column: Column) -> None:
        """Third pass: nothing is left to know."""

    def _read(self, column: Column) -> list[float | str | int]:
        return categories(column, "boolean" if self._boolean else "categorical", parse=self._parse)

    def profiled(self, name: str) -> ProfiledField:
        """The result."""
        values = None
        if self._dependence is not None and int(self._filled.sum()) >= FEWEST_VALUES:
            values = CategoricalProfile(
                categories=tuple(str(text) for text in self._places),
                counts=tuple(self._filled.tolist()),
                boolean=self._boolean,
                parse=self._boolean and self._parse,
                distinct=len(self._counts),
                tau=tuple(self._dependence.tau().tolist()),
                **self._dependence.swung(),
            )
        type_: FieldType = "boolean" if self._boolean else "categorical"
        return ProfiledField(name=name, role=self.key.role, type=type_, values=values, availability=self._availability.profile())
