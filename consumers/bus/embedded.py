"""The embedded bus: Kafka's promises within one process and one file, for the demo, replay, tests and small installations."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from weakref import WeakSet, WeakValueDictionary

from .groups import Group
from .instance import Claim
from .interface import Assignment, Batch, BusError, Fenced, Output, Position, TopicDescription, TopicPartition, Work, check_start
from .log import Log, Recorded

#: Records per batch of `read`.
_READ = 10_000
#: Seconds after which a waiting session looks for what other processes wrote to the file: only this process's writes wake it.
_LOOK_AGAIN_S = 0.1


class _Shared:
    """What all buses on one file have in common within a process."""

    _by_file: WeakValueDictionary[str, "_Shared"] = WeakValueDictionary()
    _opening = threading.Lock()

    def __init__(self, file: str) -> None:
        self.log = Log(file)
        self.groups: dict[str, Group] = defaultdict(Group)
        self.buses: WeakSet[EmbeddedBus] = WeakSet()

    @classmethod
    def enter(cls, file: str, bus: "EmbeddedBus") -> "_Shared":
        with cls._opening:
            path = file if file == ":memory:" else str(Path(file).resolve())
            shared = cls._by_file.get(path) or cls(path)
            if path != ":memory:":
                cls._by_file[path] = shared
            shared.buses.add(bus)
            return shared

    def leave(self, bus: "EmbeddedBus") -> None:
        with self._opening:
            if bus in self.buses:
                self.buses.remove(bus)
                if not self.buses:
                    self._by_file.pop(self.log.file, None)
                    self.log.close()


class EmbeddedBus:
    """A bus in one SQLite file, or with ``":memory:"`` in memory.

    All buses of a process on one file share its groups; for a bus in memory `as_instance` makes the others. Other processes may write to
    the file and read it, but a group belongs to one process. Topic settings ``message.timestamp.type`` and ``cleanup.policy=compact`` are
    observed (compaction is immediate); retention is not: the file grows until it is deleted.
    """

    def __init__(self, file: str, application: str, instance: str) -> None:
        self._begin(_Shared.enter(file, self), application, instance)

    def _begin(self, shared: _Shared, application: str, instance: str) -> None:
        self._shared = shared
        self._log = shared.log
        self._application = application
        self._instance = instance
        self._sessions: list[EmbeddedSession] = []

    def as_instance(self, instance: str, application: str | None = None) -> "EmbeddedBus":
        """The same log, as another instance sees it."""
        other = EmbeddedBus.__new__(EmbeddedBus)
        other._begin(self._shared, application or self._application, instance)
        self._shared.buses.add(other)
        return other

    def describe(self, topics: Sequence[str], *, settings: bool = True) -> dict[str, TopicDescription]:
        """Those of the topics that exist."""
        return self._log.describe(topics)

    def create(self, topic: str, partitions: int, replication: int = 1, settings: Mapping[str, str] | None = None) -> None:
        """Make a topic; there is one copy, whatever the replication."""
        self._log.create(topic, partitions, settings or {})

    def delete(self, topic: str) -> None:
        """Remove a topic, and what groups had committed on it."""
        self._log.delete(topic)

    def watermarks(self, source: TopicPartition, *, committed: bool = True) -> tuple[int, int]:
        """First offset, and the end; nothing is ever written but not committed here."""
        return self._log.span(source)

    def offset_at(self, source: TopicPartition, time_ms: int) -> int:
        """The first offset whose record's timestamp is at or after a time; the end if there is none."""
        return self._log.offset_at(source, time_ms)

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Position]:
        """What a group (``application-role``) has committed."""
        return self._log.positions(group, partitions)

    def read(self, source: TopicPartition, start: int, end: int) -> Iterator[Batch]:
        """Records with start <= offset < end that are there now."""
        end = min(end, self._log.span(source)[1])
        while (batch := self._log.batch(source, start, end, _READ)) is not None:
            yield batch
            start = int(batch.offsets[-1]) + 1

    def publish(self, outputs: Sequence[Output]) -> None:
        """Write these, all at once or none."""
        self._log.write(outputs)

    def restore(self, topic: TopicDescription, records: Iterable[Recorded]) -> None:
        """Write records with their own offsets (gaps stay), times and topic id: what a recording holds. May be called repeatedly."""
        self._log.restore(topic, records)

    def session(self, role: str, topics: Sequence[str], assignment: Assignment) -> "EmbeddedSession":
        """Join group ``application-role``. The members of a group subscribe to the same topics."""
        session = EmbeddedSession(self._shared, f"{self._application}-{role}", self._instance, topics, assignment)
        self._sessions.append(session)
        return session

    def stop(self) -> None:
        """Nothing here waits for anybody."""

    def close(self) -> None:
        """Close the sessions; the last bus of this process on a file closes that too."""
        for session in self._sessions:
            session.close()
        self._shared.leave(self)


class EmbeddedSession:
    """A member of a group. *Guarantee*: outputs and positions of a commit are one SQLite transaction."""

    def __init__(self, shared: _Shared, group: str, instance: str, topics: Sequence[str], assignment: Assignment) -> None:
        self._log = shared.log
        self._group_name = group
        self._instance = instance
        self._assignment = assignment
        self._next: dict[TopicPartition, int] = {}  # partitions of ours, and the next offset to read; the first is served first
        self._paused: set[TopicPartition] = set()
        self._asked = False
        described = self._log.describe(topics)
        for topic in topics:
            if topic not in described:
                msg = f"group {group}: there is no topic {topic}; create it first (driftbus topics create makes our own)"
                raise BusError(msg)
        file = self._log.file
        self._claim = (
            None if file == ":memory:" else Claim(group, f"group {group} on {file} (an embedded group is one process's)", beside=file)
        )
        with self._log.changed:
            self._group = shared.groups[group]
            self._group.join(instance, self, [TopicPartition(t, p) for t in topics for p in range(described[t].partitions)])
            self._log.changed.notify_all()

    def _check(self) -> None:
        if self._group.members.get(self._instance) is not self:
            msg = f"instance {self._instance} of group {self._group_name}: another session has its place, or it was closed; this one ends"
            raise Fenced(msg)

    def _rebalance(self) -> None:
        """Give up and take what the coordinator says, and tell the assignment."""
        with self._log.changed:
            self._check()
            gone = self._group.to_give_up(self)
        if gone:
            for source in gone:
                self._next.pop(source, None)
                self._paused.discard(source)
            self._assignment.revoked(gone)
        with self._log.changed:
            self._check()
            self._group.give_up(gone)
            new = sorted(self._group.to_take(self))
            self._group.take(self, new)
            self._asked = True
            if gone:
                self._log.changed.notify_all()
        if new:
            self._start(new)

    def _start(self, new: Sequence[TopicPartition]) -> None:
        positions = self._log.positions(self._group_name, new)
        starts = self._assignment.assigned({source: positions.get(source) for source in new})
        for source in new:
            position = positions.get(source)
            low, high = self._log.span(source)
            start = starts.get(source, position.offset if position else low)
            check_start(self._group_name, source, start, (low, high))
            self._next[source] = start

    def consume(self, most: int, timeout_s: float) -> list[Batch]:
        """Up to ``most`` records; what other threads write wakes it, what other processes write is seen within a tenth of a second."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._rebalance()
            with self._log.changed:
                self._check()
                batches = self._deliver(most)
                remaining = deadline - time.monotonic()
                if batches or remaining <= 0:
                    return batches
                if not self._group.to_give_up(self) and not self._group.to_take(self):
                    self._log.changed.wait(min(remaining, _LOOK_AGAIN_S))

    def _deliver(self, most: int) -> list[Batch]:
        batches = []
        for source in [s for s in self._next if s not in self._paused]:
            batch = self._log.batch(source, self._next[source], 1 << 62, most)
            if batch is not None:
                del self._next[source]  # it goes behind the others, so that none waits for ever
                self._next[source] = int(batch.offsets[-1]) + 1
                batches.append(batch)
                most -= len(batch)
                if most <= 0:
                    break
        return batches

    def commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        """All outputs and positions in one transaction, less those of partitions revoked meanwhile."""
        self._rebalance()
        with self._log.changed:
            self._check()
            done = [w for w in work if w.source in self._next]
            outputs = [output for w in done for output in w.outputs]
            self._log.write(outputs, self._group_name, [(w.source, w.position) for w in done])
        return {w.source for w in done}

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this session's now."""
        return frozenset(self._next)

    def joined(self) -> bool:
        """Whether it has asked for its partitions."""
        return self._asked

    def at_end(self) -> Mapping[TopicPartition, int]:
        """Partitions read to their end, with the position there."""
        return {source: position for source, position in self._next.items() if position >= self._log.span(source)[1]}

    def uncommitted(self) -> Mapping[TopicPartition, int]:
        """None: what is not committed is not in the file."""
        return {}

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing of these until `resume`."""
        self._paused |= set(partitions) & self._next.keys()

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver these again."""
        self._paused -= set(partitions)

    def paused(self) -> frozenset[TopicPartition]:
        """Those of ours of which nothing is delivered."""
        return frozenset(self._paused)

    def seek(self, source: TopicPartition, offset: int) -> None:
        """Read on from here."""
        if source in self._next:
            self._next[source] = offset

    def close(self) -> None:
        """Leave the group; the others take its partitions at once."""
        with self._log.changed:
            self._group.leave(self._instance, self)
            self._log.changed.notify_all()
        self._next.clear()
        if self._claim is not None:
            self._claim.release()
            self._claim = None
