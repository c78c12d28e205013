"""The models that answer: of each learner the newest that was published, or one that has learnt nothing yet."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import NamedTuple

import msgspec

from ...detectors.learning import served
from ...detectors.learning.candidates import SLOW, Candidate, Value
from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.learned import LearnedModel
from ..bus.interface import Bus
from ..bus.own import Unreadable
from ..bus.sizes import most_bytes
from ..bus.table import Table
from ..decode.interface import MARKS
from ..decode.personal import rules_of
from ..decode.scalars import classify
from ..process.last_net import of_a_record
from ..reference import learned
from ..reference.artifacts import ArtifactError, ArtifactStore
from ..reference.holding import HeldReferences
from .reading import Reading, misfit

_log = logging.getLogger(__name__)


class Said(NamedTuple):
    """Of one row."""

    score: float
    prediction: bool


class Loaded:
    """One model, and how its features are read: all rows of a request are answered by it."""

    def __init__(self, name: str, version: str, content: served.Served, event: LearnedModel | None, reading: Reading) -> None:
        self.name, self.version, self.features, self.event, self.reading = name, version, content.features, event, reading
        self._candidate, self._lock = content.candidate, threading.Lock()

    def read_by(self, reading: Reading) -> "Loaded":
        """The same that reads otherwise."""
        found = copy(self)
        found.reading = reading
        return found

    def answers(self, rows: Sequence[Mapping[str, object]]) -> list[Said]:
        """Row by row. Raises `Refused`."""
        read = [self._read(row, place) for place, row in enumerate(rows)]
        with self._lock:  # river's models note what they meet
            scores = [self._candidate.score(row) for row in read]
        return [Said(score, score >= 0.5) for score in scores]

    def _read(self, row: Mapping[str, object], place: int) -> dict[str, Value]:
        """The features that were ever there when it learnt; what it cannot know as a float, before it has learnt any, is refused."""
        read = self.reading.read(row, place)
        if not self.features:
            for name, value in row.items():
                if name not in read and isinstance(value, int) and classify("numeric", False, int(value)) == MARKS.invalid:
                    raise misfit(name, value, place, "number")
        return {name: _of_kind(kind, read.get(name)) for name, kind in self.features.items()}


class Models:
    """By name; replaced as a whole, so that who answers has one or the other."""

    def __init__(self, bus: Bus, configuration: Configuration, store: ArtifactStore, wall: Callable[[], int]) -> None:
        self._configuration, self._store, self._wall = configuration, store.beside(learned.FOLDER), wall
        served_on = configuration.topics.served
        #: Of a record of what they say.
        self.most_bytes = min((most_bytes(one.settings) for one in bus.describe([served_on]).values()), default=most_bytes({}))
        self._table = Table(bus, configuration.topics.learned, _key_of, self._fact_of)
        self._references = HeldReferences(bus, configuration, store)
        own = {name: model.learner for name, model in configuration.models.items() if model.learner is not None}
        self._rules = {name: rules_of(configuration, name) for name in own}
        self.now: Mapping[str, Loaded] = {
            name: self._loaded(name, learner.version, served.Served(Candidate(learner.kind, SLOW, learner.seed), {}), None)
            for name, learner in own.items()
        }

    def look(self) -> None:
        """Take what was published, and announced. What cannot be had, or read, changes nothing, and is told."""
        self._table.refresh()
        self._references.refresh()
        for name, known in self.now.items():
            event = self._table.facts.get(name, known.event)
            try:
                if event is None or (known.event is not None and known.event.id == event.id):
                    reading = self._reading(name, known.version, known.features)
                    found = known if reading == known.reading else known.read_by(reading)
                else:
                    found = self._loaded(name, event.version, served.read(self._store.get(event.artifact)), event)
            except Exception as error:
                if not isinstance(error, ArtifactError) and not of_a_record(error):
                    raise
                at = "-" if event is None else event.at
                _log.warning("models.%s: what was learnt by %s cannot be served: %s", name, at, error)
                continue
            if found is not known:
                self.now = {**self.now, name: found}

    def _loaded(self, name: str, version: str, content: served.Served, event: LearnedModel | None) -> Loaded:
        return Loaded(name, version, content, event, self._reading(name, version, content.features))

    def _reading(self, name: str, version: str, kinds: Mapping[str, served.FeatureKind]) -> Reading:
        """By the reference that holds now for the version that is served; else by the newest of any version that is learnt from."""
        now = self._wall()
        own = self._references.holding(name, version, now).reference
        reference = own or next(iter(self._references.holding_of(name, now)), None)
        if reference is None:
            return Reading.of_kinds(kinds, self._configuration.models[name], self._rules[name])
        return Reading.of_fields(self._references.monitored(reference).fields, self._rules[name].keys)

    def _fact_of(self, key: str, value: bytes, headers: Headers) -> LearnedModel:
        said = learned.read(self._configuration.application, msgspec.json.encode([key, LearnedModel.KIND]), value, headers)
        if not isinstance(said, LearnedModel):
            msg = "no model that was learnt"
            raise Unreadable(msg)
        return said


def _of_kind(kind: served.FeatureKind, value: Value) -> Value:
    """A decoder has booleans as texts; who learnt without one had them as they are."""
    return value == "true" if kind == "boolean" and isinstance(value, str) else value


def _key_of(key: bytes) -> str | None:
    try:
        model, kind, *_ = msgspec.json.decode(key, type=list[str | int])
    except (msgspec.MsgspecError, ValueError):
        return None
    return model if kind == LearnedModel.KIND and isinstance(model, str) else None
