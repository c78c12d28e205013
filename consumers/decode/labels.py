"""Payloads of labels to columns: whose outcome, which, and whether it is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Labels
from ...schemas.configuration.mapping import Place
from ...schemas.outcome import NO_VALUE
from ...schemas.text import MODEL, unfit
from .interface import Rejected
from .outcomes import NoOutcome, Outcomes, is_null
from .reader import JSONReader, Leaf
from .scalars import classify, quoted
from .tolerant import NotAnObject, Undecodable, decode_generic, member
from .where import Chooser

#: A revision is a whole number of at most so many.
_HIGHEST = 2**62


@dataclass(frozen=True)
class ReadLabels:
    """Columns of the n labels that could be read."""

    rows: NDArray[np.int64]  #: which of the records they are
    ids: list[str]
    models: list[str | None]  #: the model that a label names
    values: NDArray[np.int64]  #: `NO_VALUE`: it is taken back
    revisions: NDArray[np.int64]
    rejected: list[Rejected]
    left_out: list[int]  #: records that are no labels


class LabelDecoder:
    """Decodes one label stream's payloads. What a payload comes to depends on that payload alone."""

    def __init__(self, labels: Labels) -> None:
        self._mapping, self._outcomes = labels.mapping, Outcomes(labels)
        self._chooser = None if labels.where is None else Chooser(labels.where)
        places = {name: getattr(labels.mapping, name) for name in type(labels.mapping).model_fields}
        self._places: dict[str, Place] = {name: place for name, place in places.items() if place is not None}
        self._inside = {name: place for name, place in self._places.items() if place.source == "path"}
        self._reader = JSONReader([Leaf(path, str | int | float | bool | None) for path in self._paths])

    @property
    def _paths(self) -> list[tuple[str, ...]]:
        return list(dict.fromkeys(place.path for place in self._inside.values()))

    def needs(self, source: str) -> bool:
        """Whether keys, or headers, are read."""
        return any(place.source == source for place in self._places.values()) or (self._chooser is not None and self._chooser.needs(source))

    def read(self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None) -> ReadLabels:
        """The labels of all records; one without id, or without anything where the label should be, is rejected."""
        columns, why = self._columns(values, keys, headers)
        left_out: list[int] = []
        if self._chooser is not None:
            left_out = np.flatnonzero(~self._chooser.chosen(values, keys, headers)).tolist()
        skipped = set(left_out)
        rows, ids, models, found, revisions, rejected = [], [], [], [], [], []
        for row in range(len(values)):
            if row in skipped:
                continue
            try:
                if row in why:
                    raise NoOutcome(why[row])
                label = self._label({name: column[row] for name, column in columns.items()})
            except NoOutcome as reason:
                rejected.append(Rejected(row, str(reason)))
                continue
            rows.append(row)
            ids.append(label[0])
            models.append(label[1])
            found.append(label[2])
            revisions.append(label[3])
        return ReadLabels(
            np.array(rows, dtype=np.int64),
            ids,
            models,
            np.array(found, dtype=np.int64),
            np.array(revisions, dtype=np.int64),
            rejected,
            left_out,
        )

    def _columns(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> tuple[dict[str, Sequence[Any]], dict[int, str]]:  # JSON scalars, bytes, `UNSET`
        """By what they are for, what messages, keys and headers hold; and of which records nothing can be read, with the reason."""
        members = self._reader.read(values)
        by_path = dict(zip(self._paths, members.others, strict=True))
        why: dict[int, str] = {}
        for row in members.refused:
            try:
                message = decode_generic(values[row])
                for path, column in by_path.items():
                    column[row] = member(message, path)
            except (Undecodable, NotAnObject) as reason:
                why[row] = str(reason)
        found: dict[str, Sequence[Any]] = {name: by_path[place.path] for name, place in self._inside.items()}
        for name, place in self._places.items():
            if place.source == "key":
                assert keys is not None, "the mapping reads keys: see needs"
                found[name] = keys
            elif place.source == "header":
                assert headers is not None, "the mapping reads headers: see needs"
                found[name] = list(map(methodcaller("get", place.name), map(dict, headers)))
            elif place.source == "constant":
                found[name] = [place.name] * len(values)
        return found, why

    def _label(self, found: dict[str, Any]) -> tuple[str, str | None, int, int]:  # of what `_columns` holds
        """Id, model, value and revision of one record. Raises `NoOutcome`."""
        id_ = self._text("id", found["id"])
        if id_ is None:
            msg = f"{self._mapping.id}: no id, so no prediction can be found"
            raise NoOutcome(msg)
        model = self._text("model", found["model"]) if "model" in found else None
        if model is not None and (why := unfit(model, MODEL)):
            msg = f"{self._mapping.model}: {why}"
            raise NoOutcome(msg)
        return id_, model, self._value(found), self._revision(found)

    def _text(self, name: str, raw: object) -> str | None:
        place = self._places[name]
        if isinstance(raw, bytes):
            try:
                raw = raw.decode()
            except UnicodeDecodeError:
                msg = f"{place}: {raw[:60]!r} is not UTF-8"
                raise NoOutcome(msg) from None
        if raw is UNSET or raw is None or raw == "":
            return None
        text = classify("categorical", False, raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else None
        if not isinstance(text, str):
            msg = f"{place}: {quoted(raw)} is not {'an id' if name == 'id' else 'a model’s name'}"
            raise NoOutcome(msg)
        return text

    def _value(self, found: dict[str, Any]) -> int:
        taken_back = found.get("retracted")
        if taken_back is True:
            return NO_VALUE
        if taken_back not in (None, UNSET, False):
            msg = f"{self._mapping.retracted}: {quoted(taken_back)} is not true or false"
            raise NoOutcome(msg)
        value = found["label"]
        if value is UNSET:
            msg = f"{self._mapping.label}: no label; null, or labels.NAME.mapping.retracted, takes one back"
            raise NoOutcome(msg)
        if is_null(value):
            return NO_VALUE
        try:
            return self._outcomes.of(value)
        except NoOutcome as reason:
            msg = f"{self._mapping.label}: {reason}"
            raise NoOutcome(msg) from None

    def _revision(self, found: dict[str, Any]) -> int:
        value = found.get("revision")
        if value is None or value is UNSET:
            return 0
        whole = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HIGHEST and value == int(value)
        if not whole:
            msg = f"{self._mapping.revision}: {quoted(value)} is not a whole number"
            raise NoOutcome(msg)
        return int(value)
