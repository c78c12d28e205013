"""A table over a compacted topic: by key, the last fact that was written; refreshed in its owner's turn.

*Guarantee.* After `refresh` the table holds what the topic's records said up to where it ended then; a tombstone takes a key out. What
cannot be read is passed over, with the reason in `unreadable`: of its key, what was said before holds.

*Trap.* A compacted topic is short only where its keys come again. Where a key holds a time it grows for ever: its owner must `drop` what
can no longer matter. What was dropped is still on the topic: `reload` brings it back.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from ...schemas.cloud_events import Headers
from .interface import Batch, Bus, TopicPartition
from .own import Foreign, Unreadable

Key = TypeVar("Key")
Fact = TypeVar("Fact")
#: Records whose reasons are remembered, the last ones.
MOST_REASONS = 100
_log = logging.getLogger(__name__)


class Change(NamedTuple, Generic[Key, Fact]):
    """What became of a key; None: it had no fact before, or has none now."""

    key: Key
    before: Fact | None
    now: Fact | None


class Table(Generic[Key, Fact]):
    """The facts of one topic. ``key_of``: of a record's key, None where it is none of this table's."""

    def __init__(self, bus: Bus, topic: str, key_of: Callable[[bytes], Key | None], fact_of: Callable[[Key, bytes, Headers], Fact]) -> None:
        self._bus, self._topic, self._key_of, self._fact_of = bus, topic, key_of, fact_of
        self._positions: dict[TopicPartition, int] = {}
        self.facts: dict[Key, Fact] = {}  #: in the order in which they were written
        self.applications: set[str] = set()  #: others that write here too; their records are passed over
        self.unreadable: dict[str, str] = {}  #: places of records, with reasons

    def refresh(self) -> list[Change[Key, Fact]]:
        """Read on to the topic's end; what changed, in order."""
        changes: list[Change[Key, Fact]] = []
        description = self._bus.describe([self._topic]).get(self._topic)
        for number in range(description.partitions if description else 0):
            source = TopicPartition(self._topic, number)
            changes += self._read(source, self._bus.watermarks(source)[1])
        return changes

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget facts that can no longer matter."""
        for key in keys:
            self.facts.pop(key, None)

    def reload(self) -> None:
        """Read it all again, and no further: something that was dropped matters after all."""
        known, self._positions = self._positions, {}
        self.facts.clear()
        for source, end in known.items():
            self._read(source, end)

    def _read(self, source: TopicPartition, end: int) -> list[Change[Key, Fact]]:
        start = max(self._bus.watermarks(source)[0], self._positions.get(source, 0))
        changes = [change for batch in self._bus.read(source, start, end) for change in self._take(batch)]
        self._positions[source] = max(start, end)
        return changes

    def _take(self, batch: Batch) -> Iterable[Change[Key, Fact]]:
        columns = zip(batch.offsets.tolist(), batch.keys(), batch.values, batch.headers(), strict=True)
        for offset, raw, value, headers in columns:
            key = None if raw is None else self._key_of(raw)
            if key is None:
                continue
            try:
                now = None if value is None else self._fact_of(key, value, headers)
            except Foreign as error:
                self._stranger(error.application)
                continue
            except Unreadable as error:
                self._damaged(f"{batch.source}@{offset}", str(error))
                continue
            before = self.facts.pop(key, None)
            if now is not None:
                self.facts[key] = now
            yield Change(key, before, now)

    def _stranger(self, application: str) -> None:
        if application not in self.applications and len(self.applications) < MOST_REASONS:
            _log.warning("%s: application %s writes there too; its records are passed over", self._topic, application)
            self.applications.add(application)

    def _damaged(self, place: str, reason: str) -> None:
        if place not in self.unreadable:
            _log.warning("%s is passed over: %s; write it again, or a tombstone for its key", place, reason)
        self.unreadable[place] = reason
        while len(self.unreadable) > MOST_REASONS:
            del self.unreadable[next(iter(self.unreadable))]
