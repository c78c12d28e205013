"""The alerter: tells people what is open: incidents, episodes that none explains, jobs that failed or await approval, and what becomes
of new versions. A hand.

*Guarantee.* At least once. It reads its topics to their end before it tells anything, and so knows what is open; what has been told lies on
the topic of alerts, written in the transaction that commits the position. What is to be said follows from these two: a process that dies
is followed by one that says what was not yet written to have been said. Nothing is told of a partition before that was committed by its
owner.

*Trap.* A partition of drift is the one that is owned; root causes, jobs and alerts of the same number are read beside it: all of a model
lies in partitions of one number.

Servers are asked by threads (`telling`), never in a turn.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import get_args

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.configuration.alerts import Alertmanager
from ...schemas.messages.alert import Alerted, ToldState
from ...schemas.messages.drift import DriftEvent, Status
from ...schemas.messages.job import JobStatus
from ...schemas.messages.root_cause import IncidentStatus, RootCauseEvent
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..process.consumer import Making
from ..process.standing import Standing
from ..reference import ledger
from .alertmanager import ToAlertmanager
from .apprise import ToApprise
from .owned import Beside, Owned, over
from .subjects import Said, Subjects
from .telling import Destination, Due, Telling

ROLE = "alerter"
MOST_RECORDS = 500
#: Seconds between two looks at the topics that are read beside that of drift.
LOOK_EVERY_S = 1.0
#: Where all is to end, the group is asked so often what others have still to tell, in seconds.
_ASK_EVERY_S = 0.25
_READERS: Mapping[str, Callable[[bytes], Said | Alerted]] = {
    **{f"io.driftbus.drift.{status}": DriftEvent.model_validate_json for status in get_args(Status)},
    **{f"io.driftbus.root-cause.{status}": RootCauseEvent.decoded for status in get_args(IncidentStatus)},
    **{kind: JobStatus.decoded for kind in ledger.READERS if kind.startswith(f"{JobStatus.TYPE}.")},
    **ledger.PROMOTIONS,
    **{f"{Alerted.TYPE}.{state}": Alerted.decoded for state in get_args(ToldState)},
}


def make(making: Making) -> list["Alerting"]:
    """One for each that is configured. Raises `Unusable`, and why."""
    configuration = making.configuration
    made = {name: destination(configuration, name) for name in configuration.alerts}
    return [Alerting(making.bus, configuration, name, one, making.wall) for name, one in made.items()]


def destination(configuration: Configuration, name: str, environment: Mapping[str, str] = os.environ) -> Destination:
    """Who is told under a name. Raises `Unusable`, and why."""
    settings = configuration.alerts[name]
    if isinstance(settings.kind, Alertmanager):
        return ToAlertmanager(settings.kind, configuration.application, name)
    return ToApprise(settings.kind, settings.per_hour, name, environment)


class Alerting:
    """One alert of one process: a member of the group ``application-alerter-NAME``."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration, name: str, destination: Destination, wall: Callable[[], int]) -> None:
        self._bus, self._configuration, self._name, self._wall = bus, configuration, name, wall
        self._topics = configuration.topics
        self._partitions: dict[TopicPartition, Owned] = {}
        self._telling = Telling(destination, name, wall)
        self._group = f"{configuration.application}-{ROLE}-{name}"
        self._ends: dict[TopicPartition, tuple[int, dict[TopicPartition, int]]] = {}  # of each, and of those beside it
        self._others, self._asked_at = set[TopicPartition](), 0.0
        self._worked = False  # in the last turn
        self._totals = {"alerts": 0, "alerts_undelivered": 0}
        self._session = bus.session(f"{ROLE}-{name}", [self._topics.drift], self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Read each from its beginning to its end: what is open there, and what has been told."""
        for source, committed in partitions.items():
            begun = self._wall() if committed is None else Beside.of(committed).begun
            first, end = self._bus.watermarks(source)
            partition = Owned(Subjects(self._configuration, self._name, begun), max(first, end), committed)
            alerts = TopicPartition(self._topics.alerts, source.partition)
            partition.beside = dict.fromkeys([*self._beside(source), alerts], 0)
            self._read_beside(partition)
            del partition.beside[alerts]  # who owns it writes it, and knows
            for batch in self._bus.read(source, first, end):
                self._feed(partition, batch)
            partition.subjects.forgotten()
            partition.subjects.drop(self._wall(), restored=True)
            self._partitions[source] = partition
        return {source: self._partitions[source].position for source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Whoever has them now tells what is open there."""
        for source in partitions:
            self._partitions.pop(source, None)
        self._keep()

    def turn(self, timeout_s: float) -> bool:
        """Read once, write once; whether there was anything to do."""
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        for batch in batches:
            if partition := self._partitions.get(batch.source):
                self._feed(partition, batch)
                partition.position = int(batch.offsets[-1]) + 1
        for source, end in self._session.at_end().items():
            if partition := self._partitions.get(source):
                partition.position = max(partition.position, end)  # control records included
        if self._looks() or batches:
            self._keep()
        self._worked = self._commit() or bool(batches)
        return self._worked

    def finish(self) -> None:
        """Be `done` when all that its topics hold now has been read, and what follows from it has been tried."""
        described = self._bus.describe([self._topics.drift], settings=False)[self._topics.drift]
        for number in range(described.partitions):
            source = TopicPartition(described.name, number)
            beside = {place: self._bus.watermarks(place, committed=False)[1] for place in self._beside(source)}
            self._ends[source] = self._bus.watermarks(source, committed=False)[1], beside
        self._others = set(self._ends)
        for partition in self._partitions.values():
            partition.looked = 0.0

    @property
    def done(self) -> bool:
        """Here, and in the group. What nobody could be told of, or waits, is not waited for."""
        if not self._ends or self._worked or not self._session.joined():
            return False
        ours = all(partition.looked and over(partition.committed, *self._ends[one]) for one, partition in self._partitions.items())
        return ours and not self._left_to_others()

    def _left_to_others(self) -> bool:
        """Whether others of the group have still to tell some of it. The group is asked now and then."""
        others, now = self._others - self._partitions.keys(), time.monotonic()
        if others and now - self._asked_at >= _ASK_EVERY_S:
            self._asked_at = now
            committed = self._bus.committed(self._group, sorted(others))
            self._others -= {one for one in others if over(committed.get(one), *self._ends[one])}
        return bool(self._others - self._partitions.keys())

    def totals(self) -> Mapping[str, int]:
        """What was told since this process began, and what could not be."""
        return self._totals

    def standing(self) -> Standing:
        """How it stands between two turns."""
        open_ = sum(partition.subjects.open_now for partition in self._partitions.values())
        return Standing(dict.fromkeys(self._partitions), self._session.at_end().keys(), open_)

    def close(self) -> None:
        """Tell nothing more. What was told and is not yet written is told again."""
        self._telling.stop()
        self._session.close()

    def _looks(self) -> bool:
        """At the topics beside one partition, whose turn it is: to ask after all at once would hold up others of the process."""
        stalest = min(self._partitions.values(), key=lambda one: one.looked, default=None)
        if stalest is None or time.monotonic() - stalest.looked < LOOK_EVERY_S:
            return False
        self._read_beside(stalest)
        return True

    def _beside(self, source: TopicPartition) -> list[TopicPartition]:
        """Root causes, jobs and versions of the same models, where there are any."""
        described = self._bus.describe([self._topics.root_causes, self._topics.retrain], settings=False)
        return [TopicPartition(topic, source.partition) for topic in sorted(described)]

    def _read_beside(self, partition: Owned) -> None:
        for source, position in partition.beside.items():
            first, end = self._bus.watermarks(source)
            for batch in self._bus.read(source, max(first, position), end) if end > position else ():
                self._feed(partition, batch)
            partition.beside[source] = max(position, end)
        partition.looked = time.monotonic()

    def _feed(self, partition: Owned, batch: Batch) -> None:
        columns, now = (batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers()), self._wall()
        for written, key, value, headers in zip(*columns, strict=True):
            said = self._read(key, value, headers)
            if isinstance(said, Alerted):
                partition.subjects.tell(said)
            elif said is not None:
                with suppress(*own.DAMAGED):  # a time that is none, a name that nobody can be told
                    partition.subjects.feed(said, min(max(written, 0), now))  # whoever wrote it may have any clock

    def _read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Said | Alerted | None:
        """What our own roles write; strangers are passed over, since their writers and readers tell of them."""
        try:
            return own.read_of_model(self._configuration.application, _READERS, key, value, headers)
        except (own.Foreign, own.Unreadable):
            return None

    def _keep(self) -> None:
        """Let the thread know what there is to tell."""
        now, due = self._wall(), dict[str, Due]()
        for partition in self._partitions.values():
            partition.subjects.drop(now)
            if partition.begun:
                own = {one.about: Due(one, partition.subjects.told.get(one.about)) for one in partition.subjects.due(now)}
                partition.due = own.keys()
                due |= own
        self._telling.keep(due)

    def _commit(self) -> bool:
        """Write what was told, with the position; whether anything was."""
        said: dict[TopicPartition, list[Alerted]] = {source: [] for source in self._partitions}
        told, waits = self._telling.said()
        for one in told.values():
            place = TopicPartition(self._topics.drift, partition_of(one.model, self._topics.partitions))
            if place in said:
                said[place].append(one)
        positions = {source: partition.standing(waits) for source, partition in self._partitions.items()}
        work = {
            source: Work(source, self._outputs(said[source], source.partition), positions[source])
            for source, partition in self._partitions.items()
            if said[source] or not partition.begun or positions[source] != partition.committed
        }
        for source in self._session.commit(list(work.values())) if work else ():
            if partition := self._partitions.get(source):
                partition.committed, partition.begun = work[source].position, True
                for one in said[source]:
                    partition.subjects.tell(one)
                    self._totals["alerts_undelivered" if one.state == "undelivered" else "alerts"] += 1
                self._telling.written(said[source])
        if work:
            self._keep()
        return any(one.outputs for one in work.values())

    def _outputs(self, said: Iterable[Alerted], partition: int) -> list[Output]:
        return [addressed(self._configuration, self._topics.alerts, one, partition) for one in said]
