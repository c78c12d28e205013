"""Announcements on the compacted models topic: which reference holds for a model version, from which bucket on."""

from bisect import bisect_left
from collections.abc import Mapping

import msgspec
import pydantic

from ...schemas.cloud_events import headers
from ...schemas.configuration import KafkaTopics
from ...schemas.identity import derived_id
from ...schemas.messages.announcement import FROM_START, Announcement
from ..bus.interface import Batch, Bus, Output, TopicPartition

_TYPE = "io.driftbus.reference"
#: Retired models that are named to those who remember what a model's traffic was like.
MOST_RETIRED = 1_000
#: No boundary is so late.
NEVER = 1 << 63


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
    """All that is announced and can still hold, as far as it has been read.

    The topic is read from its beginning at every start. A later record of one key replaces an earlier one. Its key holds a time, so
    compaction does not keep it short: what can hold no more is forgotten (`forget`), and read again if it is asked for after all.
    """

    def __init__(self, bus: Bus, topics: KafkaTopics) -> None:
        self._bus, self._topic = bus, topics.models
        self._begin()

    def _begin(self) -> None:
        self._positions: dict[TopicPartition, int] = {}
        self._forgotten = -NEVER  # of buckets that end at or before it, something is
        self._version_of: dict[bytes, tuple[str, str]] = {}
        self._by_key: dict[tuple[str, str], dict[bytes, Announcement]] = {}
        #: Per model version: boundaries, and what holds from each on.
        self._order: dict[tuple[str, str], tuple[list[int], list[Announcement]]] = {}
        self.models: frozenset[str] = frozenset()  #: of which anything is announced

    def refresh(self) -> bool:
        """Read on to the topic's end; whether anything changed."""
        return self._read({})

    def _read(self, until: Mapping[TopicPartition, int]) -> bool:
        """Read on, no further than that."""
        changed: set[tuple[str, str]] = set()
        description = self._bus.describe([self._topic]).get(self._topic)
        for number in range(description.partitions if description else 0):
            source = TopicPartition(self._topic, number)
            first, end = self._bus.watermarks(source)
            end = min(end, until.get(source, end))
            start = max(first, self._positions.get(source, 0))
            for batch in self._bus.read(source, start, end):
                withdrawn, found = self._take(batch)
                if withdrawn and self._forgotten > -NEVER:  # what it had replaced may hold again
                    self._begin()
                    return self._read({})
                changed |= found
            self._positions[source] = max(start, end)
        for version in changed:
            self._sort(version)
        if changed:
            self.models = frozenset(model for model, _ in self._order)
        return bool(changed)

    def _sort(self, version: tuple[str, str]) -> None:
        known = sorted(self._by_key.get(version, {}).values(), key=lambda a: a.since)
        self._order[version] = [a.since for a in known], known
        if not known:
            del self._order[version], self._by_key[version]

    def _take(self, batch: Batch) -> tuple[bool, set[tuple[str, str]]]:
        """Whether one was withdrawn, and the model versions that something was said of."""
        changed, withdrawn = set(), False
        for key, value, offset in zip(batch.keys(), batch.values, batch.offsets.tolist(), strict=True):
            if key is None or not key.startswith(b"reference/"):
                continue  # other kinds of announcements share the topic
            before = self._version_of.pop(key, None)
            if before is not None:
                del self._by_key[before][key]
                changed.add(before)
            if value is None:
                withdrawn = True
                continue
            try:
                now = Announcement.model_validate(msgspec.json.decode(value))
            except (msgspec.DecodeError, pydantic.ValidationError) as error:
                msg = f"{batch.source}@{offset} is no announcement of a reference ({error}); publish a tombstone for key {key.decode()!r}"
                raise ValueError(msg) from error
            version = self._version_of[key] = now.model, now.version
            self._by_key.setdefault(version, {})[key] = now
            changed.add(version)
        return withdrawn, changed

    def forget(self, before: int) -> None:
        """Drop what holds in no bucket that ends at ``before`` or later: of each model version, all but one of what lies in front of it."""
        for version, (boundaries, known) in self._order.items():
            if (over := bisect_left(boundaries, before) - 1) > 0:
                of = self._by_key[version]
                for key in [key for key, one in of.items() if one.since < boundaries[over]]:
                    del of[key], self._version_of[key]
                self._order[version] = boundaries[over:], known[over:]
                self._forgotten = max(self._forgotten, before)

    def holding(self, model: str, version: str, bucket: int) -> Announcement | None:
        """What was announced for the bucket that ends then: of all whose boundary lies before that end, the latest. None: nothing ever.

        Retired versions have an announcement without a reference.
        """
        if bucket < self._forgotten:
            known_through = self._positions
            self._begin()
            self._read(known_through)
        boundaries, known = self._order.get((model, version), ((), ()))
        place = bisect_left(boundaries, bucket)
        return known[place - 1] if place else None

    def retired(self) -> dict[str, int]:
        """Models all of whose versions are retired in the end, with the boundary behind which none is left: the newest `MOST_RETIRED`."""
        ends: dict[str, int | None] = {}
        for (model, _), (boundaries, known) in self._order.items():
            before = ends.get(model, boundaries[-1] if known else None)
            ends[model] = None if before is None or not known or known[-1].reference else max(before, boundaries[-1])
        found = sorted(((since, model) for model, since in ends.items() if since is not None), reverse=True)
        return {model: since for since, model in found[:MOST_RETIRED]}

    def named(self) -> set[str]:
        """The references that can still hold."""
        return {one.reference for _, known in self._order.values() for one in known if one.reference is not None}

    def all(self) -> list[Announcement]:
        """Everything known, by model, version and boundary."""
        return [announcement for version in sorted(self._order) for announcement in self._order[version][1]]


def from_start(model: str, version: str, reference: str, rows: int) -> Announcement:
    """An announcement that holds from the beginning of the log."""
    return Announcement(model=model, version=version, reference=reference, since=FROM_START, rows=rows)
