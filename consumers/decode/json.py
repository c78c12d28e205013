"""JSON payloads to numpy columns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.configuration.mapping import Mapping, Place
from ...schemas.configuration.where import Where
from ...schemas.stored.reference import FieldType, ProfiledField
from .ahead import ReadAhead, tables
from .identity import RowIdentity
from .interface import Columns, Identities
from .marked import Marks
from .personal import NO_KEYS, Keys
from .rows import is_row
from .scalars import category_text, classify
from .table import Wanted, wanted
from .tolerant import NotAnObject, Undecodable, decode_generic, member
from .where import Chooser

__all__ = ["JSONDecoder", "category_text", "classify", "decode_generic"]

#: Schemas that are remembered, each with its reference's fields; the oldest goes.
MOST_KNOWN = 256


class _Schema(NamedTuple):
    """What is read of payloads, and what of it stands behind the fields: columns' names, the last one first."""

    wanted: tuple[Wanted, ...]
    beside: tuple[str, ...] = ()

    def with_beside(self, name: str, place: Place | None, type_: FieldType) -> "_Schema":
        """The same, with what is at a place; unless that is not in the payload, or read already."""
        if place is None or place.source != "path" or place.path in {one.path for one in self.wanted}:
            return self
        return _Schema((*self.wanted, Wanted(place.path, type_)), (name, *self.beside))


class JSONDecoder:
    """Decodes one stream's payloads.

    *Guarantee*: what a payload comes to depends on that payload alone, whatever else is in its batch and whatever was decoded before.

    What was read along with the identities (`ReadAhead`) serves `columns` of the very same sequence of values.
    """

    def __init__(self, mapping: Mapping, where: Where | None = None, *, marked: bool = False, keys: Keys = NO_KEYS) -> None:
        """``marked``: headers may say that a row is golden; ids may, anyhow. ``keys``: of fields that are known by their hashes."""
        self._mapping, self._marks, self._keys = mapping, Marks(mapping, beside=marked), keys
        self._chooser = None if where is None else Chooser(where)
        self._identity = RowIdentity(mapping)
        places = (getattr(mapping, name) for name in type(mapping).model_fields if name != "features")
        self._used = {place.path for place in places if place is not None and place.source == "path"}
        self._known: dict[tuple[int, bool, bool], tuple[Sequence[ProfiledField], _Schema]] = {}
        self._ahead = ReadAhead(self._identity)

    @property
    def needs_keys(self) -> bool:
        """Whether `identities` reads keys."""
        return self._identity.needs("key") or self._marks.needs("key") or (self._chooser is not None and self._chooser.needs("key"))

    @property
    def needs_headers(self) -> bool:
        """Whether `identities` reads headers."""
        return (
            self._identity.needs("header") or self._marks.needs("header") or (self._chooser is not None and self._chooser.needs("header"))
        )

    def identities(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> Identities:
        """The model and version of every record."""
        identities = self._identity.read(values, keys, headers, self._ahead.read(values))
        self._ahead.measure(identities)
        golden = self._marks.among(values, keys, headers)
        if self._chooser is None and not golden:
            return identities
        chosen = np.ones(len(values), dtype=np.bool_) if self._chooser is None else self._chooser.chosen(values, keys, headers)
        chosen[list(golden)] = False
        return Identities(
            identities.models,
            np.where(chosen, identities.model_of, -1),
            [rejected for rejected in identities.rejected if chosen[rejected.row]],
            np.flatnonzero(~chosen).tolist(),
            golden,
        )

    def columns(
        self,
        fields: Sequence[ProfiledField],
        values: Sequence[bytes | None],
        rows: NDArray[np.intp] | None = None,
        *,
        ids: bool = False,
        entities: bool = False,
    ) -> Columns:
        """The fields of every record, or of those of some ``rows``; all that is told of rows then counts among them."""
        schema, beside = self._schema(fields, ids, entities)
        read = self._ahead.columns(schema, values, rows)
        if read is None:
            read = tables(schema).read(values if rows is None else [values[row] for row in rows.tolist()]).columns
        for name in beside:  # the last one first
            match name:
                case "as_of":
                    read = replace(read, numeric=read.numeric[:, :-1], as_of=read.numeric[:, -1])
                case "entities":
                    read = replace(read, categorical=read.categorical[:-1], entities=read.categorical[-1])
                case "ids":
                    read = replace(read, categorical=read.categorical[:-1], ids=read.categorical[-1])
        return read

    def is_row(self, value: bytes | None) -> bool:
        """Whether a record has features; a tombstone has none."""
        try:
            return value is not None and is_row(decode_generic(value), self._mapping)
        except Undecodable:
            return True

    def features(self, value: bytes | None) -> dict[str, object]:
        """Whatever stands in the object of the features, of known names or not, less what the mapping has another use for."""
        try:
            return self.names(decode_generic(value))
        except Undecodable:
            return {}

    def names(self, message: dict[str, Any]) -> dict[str, object]:
        """The same of a message that has been read."""
        place = self._mapping.features
        if not isinstance(place, Place):
            return {}
        try:
            found = member(message, place.path)
        except NotAnObject:
            return {}
        return {name: found[name] for name in found if (*place.path, name) not in self._used} if isinstance(found, dict) else {}

    def _schema(self, fields: Sequence[ProfiledField], ids: bool, entities: bool) -> _Schema:
        """By the identity of ``fields``, which are a reference's: to compare them costs more than a small batch."""
        known = self._known.get((id(fields), ids, entities))
        if known is None or known[0] is not fields:
            if len(self._known) >= MOST_KNOWN:
                del self._known[next(iter(self._known))]
            schema, mapping = _Schema(wanted(self._mapping, fields, self._keys)), self._mapping
            if ids:
                schema = schema.with_beside("ids", mapping.id, "categorical")
            if entities:
                schema = schema.with_beside("entities", mapping.entity, "categorical").with_beside("as_of", mapping.as_of, "timestamp")
            known = self._known[id(fields), ids, entities] = (fields, schema)
        return known[1]
