"""Looks at topics from their end, outside any group: what people ask of a running system must not cost it anything."""

from collections.abc import Iterator
from typing import NamedTuple

from ...schemas.cloud_events import Headers
from ..bus.interface import Batch, Bus, TopicPartition

#: Offsets that one step back covers at least.
_STEP = 256


class Read(NamedTuple):
    """A record."""

    source: TopicPartition
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def backwards(bus: Bus, source: TopicPartition, end: int | None = None) -> Iterator[Read]:
    """The committed records in front of ``end``, the newest first. The caller stops when it has what it wants.

    Each step back is twice as long as the one before, so that control records and gaps cost little.
    """
    first, last = bus.watermarks(source)
    end, step = last if end is None else min(end, last), _STEP
    while end > first:
        start = max(first, end - step)
        for batch in reversed(list(bus.read(source, start, end))):
            yield from reversed(records_of(batch))
        end, step = start, 2 * step


def records_on(bus: Bus, topic: str) -> Iterator[Read]:
    """All committed records of a topic, partition by partition; none of one that is not there."""
    description = bus.describe([topic], settings=False).get(topic)
    for number in range(description.partitions if description else 0):
        place = TopicPartition(topic, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            yield from records_of(batch)


def first_from(bus: Bus, source: TopicPartition, start: int, end: int) -> Read | None:
    """The first committed record from an offset on."""
    for batch in bus.read(source, start, end):
        if len(batch):
            return records_of(batch)[0]
    return None


def records_of(batch: Batch) -> list[Read]:
    """The records of a batch, one by one."""
    columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers(), strict=True)
    return [Read(batch.source, *row) for row in columns]
