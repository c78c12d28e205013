"""JSON payloads to numpy columns."""

from collections import abc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.configuration.mapping import Mapping, Place
from ...schemas.configuration.where import Where
from ...schemas.stored.reference import ProfiledField
from .ahead import ReadAhead, tables
from .identity import RowIdentity
from .interface import AsOf, Columns, Identities
from .marked import Marks
from .personal import NO_KEYS, Keys
from .reader import MISSING
from .rows import is_row
from .scalars import category_text, classify
from .table import Wanted, wanted
from .tolerant import NotAnObject, Undecodable, decode_generic, member
from .where import Chooser

__all__ = ["JSONDecoder", "category_text", "classify", "decode_generic"]

#: Schemas that are remembered, each with its reference's fields; the oldest goes.
MOST_KNOWN = 256


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
        self._known: dict[tuple[int, bool, bool, tuple[AsOf, ...]], tuple[Sequence[ProfiledField], _Schema]] = {}
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
        times: tuple[AsOf, ...] = (),
    ) -> Columns:
        """The fields of every record, or of those of some ``rows``; all that is told of rows then counts among them."""
        schema = self._schema(fields, ids, entities, times)
        read = self._ahead.columns(schema.wanted, values, rows)
        if read is None:
            read = tables(schema.wanted).read(values if rows is None else [values[row] for row in rows.tolist()]).columns
        return schema.told(read)

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

    def _schema(self, fields: Sequence[ProfiledField], ids: bool, entities: bool, times: tuple[AsOf, ...]) -> "_Schema":
        """By the identity of ``fields``, which are a reference's: to compare them costs more than a small batch."""
        known = self._known.get((id(fields), ids, entities, times))
        if known is None or known[0] is not fields:
            if len(self._known) >= MOST_KNOWN:
                del self._known[next(iter(self._known))]
            own, mapping = wanted(self._mapping, fields, self._keys), self._mapping
            texts = {"ids": mapping.id if ids else None, "entities": mapping.entity if entities else None}
            schema = _Schema.of(own, texts, times, mapping.as_of if entities else None)
            known = self._known[id(fields), ids, entities, times] = fields, schema
        return known[1]


class _Schema(NamedTuple):
    """What is read for some fields, and with them: behind them stand the times that are none of them, and last ids and entities."""

    wanted: tuple[Wanted, ...]
    numeric: int  #: columns of numbers that are fields
    times: tuple[int, ...]  #: of each time its column of numbers; -1: none
    texts: tuple[list[str], ...]  #: what the last texts are, the last one first; one may be both
    as_of: int  #: as of when the features are: its column of numbers; -1: none

    @classmethod
    def of(cls, own: tuple[Wanted, ...], texts: abc.Mapping[str, Place | None], times: tuple[AsOf, ...], as_of: Place | None) -> "_Schema":
        """What is wanted anyhow is not wanted twice."""
        known = {one.path for one in own}
        asked = times if as_of is None or as_of.source != "path" else (*times, AsOf(as_of.path))
        new = {one.path: Wanted(one.path, "timestamp", zone=one.zone) for one in asked if one.path not in known}
        last: dict[tuple[str, ...], list[str]] = {}
        for name, place in texts.items():
            if place is not None and place.source == "path" and place.path not in known and place.path not in new:
                last.setdefault(place.path, []).append(name)
        numbers = [one for one in (*own, *new.values()) if one.type in ("numeric", "timestamp")]
        column = {one.path: number for number, one in enumerate(numbers) if one.type == "timestamp"}
        whole = (*own, *new.values(), *(Wanted(path, "categorical") for path in last))
        found = tuple(column.get(one.path, -1) for one in asked)
        return cls(
            whole,
            len(numbers) - len(new),
            found[: len(times)],
            tuple(reversed(last.values())),
            found[-1] if len(asked) > len(times) else -1,
        )

    def told(self, read: Columns) -> Columns:
        """What was read, by what it was read for."""
        for names in self.texts:
            *others, text = read.categorical
            ids, entities = (text if name in names else former for name, former in (("ids", read.ids), ("entities", read.entities)))
            read = replace(read, categorical=others, ids=ids, entities=entities)
        if self.as_of >= 0:
            read = replace(read, as_of=read.numeric[:, self.as_of])
        if not self.times:
            return read if read.numeric.shape[1] == self.numeric else replace(read, numeric=read.numeric[:, : self.numeric])
        found = np.full((len(read.numeric), len(self.times)), MISSING)
        there = [place for place, column in enumerate(self.times) if column >= 0]
        found[:, there] = read.numeric[:, [self.times[place] for place in there]]
        return replace(read, numeric=read.numeric[:, : self.numeric], times=found)
