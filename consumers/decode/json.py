"""JSON payloads to numpy columns."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.mapping import Mapping
from ...schemas.reference import ProfiledField
from .identity import Identity
from .interface import Columns, Identities, InvalidField, Rejected
from .scalars import category_text, classify
from .table import Read, Table, Wanted, wanted
from .tolerant import decode_generic

__all__ = ["JSONDecoder", "category_text", "classify", "decode_generic"]

#: Schemas, not models: a hundred models of five schemas need five message types.
_tables = lru_cache(maxsize=256)(Table)
_MOST_KNOWN = 4096


class JSONDecoder:
    """Decodes one stream's payloads.

    *Guarantee*: what a payload comes to depends on that payload alone, whatever else is in its batch and whatever was decoded before.

    Where a batch's predecessor was all of one schema, `identities` reads its columns along, and `columns` of the very same sequence
    of values has them already: one pass instead of two.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._identity = Identity(mapping)
        self._known: dict[int, tuple[Sequence[ProfiledField], tuple[Wanted, ...]]] = {}
        self._asked: set[tuple[Wanted, ...]] = set()
        self._ahead: tuple[Sequence[bytes | None], tuple[Wanted, ...], Read] | None = None

    @property
    def needs_keys(self) -> bool:
        """Whether `identities` reads keys."""
        return self._identity.needs("key")

    @property
    def needs_headers(self) -> bool:
        """Whether `identities` reads headers."""
        return self._identity.needs("header")

    def identities(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> Identities:
        """The model and version of every record."""
        asked, self._asked, self._ahead = self._asked, set(), None
        if len(asked) != 1 or not self._identity.leaves:
            return self._identity.read(values, keys, headers)
        (schema,) = asked
        table = _tables(schema, tuple(self._identity.leaves))
        if not table.fast:
            return self._identity.read(values, keys, headers)
        read = table.read(values)
        self._ahead = (values, schema, read)
        return self._identity.read(values, keys, headers, (read.beside, read.refused))

    def columns(self, fields: Sequence[ProfiledField], values: Sequence[bytes | None], rows: NDArray[np.intp] | None = None) -> Columns:
        """The fields of every record, or of those of some ``rows``; all that is told of rows then counts among them."""
        schema = self._schema(fields)
        self._asked.add(schema)
        if self._ahead is not None and self._ahead[0] is values and self._ahead[1] == schema:
            columns = self._ahead[2].columns
            return columns if rows is None else _taken(columns, rows)
        return _tables(schema).read(values if rows is None else [values[row] for row in rows]).columns

    def _schema(self, fields: Sequence[ProfiledField]) -> tuple[Wanted, ...]:
        """By the identity of ``fields``, which are a reference's: to compare them costs more than a small batch."""
        known = self._known.get(id(fields))
        if known is None or known[0] is not fields:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[id(fields)] = (fields, wanted(self._mapping, fields))
        return known[1]


def _taken(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    place = {int(row): i for i, row in enumerate(rows)} if columns.invalid or columns.rejected else {}
    return Columns(
        columns.numeric[rows],
        [[column[row] for row in rows] for column in columns.categorical],
        [InvalidField(place[row], field, reason) for row, field, reason in columns.invalid if row in place],
        [Rejected(place[row], reason) for row, reason in columns.rejected if row in place],
    )
