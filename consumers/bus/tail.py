"""Reads the drift topic as any subscriber would, without a group: the events and notices of one application."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent, Status
from ...schemas.messages.notice import About, Notice
from . import own
from .interface import Bus, BusError, TopicPartition

Event = DriftEvent | Notice
_READERS: Mapping[str, Callable[[bytes], Event]] = {
    **{f"io.driftbus.drift.{status}": DriftEvent.model_validate_json for status in get_args(Status)},
    **{f"io.driftbus.notice.{about}": Notice.model_validate_json for about in get_args(About)},
}
_log = logging.getLogger(__name__)


class DriftTopic:
    """All partitions of the drift topic, from their beginning or from their end. What is not the application's is told once."""

    def __init__(self, bus: Bus, configuration: Configuration, *, from_start: bool) -> None:
        topic = configuration.topics.drift
        described = bus.describe([topic]).get(topic)
        if described is None:
            msg = f"topic {topic} does not exist; create it with: driftbus topics create"
            raise BusError(msg)
        self._bus, self._application, self._strangers = bus, configuration.application, own.Told()
        ends = {p: bus.watermarks(p) for p in (TopicPartition(topic, i) for i in range(described.partitions))}
        self._next = {p: first if from_start else end for p, (first, end) in ends.items()}

    def new(self) -> list[Event]:
        """What came since the last call, in the order in which it was written, as the records' times tell.

        Across partitions, which are written apart, an event may come behind one that speaks of a later bucket.
        """
        found: list[tuple[int, Event]] = []
        for partition, start in self._next.items():
            end = self._bus.watermarks(partition)[1]
            if end > start:
                found += self._events(partition, start, end)
                self._next[partition] = end
        return [event for _, event in sorted(found, key=lambda timed: timed[0])]

    def _events(self, partition: TopicPartition, start: int, end: int) -> Iterator[tuple[int, Event]]:
        for batch in self._bus.read(partition, start, end):
            columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, batch.headers(), strict=True)
            for offset, time, value, headers in columns:
                try:
                    event = own.read(self._application, _READERS, value, headers)
                except own.Foreign as error:
                    if self._strangers.foreign(error.application):
                        _log.warning("%s: events of application %s are passed over", partition.topic, error.application)
                except own.Unreadable as error:
                    if self._strangers.unreadable(offset)[1]:
                        _log.warning("%s@%d is passed over: %s", partition, offset, error)
                else:
                    if event is not None:
                        yield time, event
