"""Reads the drift topic as any subscriber would, without a group."""

from collections.abc import Iterator

from ...schemas.cloud_events import attributes
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.notice import Notice
from .interface import Bus, BusError, TopicPartition

Event = DriftEvent | Notice


class DriftTopic:
    """All partitions of the drift topic, from their beginning or from their end."""

    def __init__(self, bus: Bus, topic: str, *, from_start: bool) -> None:
        described = bus.describe([topic]).get(topic)
        if described is None:
            msg = f"topic {topic} does not exist; create it with: driftbus topics create"
            raise BusError(msg)
        self._bus = bus
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
                found += _events(self._bus, partition, start, end)
                self._next[partition] = end
        return [event for _, event in sorted(found, key=lambda timed: timed[0])]


def _events(bus: Bus, partition: TopicPartition, start: int, end: int) -> Iterator[tuple[int, Event]]:
    for batch in bus.read(partition, start, end):
        for time, value, headers in zip(batch.timestamps.tolist(), batch.values, batch.headers(), strict=True):
            kind = attributes(headers).get("type", "")
            if value is not None and kind.startswith("io.driftbus.drift."):
                yield time, DriftEvent.model_validate_json(value)
            elif value is not None and kind.startswith("io.driftbus.notice."):
                yield time, Notice.model_validate_json(value)
