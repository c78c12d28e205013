"""JSON payloads to numpy columns."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.mapping import Mapping
from ...schemas.reference import ProfiledField
from .ahead import ReadAhead, tables
from .identity import Identity
from .interface import Columns, Identities
from .scalars import category_text, classify
from .table import Wanted, wanted
from .tolerant import decode_generic

__all__ = ["JSONDecoder", "category_text", "classify", "decode_generic"]

_MOST_KNOWN = 4096


class JSONDecoder:
    """Decodes one stream's payloads.

    *Guarantee*: what a payload comes to depends on that payload alone, whatever else is in its batch and whatever was decoded before.

    What was read along with the identities (`ReadAhead`) serves `columns` of the very same sequence of values.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._identity = Identity(mapping)
        self._known: dict[int, tuple[Sequence[ProfiledField], tuple[Wanted, ...]]] = {}
        self._ahead = ReadAhead(self._identity)

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
        identities = self._identity.read(values, keys, headers, self._ahead.read(values))
        self._ahead.measure(identities)
        return identities

    def columns(self, fields: Sequence[ProfiledField], values: Sequence[bytes | None], rows: NDArray[np.intp] | None = None) -> Columns:
        """The fields of every record, or of those of some ``rows``; all that is told of rows then counts among them."""
        schema = self._schema(fields)
        read = self._ahead.columns(schema, values, rows)
        if read is None:
            read = tables(schema).read(values if rows is None else [values[row] for row in rows.tolist()]).columns
        return read

    def _schema(self, fields: Sequence[ProfiledField]) -> tuple[Wanted, ...]:
        """By the identity of ``fields``, which are a reference's: to compare them costs more than a small batch."""
        known = self._known.get(id(fields))
        if known is None or known[0] is not fields:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[id(fields)] = (fields, wanted(self._mapping, fields))
        return known[1]
