"""Reads the columns of payloads along with whose rows they are: one pass instead of two, where it can be guessed what they hold.

A guess decides only what is read together. Whose row it is, is read from the payload itself all the same, and columns that were not
guessed are read when they are asked for: a wrong guess costs time, never a result.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .identity import NO_VERSION, RowIdentity
from .interface import Columns, Identities, InvalidField, Rejected
from .table import ColumnDecoder, Wanted

Schema = tuple[Wanted, ...]
Indices = NDArray[np.intp]

#: Schemas, not models: a hundred models of five schemas need five message types.
tables = lru_cache(maxsize=256)(ColumnDecoder)
#: Beginnings of payloads that are remembered, and how long they may be: where models stand further behind, nothing is guessed.
_MOST_BEGINNINGS = 4096
_LONGEST = 256
#: Batches with wrong guesses until there are no more: where payloads of several schemas begin alike, guessing costs more than it saves.
_MOST_WRONG = 100


class LeavesRead(NamedTuple):
    """What was read of the identity's leaves, for all rows."""

    columns: list[list[Any]]  # JSON scalars
    refused: Sequence[int]  #: rows in which nothing was read


class _Read(NamedTuple):
    rows: Indices
    columns: Columns


class ReadAhead:
    """What a batch of payloads holds, as the batches before it suggest.

    Behind a batch that was all of one schema, all is read as that schema. Behind one of several, a payload's schema is guessed from its
    beginning, up to where model and version end: a hundred models of five schemas cost a third less than by a first pass over the ids.
    """

    def __init__(self, identity: RowIdentity) -> None:
        self._leaves = tuple(identity.leaves)
        self._inside = [place.source == "path" for place in (identity.model, identity.version)]
        self._asked: set[Schema] = set()
        self._values: Sequence[bytes | None] = ()
        self._read: dict[Schema, _Read] = {}
        self._length = _LONGEST  # of a beginning; 0: nothing is guessed from it
        self._beginnings: list[bytes] = []  # of this batch
        self._schemas: list[Schema] = []
        self._known: dict[bytes, int] = {}  # by beginning, the index of its schema
        self._wrong = 0

    def read(self, values: Sequence[bytes | None]) -> LeavesRead | None:
        """The leaves of all payloads; kept beside them, what is guessed to be asked for. None: there is nothing to guess by."""
        asked, self._asked = self._asked, set()
        self._values, self._read, self._beginnings = values, {}, []
        guessed = self._guessed(asked, values) if asked and self._leaves else {}
        reads = {schema: tables(schema, self._leaves) for schema in guessed}
        columns = [np.empty(len(values), dtype=object) for _ in self._leaves]
        missed = np.ones(len(values), dtype=bool)
        for schema, rows in guessed.items():
            if not reads[schema].fast:
                continue
            read = reads[schema].read(values if len(rows) == len(values) else itemgetter(*rows.tolist(), 0)(values)[:-1])
            self._read[schema] = _Read(rows, read.columns)
            if len(rows) == len(values):
                return LeavesRead(read.beside, read.refused)
            for column, found in zip(columns, read.beside, strict=True):
                column[rows] = found
            missed[rows] = False
            missed[rows[read.refused]] = True
        return LeavesRead([column.tolist() for column in columns], np.flatnonzero(missed).tolist()) if self._read else None

    def _guessed(self, asked: set[Schema], values: Sequence[bytes | None]) -> dict[Schema, Indices]:
        if len(asked) == 1:
            return dict.fromkeys(asked, np.arange(len(values)))
        if not self._length or None in values:
            return {}
        self._beginnings = list(map(itemgetter(slice(self._length)), values))  # type: ignore[arg-type]  # none of them is None
        codes = np.fromiter(map(self._known.get, self._beginnings, repeat(-1)), np.intp, len(values))
        return {schema: rows for code, schema in enumerate(self._schemas) if len(rows := np.flatnonzero(codes == code))}

    def measure(self, identities: Identities) -> None:
        """Take note of where model and version end, in the payload's beginning, for those that were not guessed."""
        if not self._length or sum(len(read.rows) for read in self._read.values()) == len(self._values):
            return
        length = self._length
        for place, names in enumerate(identities.models):
            payload = self._values[int(np.argmax(identities.model_of == place))] or b""
            texts = [name.encode() for name, inside in zip(names, self._inside, strict=True) if inside and name != NO_VERSION]
            length = min(length, max((payload.find(text) + len(text) for text in texts if text in payload[:_LONGEST]), default=0))
        if length != self._length:
            self._length, self._beginnings = length, []
            self._known.clear()

    def columns(self, schema: Schema, values: Sequence[bytes | None], rows: Indices | None) -> Columns | None:
        """What was read ahead for these rows; None: they must be read."""
        self._asked.add(schema)
        if values is not self._values:
            return None
        rows = np.arange(len(values)) if rows is None else rows
        read = self._read.get(schema)
        if read is None:
            self._learn(schema, rows)
            return None
        if np.array_equal(read.rows, rows):
            return read.columns
        there = np.isin(rows, read.rows)
        if there.all():
            return taken(read.columns, np.searchsorted(read.rows, rows))
        self._learn(schema, rows[~there])
        return None

    def _learn(self, schema: Schema, rows: Indices) -> None:
        """These were of this schema."""
        if not self._beginnings:
            return
        if schema not in self._schemas:
            self._schemas.append(schema)
        if len(self._known) > _MOST_BEGINNINGS:
            self._known.clear()
        code = self._schemas.index(schema)
        beginnings = dict.fromkeys(map(self._beginnings.__getitem__, rows.tolist()), code)
        self._wrong += any(self._known.get(beginning, code) != code for beginning in beginnings)
        self._known |= beginnings
        if self._wrong > _MOST_WRONG:
            self._length = 0


def taken(columns: Columns, rows: Indices) -> Columns:
    """Some of the rows."""
    place = {int(row): i for i, row in enumerate(rows)} if columns.invalid or columns.rejected else {}
    return Columns(
        columns.numeric[rows],
        [[column[row] for row in rows.tolist()] for column in columns.categorical],
        [InvalidField(place[row], field, reason) for row, field, reason in columns.invalid if row in place],
        [Rejected(place[row], reason) for row, reason in columns.rejected if row in place],
        [vectors[rows] for vectors in columns.vectors],
        None if columns.ids is None else [columns.ids[row] for row in rows.tolist()],
        None if columns.entities is None else [columns.entities[row] for row in rows.tolist()],
        None if columns.as_of is None else columns.as_of[rows],
        None if columns.times is None else columns.times[rows],
    )
