"""The demo's model server: answers the flights of a day by the version in force and by those in the shadow, and says when that is all.

It learns which these are as any server would: from model events, and from what is to be done with new versions.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.model_event import ModelEvent
from ..bus.interface import Bus, Output
from ..bus.table import Table
from ..bus.tail import Tail
from ..reference import ledger, model_events
from ..streams.records import marks
from .data import Flights
from .forest import Columns, Forest
from .policies import DAY, columns
from .timetable import FEATURES, SPOILT

MODEL, FIRST = "nyc-late", "1"
SCORED, LABELS, TIMETABLE, PARTITIONS = "flights.scored", "flights.labels", "flights.timetable", 1
_KEY = MODEL.encode()
_encode = msgspec.json.Encoder().encode  # writes a NaN as null


class Versions:
    """The models that jobs have made: they lie in a folder as ``VERSION.npz``, and are read when they are asked first."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._read = folder, dict[str, Forest]()

    def scores(self, version: str, rows: Columns) -> NDArray[np.float64]:
        """What one answers."""
        if version not in self._read:
            self._read[version] = Forest.load(self._folder / f"{version}.npz")
        return self._read[version].score(rows)


class Server:
    """``flights``: as they come to the model; ``true``: the timetable as it is. The first version answers ``since``."""

    def __init__(self, bus: Bus, configuration: Configuration, flights: Flights, true: Flights, versions: Versions, since: int) -> None:
        self._bus, self._application, self._topics = bus, configuration.application, configuration.topics
        self._flights, self._true, self._versions, self._since = flights, true, versions, since
        self._steps = Tail(bus, configuration, configuration.topics.retrain, ledger.PROMOTIONS, from_start=True)
        self._events: Table[bytes, ModelEvent] = Table(bus, configuration.topics.models, _events_alone, self._read)
        self._serves, self._shadows = FIRST, dict[str, None]()
        self._sent = dict.fromkeys((SCORED, LABELS, TIMETABLE), 0)
        self.score = np.full(len(flights), np.nan)  #: what was served
        self.changes: list[tuple[int, str]] = []  #: when another version came into force

    def serve(self, start: int) -> None:
        """A day's flights, the labels of those that have landed in it, and the timetable; with a mark behind each."""
        self._learn(start)
        flights, end = self._flights, start + DAY
        rows = np.flatnonzero((flights.scheduled >= start) & (flights.scheduled < end))
        asked = columns(flights, rows)
        answered = {version: self._versions.scores(version, asked) for version in (self._serves, *self._shadows)}
        self.score[rows] = answered[self._serves]
        landed = np.flatnonzero((flights.landed >= start) & (flights.landed < end) & (flights.scheduled >= self._since))
        landed = landed[np.argsort(flights.landed[landed], kind="stable")]
        outputs = [*self._predictions(rows, answered), *self._timetable(rows), *self._labels(landed)]
        for topic in self._sent:
            outputs += marks(self._application, topic, PARTITIONS, end)
        self._bus.publish(outputs)

    def _learn(self, now: int) -> None:
        """Who serves from now on, and who answers beside."""
        for said in self._steps.new():
            if said.step == "shadow":
                self._shadows[said.version] = None
            elif said.step in ("refuse", "held", "retire"):
                self._shadows.pop((said.parent or "") if said.step == "retire" else said.version, None)
        before = self._serves
        for event in (change.now for change in self._events.refresh() if change.now is not None):
            if event.kind == "promoted" and event.version != self._serves:
                self._shadows[self._serves] = None  # it answers on: it may win its place back
                self._serves = event.version
            elif event.kind == "rolled_back" and event.parent is not None:
                self._serves = event.parent
            self._shadows.pop(self._serves, None)
        if self._serves != before:
            self.changes.append((now, self._serves))

    def _predictions(self, rows: NDArray[np.int64], answered: dict[str, NDArray[np.float64]]) -> Iterator[Output]:
        flights = self._flights
        features = [(flights.categories | flights.numbers)[name][rows].tolist() for name in FEATURES]
        scores = [column.tolist() for column in answered.values()]
        for id_, time, row, *values in zip(flights.id[rows], flights.scheduled[rows].tolist(), range(len(rows)), *features, strict=True):
            common = {"model": MODEL, "id": id_, "time": time, "features": dict(zip(FEATURES, values, strict=True))}
            for version, score in zip(answered, scores, strict=True):
                probability = score[row]
                yield self._output(SCORED, common | {"version": version, "prediction": probability > 0.5, "score": probability}, time)

    def _labels(self, rows: NDArray[np.int64]) -> Iterator[Output]:
        flights = self._flights
        for id_, time, late in zip(flights.id[rows], flights.landed[rows].tolist(), flights.late[rows].tolist(), strict=True):
            yield self._output(LABELS, {"id": id_, "time": iso(time), "label": late}, time)

    def _timetable(self, rows: NDArray[np.int64]) -> Iterator[Output]:
        """As the training pipeline reads it."""
        true = [self._true.numbers[name][rows].tolist() for name in SPOILT]
        for id_, time, *values in zip(self._flights.id[rows], self._flights.scheduled[rows].tolist(), *true, strict=True):
            yield self._output(TIMETABLE, {"entity": id_, "as_of": time, "values": dict(zip(SPOILT, values, strict=True))}, time)

    def _output(self, topic: str, message: dict[str, object], time: int) -> Output:
        """To the partitions in turn; the timestamp is the flight's own."""
        self._sent[topic] += 1
        return Output(topic, self._sent[topic] % PARTITIONS, _KEY, _encode(message), timestamp=time)

    def _read(self, key: bytes, value: bytes, headers: tuple[tuple[str, bytes], ...]) -> ModelEvent:
        return model_events.read(self._application, key, value, headers)


def _events_alone(key: bytes) -> bytes | None:
    return key if model_events.is_one(key) else None
