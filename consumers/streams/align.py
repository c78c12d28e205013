"""When a bucket of one summaries partition can be evaluated: a pure function of that partition's records, one at a time.

A bucket is evaluated when every input partition is complete through its end. A pane that arrives after its bucket was evaluated, for
whatever reason, counts in the next one, which then says that it is not complete. The only clock is the records' append time
(`AppendClock`).

Completeness that passes empty buckets is told too, once for all that are passed: by the last of them, without panes. It is what silence
is told by. How many such statements there are depends on how often progress is said; how far they reach in the end does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import Progress
from .buckets import Buckets
from .clock import AppendClock

#: No time in a log is this far away.
NEVER = 1 << 62
PartitionKey = tuple[str, str, int]  # topic, topic id, partition


class Pending(NamedTuple):
    """A pane that waits for its bucket."""

    offset: int  #: in the summaries partition
    late: bool  #: its bucket is not complete: it came behind it, or others of it are lost
    pane: Pane


class Aligned(NamedTuple):
    """A bucket that can be evaluated; without panes: all buckets through this one have been, and no more came of them."""

    end: int
    complete: bool
    clock_decided: bool
    panes: list[Pending]
    start: int = -NEVER  #: of a bucket with panes


@dataclass
class Heard:
    """What is known of one input partition."""

    at: int  #: the aligner's time of its last progress
    through: int = -NEVER
    by_clock: list[tuple[int, int]] = field(default_factory=list)  #: from where to where the wall clock said so, not yet evaluated
    ended: bool = False
    given_up: bool = False


@dataclass
class LastRun:
    """The last run seen of an input partition: a pane of it, or of an earlier one, that comes again is known by its id."""

    first: int = -1
    seen: set[str] = field(default_factory=set)


@dataclass
class Aligner:
    """One stream in one summaries partition. ``patience`` None: a partition is waited for, however long."""

    buckets: Buckets
    patience: int | None = 300_000
    clock: AppendClock = field(default_factory=AppendClock)
    evaluated: int = -NEVER  #: every bucket that ends at or before it has been evaluated
    partitions: dict[PartitionKey, Heard] = field(default_factory=dict)
    runs: dict[PartitionKey, LastRun] = field(default_factory=dict)
    pending: dict[int, list[Pending]] = field(default_factory=dict)  #: by bucket

    def feed(self, offset: int, appended: int, record: Pane | Progress) -> list[Aligned]:
        """The buckets that this record makes ready, in order."""
        self.clock.tick(appended)
        if isinstance(record, Pane):
            self._receive(offset, record)
            return []
        self._hear(record)
        return self._evaluate()

    def await_(self, bucket: int) -> None:
        """Something else than a pane waits for this bucket: it is evaluated in its turn, with panes or without."""
        self.pending.setdefault(bucket, [])

    def _receive(self, offset: int, pane: Pane) -> None:
        run = self.runs.setdefault((pane.topic, pane.topic_id, pane.partition), LastRun())
        if pane.first < run.first or (pane.first == run.first and pane.id in run.seen):
            return  # seen twice: only where delivery is at least once
        if pane.first > run.first:
            run.first, run.seen = pane.first, set()
        run.seen.add(pane.id)
        late = pane.bucket <= self.evaluated
        bucket = self.buckets.end(self.evaluated if late else pane.bucket - 1)  # of ours, whatever the writer's panes are
        self.pending.setdefault(bucket, []).append(Pending(offset, late, pane))

    def _hear(self, progress: Progress) -> None:
        ids = {topic.topic: topic.topic_id for topic in progress.topics} | {progress.source.topic: progress.source.topic_id}
        for key in [k for k in self.partitions if ids.get(k[0], k[1]) != k[1]]:
            del self.partitions[key]  # the topic was made again
            self.runs.pop(key, None)
        for topic in progress.topics:
            for number in range(topic.partitions):
                self.partitions.setdefault((topic.topic, topic.topic_id, number), Heard(self.clock.now))
        source = self.partitions.setdefault(progress.source.key, Heard(self.clock.now))
        source.at, source.ended = self.clock.now, progress.ended
        if progress.through is not None and progress.through > source.through:
            if progress.by_clock:
                source.by_clock.append((source.through, progress.through))
            source.through = progress.through
        for partition in self.partitions.values():
            if self.patience is not None and self.clock.now - partition.at > self.patience:
                partition.given_up = True
            elif partition.ended or partition.through >= self.evaluated:
                partition.given_up = False

    def _evaluate(self) -> list[Aligned]:
        sources = self.partitions.values()
        whole = not any(p.given_up for p in sources)
        through = min((p.through for p in sources if not p.given_up and not p.ended), default=NEVER)
        ready: list[Aligned] = []
        for bucket in sorted(b for b in self.pending if b <= through):
            panes = self.pending.pop(bucket)
            start = max(self.buckets.start(bucket - 1), self.evaluated)
            ready.append(Aligned(bucket, whole and not any(p.late for p in panes), self._clock_decided(bucket), panes, start))
            self.evaluated = bucket
        if ended := through == NEVER:  # everything is evaluated
            through = max((p.through for p in sources if p.ended), default=-NEVER)
            for partition in sources:
                partition.ended = False  # a later run continues
        if through > -NEVER and (passed := self.buckets.start(through)) > self.evaluated:
            ready.append(Aligned(passed, whole, self._clock_decided(passed), []))
            if not ended:  # a later run continues where each partition stopped
                self.evaluated = passed
        for partition in sources:
            if partition.by_clock:
                partition.by_clock = [span for span in partition.by_clock if span[1] > self.evaluated]
        return ready

    def _clock_decided(self, bucket: int) -> bool:
        """Whether some partition's progress through the bucket came from the wall clock."""
        spans = (span for partition in self.partitions.values() if not partition.given_up for span in partition.by_clock)
        return any(start < bucket <= end for start, end in spans)

    def retiled(self, buckets: Buckets) -> None:
        """From now on by other buckets: what is pending waits for the one in which its own ends."""
        self.buckets, pending, self.pending = buckets, self.pending, {}
        for bucket in sorted(pending):
            self.pending.setdefault(buckets.end(bucket - 1), []).extend(pending[bucket])

    def numbers(self) -> dict[str, Any]:  # plain data for a snapshot
        """All that is remembered but the pending panes themselves."""
        return {
            "now": self.clock.now,
            "appended": self.clock.appended,
            "evaluated": self.evaluated,
            "partitions": [[*k, p.at, p.through, p.by_clock, p.ended, p.given_up] for k, p in self.partitions.items()],
            "runs": [[*k, run.first, sorted(run.seen)] for k, run in self.runs.items()],
            "pending": [[bucket, pane.offset, pane.late] for bucket, panes in self.pending.items() for pane in panes],
        }

    @classmethod
    def restored(cls, buckets: Buckets, patience: int | None, numbers: dict[str, Any], panes: dict[int, Pane]) -> "Aligner":
        """The aligner that wrote `numbers`; ``panes`` by their summaries offset. A bucket of which some are gone is not complete."""
        aligner = cls(buckets, patience, AppendClock(numbers["now"], numbers["appended"]), numbers["evaluated"])
        for topic, topic_id, number, at, through, by_clock, ended, given_up in numbers["partitions"]:
            spans = [(start, end) for start, end in by_clock]
            aligner.partitions[topic, topic_id, number] = Heard(at, through, spans, ended, given_up)
        for topic, topic_id, number, first, seen in numbers["runs"]:
            aligner.runs[topic, topic_id, number] = LastRun(first, set(seen))
        partly = {bucket for bucket, offset, _ in numbers["pending"] if offset not in panes}
        for bucket, offset, late in numbers["pending"]:
            if offset in panes:
                aligner.pending.setdefault(bucket, []).append(Pending(offset, late or bucket in partly, panes[offset]))
        return aligner


def pending_offsets(numbers: Iterable[dict[str, Any]]) -> tuple[int, ...]:
    """The summaries offsets of the panes that aligners' `numbers` speak of."""
    return tuple(sorted(offset for one in numbers for _, offset, _ in one["pending"]))
