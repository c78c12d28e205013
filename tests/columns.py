"""Columns at hand."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from driftbus.consumers.reference.building.columns import Chunk, Column, Key


class Source:
    """As a reference is built from them: a row in so many ms."""

    label = "rows"

    def __init__(self, columns: Mapping[Key, Column], *, every: int = 1_000) -> None:
        self._columns, self._rows = columns, len(next(iter(columns.values())))
        self._times = np.arange(self._rows, dtype=np.int64) * every

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """All rows at once."""
        yield Chunk(self._rows, self._times, {key: self._columns[key] for key in (self._columns if keys is None else keys)})

    def remarks(self) -> Sequence[str]:
        """None."""
        return ()
