"""A source's columns as they are watched: without what stands for none; of times their ages, of lists of numbers vectors."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ....schemas.configuration import Model
from ...decode.nulls import Nulls
from ...decode.personal import ModelRules, Rule
from ...decode.reader import missing_vectors
from ...decode.scalars import classify, vector_of
from ...decode.times import ages
from .columns import Chunk, Column, Integers, Key, Source, column_of
from .survey import Typed


class SourceWithNulls:
    """A source without the values that stand for none."""

    def __init__(self, source: Source, settings: Model) -> None:
        self.label = source.label
        self._source, self._settings = source, settings
        self._nulls: dict[str, Nulls] = {}

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """As the source, nulls in their place."""
        for chunk in self._source.chunks(keys):
            yield chunk._replace(columns={key: self._read(key, column) for key, column in chunk.columns.items()})

    def _read(self, key: Key, column: Column) -> Column:
        if key.name not in self._nulls:
            self._nulls[key.name] = Nulls.of(self._settings.nulls_of(key.name))
        nulls = self._nulls[key.name]
        if not nulls:
            return column
        if isinstance(column, np.ndarray):
            return np.where(np.isin(column, list(nulls.numbers)), np.nan, column) if nulls.numbers else column
        return [None if nulls.hold(value) else value for value in column]

    def remarks(self) -> Sequence[str]:
        """Those of the source."""
        return self._source.remarks()


class SourceWithRules:
    """A source in which users' data is as the model's rules leave it: nothing behind it ever sees what they leave out."""

    def __init__(self, source: Source, settings: Model, rules: ModelRules, *, hashed: bool = False) -> None:
        """``hashed``: what is known by its hash already is so in the source."""
        self.label, self.dropped = source.label, set[str]()  #: patterns by which some feature was left out
        self._source, self._settings, self._rules, self._hashed = source, settings, rules, hashed
        self._of: dict[str, Rule] = {}

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """As the source, without what is dropped."""
        for chunk in self._source.chunks(keys):
            left = {key: self._read(key, column) for key, column in chunk.columns.items() if not self._drops(key)}
            yield chunk._replace(columns=left, loose=chunk.loose & left.keys())

    def _drops(self, key: Key) -> bool:
        pattern = self._rules.settings.dropped(key.name) if key.role == "feature" else None
        if pattern is not None:
            self.dropped.add(pattern)
        return pattern is not None

    def _read(self, key: Key, column: Column) -> Column:
        if key.role != "feature":
            return column
        if key.name not in self._of:
            self._of[key.name] = self._rules.of(key.name)
        rule = self._of[key.name]
        if (not rule.key and rule.pattern is None) or (rule.key and self._hashed):
            return column
        if not isinstance(column, np.ndarray):
            return column_of([rule.of(value) for value in column])
        if not rule.key and self._settings.feature(key.name).type is None:
            return column  # numbers, whose masks are refused
        return [None if np.isnan(value) else rule.of(value) for value in column.tolist()]

    def remarks(self) -> Sequence[str]:
        """Those of the source."""
        return self._source.remarks()


class TypedSource:
    """A source whose columns have types."""

    def __init__(self, source: Source, typed: Mapping[Key, Typed]) -> None:
        self.label = source.label
        self._source, self._typed = source, typed

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """These columns, or all that have a type, chunk by chunk."""
        for chunk in self._source.chunks(list(self._typed) if keys is None else keys):
            yield chunk._replace(columns={key: self._read(key, column, chunk.times) for key, column in chunk.columns.items()})

    def _read(self, key: Key, column: Column, times: Integers | None) -> Column:
        typed = self._typed[key]
        if typed.type == "timestamp":
            assert times is not None, "a time is only watched where the rows have times"
            return ages(_seconds(column, typed.zone), times)
        return _vectors(column, typed.size) if typed.type == "embedding" else column

    def remarks(self) -> Sequence[str]:
        """Those of the source."""
        return self._source.remarks()


def _seconds(column: Column, zone: str) -> NDArray[np.float64]:
    listed: list[object] = column.tolist() if isinstance(column, np.ndarray) else column
    seconds = np.empty(len(listed))
    for row, value in enumerate(listed):
        found = classify("timestamp", False, value, zone)
        if isinstance(found, float):
            seconds[row] = found
        else:
            seconds.view(np.uint64)[row] = found
    return seconds


def _vectors(column: Column, size: int) -> NDArray[np.float64]:
    """Shape [rows, size]; of a vector that is not there the first number is a NaN of `MARKS`."""
    vectors = missing_vectors(len(column), size)
    for row, value in enumerate(column):
        found = vector_of(size, value)
        if isinstance(found, list):
            vectors[row] = found
        else:
            vectors.view(np.uint64)[row, 0] = found
    return vectors
