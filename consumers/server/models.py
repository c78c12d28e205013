"""The models that answer: of each learner the newest that was published, or one that has learnt nothing yet."""

import logging
import math
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from ...detectors.learning import served
from ...detectors.learning.candidates import SLOW, Candidate, Value
from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.learned import LearnedModel
from ..bus.interface import Bus
from ..bus.own import Unreadable
from ..bus.table import Table
from ..process.last_net import of_a_record
from ..reference import learned
from ..reference.artifacts import ArtifactError, ArtifactStore

#: Features of a row that are named in an error, characters of a value.
_SHOWN = 60
_log = logging.getLogger(__name__)


class Refused(ValueError):
    """A request that cannot be answered; the text names field and value."""


class Said(NamedTuple):
    """Of one row."""

    score: float
    prediction: bool


class Loaded:
    """One model: all rows of a request are answered by it."""

    def __init__(self, name: str, version: str, content: served.Served, event: LearnedModel | None) -> None:
        self.name, self.version, self.features, self.event = name, version, content.features, event
        self._candidate, self._lock = content.candidate, threading.Lock()

    def answers(self, rows: Sequence[Mapping[str, object]]) -> list[Said]:
        """Row by row. Raises `Refused`."""
        read = [self._read(row, place) for place, row in enumerate(rows)]
        with self._lock:  # river's models note what they meet
            scores = [self._candidate.score(row) for row in read]
        return [Said(score, score >= 0.5) for score in scores]

    def _read(self, row: Mapping[str, object], place: int) -> dict[str, Value]:
        if not self.features:
            for name, value in row.items():
                if isinstance(value, int) and _finite(value) is None:
                    raise Refused(_misfit(name, value, place, "number"))
        return {name: self._value(name, kind, row.get(name), place) for name, kind in self.features.items()}

    def _value(self, name: str, kind: served.FeatureKind, value: object, place: int) -> Value:
        if value is None or (isinstance(value, str) and kind == "text"):
            return value
        if kind != "text" and isinstance(value, bool):
            return value
        if kind != "text" and isinstance(value, int | float) and (number := _finite(value)) is not None:
            return number
        raise Refused(_misfit(name, value, place, kind))


class Models:
    """By name; replaced as a whole, so that who answers has one or the other."""

    def __init__(self, bus: Bus, configuration: Configuration, store: ArtifactStore) -> None:
        self._configuration, self._store = configuration, store.beside(learned.FOLDER)
        self._table = Table(bus, configuration.topics.learned, _key_of, self._fact_of)
        own = {name: model.learner for name, model in configuration.models.items() if model.learner is not None}
        self.now: Mapping[str, Loaded] = {
            name: Loaded(name, learner.version, served.Served(Candidate(learner.kind, SLOW, learner.seed), {}), None)
            for name, learner in own.items()
        }

    def look(self) -> None:
        """Take what was published. One that cannot be had, or read, changes nothing, and is told."""
        self._table.refresh()
        for name, event in self._table.facts.items():
            known = self.now.get(name)
            if known is None or (known.event is not None and known.event.id == event.id):
                continue
            try:
                content = served.read(self._store.get(event.artifact))
            except Exception as error:
                if not isinstance(error, ArtifactError) and not of_a_record(error):
                    raise
                _log.warning("models.%s: what was learnt by %s cannot be served: %s", name, event.at, error)
                continue
            self.now = {**self.now, name: Loaded(name, event.version, content, event)}

    def _fact_of(self, key: str, value: bytes, headers: Headers) -> LearnedModel:
        said = learned.read(self._configuration.application, msgspec.json.encode([key, LearnedModel.KIND]), value, headers)
        if not isinstance(said, LearnedModel):
            msg = "no model that was learnt"
            raise Unreadable(msg)
        return said


def _misfit(name: str, value: object, place: int, kind: str) -> str:
    return f"features.{name}: {str(value)[:_SHOWN]!r} of row {place} is no {kind}"


def _finite(value: float) -> float | None:
    """JSON's whole numbers have as many digits as somebody writes, and no float holds those of 310 and more."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _key_of(key: bytes) -> str | None:
    try:
        model, kind, *_ = msgspec.json.decode(key, type=list[str | int])
    except (msgspec.MsgspecError, ValueError):
        return None
    return model if kind == LearnedModel.KIND and isinstance(model, str) else None
