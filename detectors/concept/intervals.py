"""Intervals of the time in which predictions were made: which of them tell the truth by now, and since when predictions turn out otherwise.

Labels say when a change became known; what is known of the predictions of each interval says when it was. And it says when it is over: by
first labels, those that come soon are judged alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..episodes.episode import Episode
from ..episodes.windows import MergedBuckets, Windows
from ..outcomes.delays import DELAY_BINS, quantile
from ..outcomes.layout import Layout
from .arrivals import Arrivals
from .suite import OutcomeSuite

Counts = NDArray[np.int64]

#: An interval is matured when this share of what the baseline lets expect is labelled.
LABELLED = 0.9


@dataclass(frozen=True)
class Interval:
    """What is known by now of the predictions made in an interval."""

    vector: Counts  #: of outcomes; its end may be missing, behind ``cell expired``
    known: Arrivals  #: of the labelled ones; its start and end are those of the interval
    predicted: int
    labelled: int
    whole: bool  #: else it takes back what another sum of this interval, which is gone, had added

    @classmethod
    def of(cls, plan: Layout, vector: Counts, start: int, end: int) -> "Interval":
        """Of the sums of its outcomes."""
        known = Arrivals.of(plan, vector, start, end)
        whole = not ((known.rows < known.errors).any() or (known.errors < 0).any() or (known.losses < 0).any())
        return cls(vector, known, plan.number(vector, "predicted"), plan.number(vector, "labelled"), whole)


@dataclass(frozen=True)
class Ripeness:
    """When an interval is matured."""

    age: int  #: ms behind its end in which 99 % of the labels come
    predicted: int = 0  #: of intervals so old, when the baseline was there, the predictions, and the labelled ones
    labelled: int = 0

    def measured(self, intervals: Sequence[Interval], now: int) -> "Ripeness":
        """With the share that is labelled in all intervals that are old enough, if there are any."""
        old = [one for one in intervals if now - one.known.end >= self.age]
        return Ripeness(self.age, sum(one.predicted for one in old), sum(one.labelled for one in old))

    def matured(self, interval: Interval, now: int) -> bool:
        """Whether it tells the truth, though more may come: that changes little. Before anything is measured none does."""
        old = self.predicted > 0 and now - interval.known.end >= self.age
        return old and interval.labelled * self.predicted >= LABELLED * self.labelled * interval.predicted

    def plain(self) -> list[Any]:  # plain data
        """As it stands in a snapshot."""
        return [self.age, self.predicted, self.labelled]


class Seen:
    """Intervals as the tests look at them, each made once."""

    def __init__(self, tests: OutcomeSuite) -> None:
        self.tests = tests
        self._made: dict[int, tuple[Interval, Counts]] = {}

    def vector(self, interval: Interval) -> Counts:
        """Of the space."""
        end = interval.known.end
        if end not in self._made or self._made[end][0] is not interval:
            bucket = interval.known.bucket(self.tests.baseline.large)
            self._made[end] = interval, self.tests.space.vector(bucket.counts, bucket.sums, (), None)
        return self._made[end][1]

    def keep(self, intervals: Sequence[Interval]) -> None:
        """Forget all others."""
        there = {one.known.end for one in intervals}
        self._made = {end: made for end, made in self._made.items() if end in there}


def judged(seen: Seen, matured: Sequence[Interval], since: int) -> Windows:
    """What tells whether a change is over: the matured intervals from ``since`` on, and the one before them, if it is remembered."""
    first = next((place for place, one in enumerate(matured) if one.known.start >= since), len(matured))
    return Windows([MergedBuckets(1, one.known.start, one.known.end, seen.vector(one), ()) for one in matured[max(first - 1, 0) :]])


def onset(seen: Seen, episode: Episode, intervals: Sequence[Interval], age: int, about: int) -> int:
    """The start of the interval since which what is known is likeliest, by some bet on the episode's largest signal, against the baseline.

    What became known no earlier than the episode's onset was made no more than ``age`` before it. Where no interval says anything yet, half
    of the labels took no longer than they do.
    """
    near = [one for one in intervals if one.known.end > episode.onset - age]
    largest = max(episode.open or episode.followed.values(), key=lambda followed: followed.shown.share)
    if near and largest.signal >= 0:
        bets = seen.tests.bets
        gained = np.stack([bets.log_ratios(seen.vector(one))[0][bets.of(largest.signal)] for one in near])
        since = gained[::-1].cumsum(axis=0)[::-1].max(axis=1)
        if since.max() > 0:
            return near[int(since.argmax())].known.start
    delays = sum((one.known.delays for one in intervals), np.zeros(DELAY_BINS, dtype=np.int64))
    return (episode.onset - (quantile(delays, 0.5) or 0)) // about * about


def newest(intervals: Sequence[Interval], labelled: int) -> Sequence[Interval]:
    """The newest of them that have so many labels together; at least one, if there is one."""
    first = len(intervals)
    while first > 0 and (labelled > 0 or first == len(intervals)):
        first -= 1
        labelled -= intervals[first].labelled
    return intervals[first:]
