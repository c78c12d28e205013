"""When a bucket of one summaries partition can be evaluated: a pure function of that partition's records, one at a time.

A bucket is evaluated when every input partition is complete through its end. A pane that arrives after its bucket was evaluated, for
whatever reason, counts in the next one, which then says that it is not complete. The only clock is the records' append time
(`AppendClock`).

Completeness that passes empty buckets is told too, once for all that are passed: by the last of them, without panes. It is what silence
is told by. How many such statements there are depends on how often progress is said; how far they reach in the end does not.

A partition that has ended holds nobody up, but a later run goes on where it stopped: late is what lies behind an evaluated bucket, or
behind where every partition stopped, not what others passed. In which order they ended is nobody's doing.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol

from typing_extensions import TypeVar

from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import Progress
from .buckets import Buckets
from .clock import AppendClock

#: No time in a log is this far away.
NEVER = 1 << 62
#: How often evaluation had gone back, times this, in a number that never falls. More than any bucket, in ms; a thousand times that is still
#: a whole number in every language.
AGAIN = 1 << 43
PartitionKey = tuple[str, str, int]  # topic, topic id, partition


class Cut(Protocol):
    """What is aligned: a fact about a run of an input partition, and a bucket (a pane, a block)."""

    @property
    def topic(self) -> str:
        """Of the run."""
        ...

    @property
    def topic_id(self) -> str:
        """The id of that topic."""
        ...

    @property
    def partition(self) -> int:
        """Of that topic."""
        ...

    @property
    def first(self) -> int:
        """The first offset of the run."""
        ...

    @property
    def bucket(self) -> int:
        """The bucket's end."""
        ...

    @property
    def id(self) -> str:
        """The same at every repetition."""
        ...


Fact = TypeVar("Fact", bound=Cut, default=Pane)


class Pending(NamedTuple, Generic[Fact]):
    """A pane, or a block, that waits for its bucket."""

    offset: int  #: in the partition that is folded
    late: bool  #: its bucket is not complete: it came behind it, or others of it are lost
    pane: Fact


class Aligned(NamedTuple, Generic[Fact]):
    """A bucket that can be evaluated; without panes: all buckets through this one have been, and no more came of them."""

    end: int
    complete: bool
    clock_decided: bool
    panes: list[Pending[Fact]]
    start: int = -NEVER  #: of a bucket with panes
    ended: bool = False  #: every partition has: there is no more
    again: int = 0  #: how often evaluation had gone back in time until then: a later run goes on where each partition stopped


@dataclass
class Heard:
    """What is known of one input partition."""

    at: int  #: the aligner's time of its last progress
    through: int = -NEVER
    by_clock: list[tuple[int, int]] = field(default_factory=list)  #: from where to where the wall clock said so, not yet evaluated
    partly: list[tuple[int, int]] = field(default_factory=list)  #: from where to where it was not whole itself, not yet evaluated
    ended: bool = False
    given_up: bool = False


@dataclass
class LastRun:
    """The last run seen of an input partition: a pane of it, or of an earlier one, that comes again is known by its id."""

    first: int = -1
    seen: set[str] = field(default_factory=set)


@dataclass
class Aligner(Generic[Fact]):
    """What belongs together in one partition that is folded. ``patience`` None: a partition is waited for, however long.

    ``streams``: those of which something must have been heard before anything is evaluated; one that has not is a partition by itself.
    """

    buckets: Buckets
    patience: int | None = 300_000
    clock: AppendClock = field(default_factory=AppendClock)
    evaluated: int = -NEVER  #: every bucket that ends at or before it has been evaluated; what comes for one is late
    passed: int = -NEVER  #: so far it has been told that all is over, but for what partitions that have ended bring in a later run
    at: int = -NEVER  #: what was told last: a bucket, or how far all is over
    again: int = 0  #: how often that went back
    partitions: dict[PartitionKey, Heard] = field(default_factory=dict)
    runs: dict[PartitionKey, LastRun] = field(default_factory=dict)
    pending: dict[int, list[Pending[Fact]]] = field(default_factory=dict)  #: by bucket
    streams: tuple[str, ...] = ()
    decided: list[tuple[int, int]] = field(default_factory=list, init=False)  #: what the wall clock said of what was evaluated last
    last: list[Aligned[Fact]] = field(default_factory=list, init=False)  #: what the last progress made ready, without panes
    closed: bool = field(default=False, init=False)  #: by the last progress every partition had ended
    _next: list[int] = field(default_factory=list, init=False)  #: a heap of the pending buckets
    _known: dict[tuple[str, str], int] = field(default_factory=dict, init=False)  #: topics, by id, and how many partitions they have

    def __post_init__(self) -> None:
        for stream in self.streams:
            self.partitions[_unheard(stream)] = Heard(self.clock.now)

    def feed(self, offset: int, appended: int, record: Fact | Progress) -> list[Aligned[Fact]]:
        """The buckets that this record makes ready, in order."""
        self.clock.tick(appended)
        if not isinstance(record, Progress):
            self._receive(offset, record)
            return []
        self._hear(record)
        return self._evaluate()

    def repeated(self, fact: Fact) -> bool:
        """Whether it was seen before, and counts no more: only where delivery is at least once."""
        run = self.runs.get((fact.topic, fact.topic_id, fact.partition), LastRun())
        return fact.first < run.first or (fact.first == run.first and fact.id in run.seen)

    def awaits(self, progress: Progress) -> bool:
        """Whether it is of a partition that is known, or of a stream of which nothing has been heard."""
        return progress.source.key in self.partitions or _unheard(progress.stream) in self.partitions

    def await_(self, bucket: int) -> None:
        """Something else than a pane waits for this bucket: it is evaluated in its turn, with panes or without."""
        self._waiting(bucket)

    def _receive(self, offset: int, pane: Fact) -> None:
        if self.repeated(pane):
            return
        run = self.runs.setdefault((pane.topic, pane.topic_id, pane.partition), LastRun())
        if pane.first > run.first:
            run.first, run.seen = pane.first, set()
        run.seen.add(pane.id)
        late = pane.bucket <= self.evaluated
        bucket = self.buckets.end(self.evaluated if late else pane.bucket - 1)  # of ours, whatever the writer's panes are
        self._waiting(bucket).append(Pending(offset, late, pane))

    def _waiting(self, bucket: int) -> list[Pending[Fact]]:
        """What waits for a bucket."""
        if bucket not in self.pending:
            self.pending[bucket] = []
            heapq.heappush(self._next, bucket)
        return self.pending[bucket]

    def _hear(self, progress: Progress) -> None:
        self.partitions.pop(_unheard(progress.stream), None)
        ids = {topic.topic: topic.topic_id for topic in progress.topics} | {progress.source.topic: progress.source.topic_id}
        for key in [k for k in self.partitions if ids.get(k[0], k[1]) != k[1]]:
            del self.partitions[key]  # the topic was made again
            self.runs.pop(key, None)
            self._known.pop(key[:2], None)
        for topic in progress.topics:
            known = self._known.get((topic.topic, topic.topic_id), 0)
            for number in range(known, topic.partitions):
                self.partitions.setdefault((topic.topic, topic.topic_id, number), Heard(self.clock.now))
            self._known[topic.topic, topic.topic_id] = max(known, topic.partitions)
        source = self.partitions.setdefault(progress.source.key, Heard(self.clock.now))
        source.at, source.ended = self.clock.now, progress.ended
        if progress.through is not None and progress.through > source.through:
            if progress.by_clock:
                source.by_clock.append((source.through, progress.through))
            if not progress.complete:
                source.partly.append((source.through, progress.through))
            source.through = progress.through
        for partition in self.partitions.values():
            if self.patience is not None and self.clock.now - partition.at > self.patience:
                partition.given_up = True
            elif partition.ended or partition.through >= self.evaluated:
                partition.given_up = False

    def _evaluate(self) -> list[Aligned[Fact]]:
        sources = self.partitions.values()
        whole = not any(p.given_up for p in sources)
        through = min((p.through for p in sources if not p.given_up and not p.ended), default=NEVER)
        ready: list[Aligned[Fact]] = []
        while self._next and self._next[0] <= through:
            bucket = heapq.heappop(self._next)
            panes = self.pending.pop(bucket)
            start = max(self.buckets.start(bucket - 1), self.evaluated)
            complete = whole and not any(p.late for p in panes) and not self._partly(bucket - 1, bucket)
            self.again += bucket <= self.at
            self.at = bucket
            ready.append(Aligned(bucket, complete, self._clock_decided(bucket), panes, start, again=self.again))
            self.evaluated = bucket
        over = min((p.through for p in sources if not p.given_up), default=-NEVER)
        self.closed = any(p.ended for p in sources) and all(p.ended or p.given_up for p in sources)
        if ended := through == NEVER:  # everything is evaluated
            through = max((p.through for p in sources if p.ended), default=-NEVER)
            for partition in sources:
                partition.ended = False  # a later run continues
        passed, before = self._start(through), max(self.evaluated, self.passed)
        if passed > before or (ended and self.streams and through > -NEVER):
            complete = whole and not self._partly(before, passed)
            ready.append(Aligned(passed, complete, self._clock_decided(passed), [], ended=ended, again=self.again))
            self.at = max(self.at, passed)
        self.evaluated = max(self.evaluated, self._start(over))
        self.passed = max(before, passed)
        self.last = [one._replace(panes=[]) for one in ready]
        self.decided = []
        for partition in sources:
            if partition.by_clock:
                self.decided += [] if partition.given_up else partition.by_clock
                partition.by_clock = [span for span in partition.by_clock if span[1] > self.evaluated]
            if partition.partly:
                partition.partly = [span for span in partition.partly if span[1] > self.evaluated]
        return ready

    def _start(self, through: int) -> int:
        return self.buckets.start(through) if through > -NEVER else -NEVER

    def _clock_decided(self, bucket: int) -> bool:
        """Whether some partition's progress through the bucket came from the wall clock."""
        spans = (span for partition in self.partitions.values() if not partition.given_up for span in partition.by_clock)
        return any(start < bucket <= end for start, end in spans)

    def _partly(self, start: int, end: int) -> bool:
        """Whether some partition was not whole itself between these."""
        spans = (span for partition in self.partitions.values() if not partition.given_up for span in partition.partly)
        return any(begun < end and start < ended for begun, ended in spans)

    def retiled(self, buckets: Buckets) -> None:
        """From now on by other buckets: what is pending waits for the one in which its own ends."""
        self.buckets, pending, self.pending = buckets, self.pending, {}
        self._next = []
        for bucket in sorted(pending):
            self._waiting(buckets.end(bucket - 1)).extend(pending[bucket])

    def regrouped(self, topics: Mapping[str, Collection[str]]) -> list[Aligned[Fact]]:
        """From now on these streams are awaited, each with these topics: of one of which nothing is known yet something must be heard, and
        what is read no more holds nobody up. Returns the buckets that this makes ready.
        """
        read = {topic for some in topics.values() for topic in some}
        for key in [key for key in self.partitions if (key[0] or key[1]) not in (read if key[0] else topics)]:
            del self.partitions[key]
            self.runs.pop(key, None)
            self._known.pop(key[:2], None)
        heard = {key[0] for key in self.partitions}
        for stream, own in topics.items():
            if heard.isdisjoint(own):
                self.partitions.setdefault(_unheard(stream), Heard(self.clock.now))
        self.streams = tuple(topics)
        return self._evaluate()

    def numbers(self) -> dict[str, Any]:  # plain data for a snapshot
        """All that is remembered but the pending panes themselves."""
        return {
            "now": self.clock.now,
            "appended": self.clock.appended,
            "evaluated": self.evaluated,
            "told": [self.passed, self.at, self.again],
            "partitions": [[*k, p.at, p.through, p.by_clock, p.ended, p.given_up] for k, p in self.partitions.items()],
            "partly": [[*k, p.partly] for k, p in self.partitions.items() if p.partly],
            "runs": [[*k, run.first, sorted(run.seen)] for k, run in self.runs.items()],
            "pending": [[bucket, pane.offset, pane.late] for bucket, panes in self.pending.items() for pane in panes],
        }

    @classmethod
    def restored(
        cls,
        buckets: Buckets,
        patience: int | None,
        numbers: dict[str, Any],
        panes: Mapping[int, Fact],
        streams: tuple[str, ...] = (),
    ) -> "Aligner[Fact]":
        """The aligner that wrote `numbers`; ``panes`` by their offset. A bucket of which some are gone is not complete."""
        aligner = cls(buckets, patience, AppendClock(numbers["now"], numbers["appended"]), numbers["evaluated"])
        aligner.streams = streams
        aligner.passed, aligner.at, aligner.again = numbers.get(
            "told", (aligner.evaluated, aligner.evaluated, 0)
        )  # unknown to former releases
        for topic, topic_id, number, at, through, by_clock, ended, given_up in numbers["partitions"]:
            heard = Heard(at, through, [(start, end) for start, end in by_clock], ended=ended, given_up=given_up)
            aligner.partitions[topic, topic_id, number] = heard
        for topic, topic_id, number, spans in numbers.get("partly", ()):  # unknown to former releases
            aligner.partitions[topic, topic_id, number].partly = [(start, end) for start, end in spans]
        for topic, topic_id, number, first, seen in numbers["runs"]:
            aligner.runs[topic, topic_id, number] = LastRun(first, set(seen))
        partly = {bucket for bucket, offset, _ in numbers["pending"] if offset not in panes}
        for bucket, offset, late in numbers["pending"]:
            if offset in panes:
                aligner._waiting(bucket).append(Pending(offset, late or bucket in partly, panes[offset]))
        return aligner


def _unheard(stream: str) -> PartitionKey:
    """In the place of the partitions of a stream of which nothing has been heard."""
    return "", stream, -1


def pending_offsets(numbers: Iterable[dict[str, Any]]) -> tuple[int, ...]:
    """The summaries offsets of the panes that aligners' `numbers` speak of."""
    return tuple(sorted(offset for one in numbers for _, offset, _ in one["pending"]))
