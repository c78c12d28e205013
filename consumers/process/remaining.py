"""What a group has still to read of its topics, up to the ends that they had: how a consumer knows that it is done."""

import time
from collections.abc import Callable, Collection, Sequence

from ..bus.interface import Bus, Position, TopicPartition

#: Seconds between two questions to the group: they cost a request each.
_ASK_EVERY_S = 0.25
#: Seconds in which what another has read and not done is waited for: he may be dead, and his partitions ours in a moment.
_PATIENCE_S = 60.0


class Remaining:
    """The ends of all partitions of some topics, taken now.

    They are the ends of all records, of those in open transactions too: of a commit that was answered, readers of committed records may not
    see the end yet, and would take the topic for shorter than it is.
    """

    def __init__(self, bus: Bus, group: str, topics: Sequence[str], mark: str = "", *, of_empty: Collection[str] | None = None) -> None:
        """``mark``: a word that stands beside a position behind which nothing is left to say; ``of_empty``: of these topics alone, and
        beside the position of an empty partition of theirs, too.
        """
        self._bus, self._group, self._mark = bus, group, mark
        self._marked = topics if of_empty is None else of_empty
        described = bus.describe(topics).values()
        sources = [TopicPartition(topic.name, number) for topic in described for number in range(topic.partitions)]
        self._ends = {source: bus.watermarks(source, committed=False) for source in sources}
        self._left = {source: end for source, (first, end) in self._ends.items() if first < end or source.topic in (of_empty or ())}
        self._asked = 0.0

    def end(self, source: TopicPartition) -> int:
        """The end of one partition; of one that was not there, its end now."""
        if source not in self._ends:
            self._ends[source] = self._bus.watermarks(source, committed=False)
        return self._ends[source][1]

    def left(self, besides: Collection[TopicPartition] = ()) -> bool:
        """Whether the group has still to commit some of it, ``besides`` some partitions. It is asked now and then."""
        others, now = self._left.keys() - set(besides), time.monotonic()
        if others and now - self._asked >= _ASK_EVERY_S:
            self._asked = now
            committed = self._bus.committed(self._group, sorted(others))
            for source in others:
                position = committed.get(source)
                mark = self._mark if source.topic in self._marked else ""
                if position and position.offset >= self._left[source] and mark in ("", *position.metadata.split(" ")):
                    del self._left[source]
        return bool(self._left.keys() - set(besides))


class Others:
    """What others of a group have still to do of one topic that a hand reads, up to the ends that it had.

    A hand commits in front of what is open, and beside that how far it has read (``read_to``): what is open is not waited for. But who has
    read it may be dead, and his partitions ours in a moment: so for a minute only what is done counts.
    """

    def __init__(self, bus: Bus, group: str, topic: str, read_to: Callable[[Position], int]) -> None:
        self._bus, self._group, self._read_to = bus, group, read_to
        self._remaining = Remaining(bus, group, [topic])
        partitions = bus.describe([topic])[topic].partitions
        self._left = {TopicPartition(topic, number) for number in range(partitions)}
        self._patient_until, self._asked = time.monotonic() + _PATIENCE_S, 0.0

    def end(self, source: TopicPartition) -> int:
        """The end of one partition."""
        return self._remaining.end(source)

    def left(self, besides: Collection[TopicPartition]) -> bool:
        """Whether there is anything, ``besides`` our own partitions. The group is asked now and then."""
        others, now = self._left - set(besides), time.monotonic()
        if others and now - self._asked >= _ASK_EVERY_S:
            self._asked = now
            for source, position in self._bus.committed(self._group, sorted(others)).items():
                reached = position.offset if now < self._patient_until else self._read_to(position)
                if reached >= self.end(source):
                    self._left.discard(source)
            self._left -= {source for source in others if self._bus.watermarks(source, committed=False)[1] == 0}
        return bool(self._left - set(besides))
