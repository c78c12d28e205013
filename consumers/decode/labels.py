"""Payloads of labels to columns: whose outcome, which, and whether it is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from .places import PlaceReader, text_of
from .revisions import revision_of
from .scalars import quoted
from .where import Chooser


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

    def __init__(self, labels: Labels, outcomes: Outcomes | None = None) -> None:
        """``outcomes``: who reads the values, where somebody else is to know of them."""
        self._mapping, self._outcomes = labels.mapping, outcomes or Outcomes(labels)
        self._chooser = None if labels.where is None else Chooser(labels.where)
        places = {name: getattr(labels.mapping, name) for name in type(labels.mapping).model_fields}
        self._places: dict[str, Place] = {name: place for name, place in places.items() if place is not None}
        self._reader = PlaceReader(self._places)

    def needs(self, source: str) -> bool:
        """Whether keys, or headers, are read."""
        return self._reader.needs(source) or (self._chooser is not None and self._chooser.needs(source))

    def read(self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None) -> ReadLabels:
        """The labels of all records; one without id, or without anything where the label should be, is rejected."""
        columns, why = self._reader.read(values, keys, headers)
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
        return id_, model, self._value(found), revision_of(self._mapping.revision, found.get("revision"))

    def _text(self, name: str, raw: object) -> str | None:
        place = self._places[name]
        try:
            return text_of(raw)
        except ValueError as reason:
            msg = f"{place}: {reason} is not {'an id' if name == 'id' else 'a model’s name'}"
            raise NoOutcome(msg) from None

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
