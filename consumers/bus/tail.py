"""Reads topics of events as any subscriber would, without a group: those of one application."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar, get_args

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent, Status
from ...schemas.messages.notice import About, Notice
from ...schemas.messages.root_cause import IncidentStatus, RootCauseEvent
from . import own
from .interface import Bus, BusError, TopicPartition

Event = DriftEvent | Notice
_READERS: Mapping[str, Callable[[bytes], Event]] = {
    **{f"io.driftbus.drift.{status}": DriftEvent.model_validate_json for status in get_args(Status)},
    **{f"io.driftbus.notice.{about}": Notice.model_validate_json for about in get_args(About)},
}
_CAUSES: Mapping[str, Callable[[bytes], RootCauseEvent]] = {
    f"io.driftbus.root-cause.{status}": RootCauseEvent.decoded for status in get_args(IncidentStatus)
}
_log = logging.getLogger(__name__)
_Said = TypeVar("_Said")


class Tail(Generic[_Said]):
    """All partitions of a topic, from their beginning or from their end. What is not the application's is told once.

    Parameters
    ----------
    readers
        By the type of an event, how it is read.
    """

    def __init__(
        self, bus: Bus, configuration: Configuration, topic: str, readers: Mapping[str, Callable[[bytes], _Said]], *, from_start: bool
    ) -> None:
        described = bus.describe([topic]).get(topic)
        if described is None:
            msg = f"topic {topic} does not exist; create it with: driftbus topics create"
            raise BusError(msg)
        self._bus, self._application, self._strangers, self._readers = bus, configuration.application, own.Told(), readers
        ends = {p: bus.watermarks(p) for p in (TopicPartition(topic, i) for i in range(described.partitions))}
        self._next = {p: first if from_start else end for p, (first, end) in ends.items()}

    def new(self) -> list[_Said]:
        """What came since the last call, in the order in which it was written, as the records' times tell.

        Across partitions, which are written apart, an event may come behind one that speaks of a later bucket.
        """
        found: list[tuple[int, _Said]] = []
        for partition, start in self._next.items():
            end = self._bus.watermarks(partition)[1]
            if end > start:
                found += self._events(partition, start, end)
                self._next[partition] = end
        return [event for _, event in sorted(found, key=lambda timed: timed[0])]

    def _events(self, partition: TopicPartition, start: int, end: int) -> Iterator[tuple[int, _Said]]:
        for batch in self._bus.read(partition, start, end):
            columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, batch.headers(), strict=True)
            for offset, time, value, headers in columns:
                try:
                    event = own.read(self._application, self._readers, value, headers)
                except own.Foreign as error:
                    if self._strangers.foreign(error.application):
                        _log.warning("%s: events of application %s are passed over", partition.topic, error.application)
                except own.Unreadable as error:
                    if self._strangers.unreadable(offset)[1]:
                        _log.warning("%s@%d is passed over: %s", partition, offset, error)
                else:
                    if event is not None:
                        yield time, event


class DriftTopic(Tail[Event]):
    """The drift topic: events and notices."""

    def __init__(self, bus: Bus, configuration: Configuration, *, from_start: bool) -> None:
        super().__init__(bus, configuration, configuration.topics.drift, _READERS, from_start=from_start)


class CauseTopic(Tail[RootCauseEvent]):
    """The topic of root causes."""

    def __init__(self, bus: Bus, configuration: Configuration, *, from_start: bool) -> None:
        super().__init__(bus, configuration, configuration.topics.root_causes, _CAUSES, from_start=from_start)
