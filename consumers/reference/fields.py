"""One field on its way from rows to a profile: looked at, then counted, then followed in the order of time."""

from collections import Counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.bins import Filling, bins_of
from ...detectors.dependence import Dependence
from ...detectors.scores import scores
from ...schemas.reference import AVAILABILITY, AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField
from ..decode.scalars import FieldType
from .columns import PRESENT, Column, Integers, Key, categories, codes, numbers
from .survey import Typed

#: Fewer rows with a value say too little about the values: only the availability is watched.
FEWEST_VALUES = 500
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
    return NumericField(key, typed.parse) if typed.type == "numeric" else CategoricalField(key, typed.type == "boolean")


class _Availability:
    """How often a field was there, of all rows."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(AVAILABILITY), dtype=np.int64)
        self._dependence = Dependence(np.eye(len(AVAILABILITY)))

    def add(self, states: Integers) -> None:
        self._counts += np.bincount(states, minlength=len(AVAILABILITY))
        self._dependence.add(states)

    def profile(self) -> AvailabilityProfile:
        present, null, invalid, missing = self._counts.tolist()
        of_present, of_null, of_invalid, of_missing = self._dependence.tau().tolist()
        return AvailabilityProfile(counts=(present, null, invalid, missing), tau=(of_present, of_null, of_invalid, of_missing))


class NumericField:
    """Numbers: their extremes and a sample, then their bins, then the dependence of their scores."""

    def __init__(self, key: Key, parse: bool) -> None:
        self.key, self._parse = key, parse
        self._availability = _Availability()
        self._sample: list[NDArray[np.float64]] = []
        self._minimum, self._maximum, self._present = np.inf, -np.inf, 0
        self._filling: Filling | None = None
        self._profile: NumericProfile | None = None
        self._dependence: Dependence | None = None

    def look(self, column: Column, sampled: NDArray[np.bool_]) -> None:
        """First pass."""
        values, states = numbers(column, parse=self._parse)
        there = states == PRESENT
        if rows := int(there.sum()):
            self._present += rows
            self._minimum = min(self._minimum, float(values[there].min()))
            self._maximum = max(self._maximum, float(values[there].max()))
            self._sample.append(values[there & sampled])

    def count(self, column: Column) -> None:
        """Second pass."""
        values, states = numbers(column, parse=self._parse)
        self._availability.add(states)
        if self._present >= FEWEST_VALUES:
            if self._filling is None:
                self._filling = Filling(np.concatenate(self._sample), self._minimum, self._maximum)
                self._sample.clear()
            self._filling.add(values[states == PRESENT])

    def follow(self, column: Column) -> None:
        """Third pass."""
        if self._filling is None:
            return
        if self._profile is None or self._dependence is None:
            self._profile = self._filling.profile(parse=self._parse)
            self._dependence = Dependence(scores(self._profile).T)
        values, states = numbers(column, parse=self._parse)
        self._dependence.add(bins_of(self._profile, values[states == PRESENT]))

    def profiled(self, name: str) -> ProfiledField:
        """The result."""
        values = None
        if self._profile is not None and self._dependence is not None:
            location, spread, skew, tails = self._dependence.tau().tolist()
            values = self._profile.model_copy(update={"tau": (location, spread, skew, tails)})
        return ProfiledField(name=name, role=self.key.role, type="numeric", values=values, availability=self._availability.profile())


class CategoricalField:
    """Categories and booleans: how often each text comes, then the dependence of each one's indicator."""

    def __init__(self, key: Key, boolean: bool) -> None:
        self.key, self._boolean = key, boolean
        self._availability = _Availability()
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
        return categories(column, "boolean" if self._boolean else "categorical")

    def profiled(self, name: str) -> ProfiledField:
        """The result."""
        values = None
        if self._dependence is not None and int(self._filled.sum()) >= FEWEST_VALUES:
            values = CategoricalProfile(
                categories=tuple(str(text) for text in self._places),
                counts=tuple(self._filled.tolist()),
                boolean=self._boolean,
                distinct=len(self._counts),
                tau=tuple(self._dependence.tau().tolist()),
            )
        type_: FieldType = "boolean" if self._boolean else "categorical"
        return ProfiledField(name=name, role=self.key.role, type=type_, values=values, availability=self._availability.profile())
