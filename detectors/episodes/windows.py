"""Dyadic windows: the recent past as merged runs of 1, 2, 4, ... buckets, so that any age is a sum of few of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: The longest merged run, in buckets of 10 s nearly two days; older ones are forgotten.
LONGEST = 2**14


class Offsets(NamedTuple):
    """The first and last offset of one input partition that counts came from."""

    topic: str
    partition: int
    first: int
    last: int


class Segment(NamedTuple):
    """A segment's own panes of a bucket, merged."""

    name: str
    counts: NDArray[np.int64]
    sums: NDArray[np.int64]


@dataclass(frozen=True)
class Bucket:
    """The merged panes of one bucket of a model version: what a step is given. Times in ms; counts in the reference's layout."""

    start: int
    end: int
    rows: int
    late: int
    counts: NDArray[np.int64]
    sums: NDArray[np.int64]
    complete: bool
    clock_decided: bool
    offsets: tuple[Offsets, ...] = ()  #: sorted
    segments: tuple[Segment, ...] = ()  #: those that have rows; `counts` and `sums` are over all of them
    unseen: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  #: of categorical fields, values that are new, and their rows


@dataclass(frozen=True)
class MergedBuckets:
    """Neighbouring buckets, merged."""

    length: int  #: in buckets
    start: int
    end: int
    counts: NDArray[np.int64]
    offsets: tuple[Offsets, ...]

    def __add__(self, newer: "MergedBuckets") -> "MergedBuckets":
        """This run and the one that follows it."""
        offsets = merged_offsets((*self.offsets, *newer.offsets))
        return MergedBuckets(self.length + newer.length, self.start, newer.end, self.counts + newer.counts, offsets)


def merged_offsets(offsets: Iterable[Offsets]) -> tuple[Offsets, ...]:
    """One range per input partition, sorted.

    >>> merged_offsets([Offsets("t", 0, 5, 9), Offsets("t", 1, 2, 3), Offsets("t", 0, 10, 12)])
    (Offsets(topic='t', partition=0, first=5, last=12), Offsets(topic='t', partition=1, first=2, last=3))
    """
    ranges: dict[tuple[str, int], tuple[int, int]] = {}
    for topic, partition, first, last in offsets:
        lowest, highest = ranges.get((topic, partition), (first, last))
        ranges[topic, partition] = min(first, lowest), max(last, highest)
    return tuple(Offsets(*place, *ranges[place]) for place in sorted(ranges))


class Recent(NamedTuple):
    """A run up to now: when it starts, and its counts."""

    start: int
    counts: NDArray[np.int64]


@dataclass
class Windows:
    """At most two runs of every length, oldest first."""

    runs: list[MergedBuckets] = field(default_factory=list)

    def add(self, bucket: Bucket, vector: NDArray[np.int64]) -> None:
        """The newest bucket, as the tests look at it; wherever that makes three runs of one length, the older two become one."""
        runs = self.runs
        runs.append(MergedBuckets(1, bucket.start, bucket.end, vector, bucket.offsets))
        oldest, length = len(runs) - 3, 1
        while oldest >= 0 and runs[oldest].length == length:
            if length == LONGEST:
                del runs[oldest]
                return
            runs[oldest : oldest + 2] = [runs[oldest] + runs[oldest + 1]]
            oldest, length = oldest - 2, 2 * length

    def since(self, time: int) -> Recent:
        """The shortest run up to now that holds every bucket that ends after ``time``; at least the newest."""
        oldest = len(self.runs) - 1
        while oldest and self.runs[oldest - 1].end > time:
            oldest -= 1
        return Recent(self.runs[oldest].start, np.add.reduce([run.counts for run in self.runs[oldest:]]))

    def after(self, time: int) -> Iterator[Recent]:
        """All runs up to now that lie wholly after ``time``, shortest first."""
        counts = np.zeros_like(self.runs[-1].counts)
        for run in reversed(self.runs):
            if run.start < time:
                return
            counts = run.counts + counts
            yield Recent(run.start, counts)

    def offsets(self, start: int) -> tuple[Offsets, ...]:
        """What the run from ``start`` up to now was counted from."""
        return merged_offsets(offsets for run in self.runs if run.start >= start for offsets in run.offsets)
