"""Whose rows they are: the model and version of every record, from wherever the mapping keeps them."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import methodcaller
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET

from ...schemas.cloud_events import Headers
from ...schemas.configuration.mapping import Mapping, Place
from ...schemas.text import MODEL, unfit
from .interface import Identities, Rejected
from .reader import JSONReader, Leaf
from .scalars import classify, quoted
from .tolerant import NotAnObject, Undecodable, decode_generic, member

#: The version of a model whose messages name none.
NO_VERSION = "-"

_Columns = list[list[Any]]  # what messages, keys and headers hold: JSON scalars, bytes, `UNSET`


class _Refusal(NamedTuple):
    """Why there is no model or version, in its place."""

    reason: str


class RowIdentity:
    """Reads models and versions, of one mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self.model = mapping.model
        self.version = mapping.version or Place("constant", NO_VERSION)
        self._inside = [place for place in (self.model, self.version) if place.source == "path"]
        #: What of it payloads hold. Neither takes a bool, so that equal values are of one text, as 1 and 1.0 are.
        self.leaves = [Leaf(place.path, str | int if place is self.model else str | int | float | None) for place in self._inside]
        self._reader = JSONReader(self.leaves)

    def needs(self, source: str) -> bool:
        """Whether the model or the version comes from there."""
        return source in {self.model.source, self.version.source}

    def read(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        headers: Sequence[Headers] | None,
        beside: tuple[_Columns, Sequence[int]] | None = None,
    ) -> Identities:
        """The identities of all records. ``beside``: the columns of `leaves`, when another pass has read them, and the rows it refused."""
        if not self.needs("path") and not self.needs("key") and not self.needs("header"):
            return Identities([(self.model.name, self.version.name)], np.zeros(len(values), dtype=np.int32))
        inside = iter(self._from_payloads(values, beside) if self._inside else ())
        model, version = (self._column(place, inside, keys, headers) for place in (self.model, self.version))
        pairs = list(zip(model, version, strict=False))  # a constant has no end
        code_of = {pair: code for code, pair in enumerate(dict.fromkeys(pairs))}
        codes = np.fromiter(map(code_of.__getitem__, pairs), np.int32, len(pairs))
        names: dict[tuple[str, str], int] = {}
        name_of, reasons = np.full(len(code_of), -1, dtype=np.int32), dict[int, str]()
        for (raw_model, raw_version), code in code_of.items():
            model_text, version_text = self._judged(self.model, raw_model), self._judged(self.version, raw_version)
            if isinstance(model_text, _Refusal) or isinstance(version_text, _Refusal):
                reasons[code] = next(text.reason for text in (model_text, version_text) if isinstance(text, _Refusal))
            else:
                name_of[code] = names.setdefault((model_text, version_text), len(names))
        model_of = name_of[codes]
        rejected = [Rejected(int(row), reasons[int(codes[row])]) for row in np.flatnonzero(model_of < 0)] if reasons else []
        return Identities(list(names), model_of, rejected)

    def _column(
        self, place: Place, inside: Iterable[list[Any]], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> Iterable[Any]:  # of what `_Columns` holds
        match place.source:
            case "constant":
                return repeat(place.name)
            case "path":
                return next(iter(inside))
            case "key":
                assert keys is not None, "the mapping reads keys: see needs_keys"
                return keys
            case "header":
                assert headers is not None, "the mapping reads headers: see needs_headers"
                return map(methodcaller("get", place.name), map(dict, headers))

    def _from_payloads(self, values: Sequence[bytes | None], beside: tuple[_Columns, Sequence[int]] | None) -> _Columns:
        if beside is None:
            members = self._reader.read(values)
            columns, refused = members.others, members.refused
        else:
            # Refused because of some other member, perhaps: what a row is must not depend on what is read beside it.
            columns, rows = beside
            members = self._reader.read([values[row] for row in rows])
            for column, found in zip(columns, members.others, strict=True):
                for row, value in zip(rows, found, strict=True):
                    column[row] = value
            refused = [rows[i] for i in members.refused]
        for row in refused:
            for column, text in zip(columns, self._tolerated(values[row]), strict=True):
                column[row] = text
        return columns

    def _tolerated(self, value: bytes | None) -> list[str | _Refusal]:
        try:
            message = decode_generic(value)
            return [self._judged(place, member(message, place.path)) for place in self._inside]
        except (Undecodable, NotAnObject) as error:
            return [_Refusal(str(error))] * len(self._inside)

    def _judged(self, place: Place, raw: object) -> str | _Refusal:
        """The text of a model or version, as it was found; what was judged before stays as it is."""
        if isinstance(raw, _Refusal):
            return raw
        if isinstance(raw, bytes):
            try:
                raw = raw.decode()
            except UnicodeDecodeError:
                return _Refusal(f"{place}: {raw[:60]!r} is not UTF-8")
        if raw is UNSET or raw is None or raw == "":
            return _Refusal(f"{place}: no model's name") if place is self.model else NO_VERSION
        allowed = (str, int) if place is self.model else (str, int, float)
        text = classify("categorical", False, raw) if isinstance(raw, allowed) and not isinstance(raw, bool) else None
        if isinstance(text, str):
            why = unfit(text, MODEL)
            return text if why is None else _Refusal(f"{place}: {why}")
        return _Refusal(f"{place}: {quoted(raw)} is not a {'model' if place is self.model else 'version'}'s name")
