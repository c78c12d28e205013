"""A source's columns as they are watched: of times their ages, of lists of numbers vectors; the others as they are."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...decode.reader import missing_vectors
from ...decode.scalars import classify, vector_of
from ...decode.times import ages
from .columns import Chunk, Column, Integers, Key, Source
from .survey import Typed


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
            return ages(_seconds(column), times)
        return _vectors(column, typed.size) if typed.type == "embedding" else column

    def remarks(self) -> Sequence[str]:
        """Those of the source."""
        return self._source.remarks()


def _seconds(column: Column) -> NDArray[np.float64]:
    listed: list[object] = column.tolist() if isinstance(column, np.ndarray) else column
    seconds = np.empty(len(listed))
    for row, value in enumerate(listed):
        found = classify("timestamp", False, value)
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
