"""Announcements on the compacted models topic: which reference holds for a model version, from which bucket on."""

from bisect import bisect_left

import msgspec
import pydantic

from ...schemas.cloud_events import headers
from ...schemas.configuration import KafkaTopics
from ...schemas.identity import derived_id
from ...schemas.messages.announcement import FROM_START, Announcement
from ..bus.interface import Batch, Bus, Output, TopicPartition

_TYPE = "io.driftbus.reference"


def announce(bus: Bus, topics: KafkaTopics, announcement: Announcement, *, source: str = "driftbus") -> None:
    """Publish an announcement, or a retirement (``reference`` None)."""
    event = headers(
        id=derived_id("announcement", announcement.key, announcement.reference),
        type=_TYPE,
        source=source,
        time_ms=max(announcement.since, 0),
        subject=f"{announcement.model}/{announcement.version}",
    )
    value = msgspec.json.encode(announcement.model_dump(), order="sorted")
    bus.publish([Output(topics.models, None, announcement.key.encode(), value, event)])


class Announcements:
    """All that is announced, as far as it has been read.

    The topic is read from its beginning at every start: it is compacted, hence short. A later record of one key replaces an earlier one.
    """

    def __init__(self, bus: Bus, topics: KafkaTopics) -> None:
        self._bus, self._topic = bus, topics.models
        self._positions: dict[TopicPartition, int] = {}
        self._by_key: dict[bytes, Announcement] = {}
        #: Per model version: boundaries, and what holds from each on.
        self._order: dict[tuple[str, str], tuple[list[int], list[Announcement]]] = {}

    def refresh(self) -> bool:
        """Read on to the topic's end; whether anything changed."""
        changed: set[tuple[str, str]] = set()
        description = self._bus.describe([self._topic]).get(self._topic)
        for number in range(description.partitions if description else 0):
            source = TopicPartition(self._topic, number)
            first, end = self._bus.watermarks(source)
            start = max(first, self._positions.get(source, 0))
            for batch in self._bus.read(source, start, end):
                changed |= self._take(batch)
            self._positions[source] = max(start, end)
        for version in changed:
            known = sorted((a for a in self._by_key.values() if (a.model, a.version) == version), key=lambda a: a.since)
            self._order[version] = [a.since for a in known], known
        return bool(changed)

    def _take(self, batch: Batch) -> set[tuple[str, str]]:
        changed = set()
        for key, value, offset in zip(batch.keys(), batch.values, batch.offsets.tolist(), strict=True):
            if key is None or not key.startswith(b"reference/"):
                continue  # other kinds of announcements share the topic
            before = self._by_key.pop(key, None)
            if before is not None:
                changed.add((before.model, before.version))
            if value is None:
                continue
            try:
                now = Announcement.model_validate(msgspec.json.decode(value))
            except (msgspec.DecodeError, pydantic.ValidationError) as error:
                msg = f"{batch.source}@{offset} is no announcement of a reference ({error}); publish a tombstone for key {key.decode()!r}"
                raise ValueError(msg) from error
            self._by_key[key] = now
            changed.add((now.model, now.version))
        return changed

    def holding(self, model: str, version: str, bucket: int) -> Announcement | None:
        """What was announced for the bucket that ends then: of all whose boundary lies before that end, the latest. None: nothing ever.

        Retired versions have an announcement without a reference.
        """
        boundaries, known = self._order.get((model, version), ((), ()))
        place = bisect_left(boundaries, bucket)
        return known[place - 1] if place else None

    def all(self) -> list[Announcement]:
        """Everything known, by model, version and boundary."""
        return [announcement for version in sorted(self._order) for announcement in self._order[version][1]]


def from_start(model: str, version: str, reference: str, rows: int) -> Announcement:
    """An announcement that holds from the beginning of the log."""
    return Announcement(model=model, version=version, reference=reference, since=FROM_START, rows=rows)
