"""Sliding windows: the shortest merged run with rows enough is compared with the reference, at the level that the budget leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from .interface import Counts, Plain, Seen, Verdict, WatchedSignal

#: Fewer independent rows are no sample: a window holds at least so many times tau.
LEAST_INDEPENDENT = 100
#: Of a test's level: a threshold in the middle of the law would alarm all the time.
HIGHEST_LEVEL = 0.5

Rows = Annotated[
    int, Field(ge=LEAST_INDEPENDENT, le=100_000_000, description="of the window that is compared with the reference, at least")
]


@dataclass(frozen=True)
class Windowed:
    """A two-sample test of the window against the reference.

    It keeps no state: the windows are everybody's. The level of one evaluation is the bucket's length over ``share``, so that by the
    union bound the mean number of false alarms in ``share`` seconds is at most 1, however much the windows overlap.
    """

    rows: int
    share: float  #: seconds
    statistic: Callable[[Counts], float]  #: of the window's counts
    threshold: Callable[[int, float], float]  #: at so many rows, at this level

    @property
    def rate(self) -> float:
        """One false alarm in ``share`` seconds."""
        return 1 / self.share

    def start(self) -> Plain:
        """Nothing to remember."""
        return None

    def step(self, state: Plain, seen: Seen) -> tuple[Plain, Verdict]:
        """Compare, as soon as there are rows enough."""
        window = next((counts for counts in seen.runs if counts.sum() >= self.rows), None)
        if window is None:
            return state, Verdict(False)
        statistic = self.statistic(window)
        threshold = self.threshold(int(window.sum()), min(seen.seconds / self.share, HIGHEST_LEVEL))
        return state, Verdict(statistic >= threshold, statistic, threshold)


def rows_needed(rows: int, watched: WatchedSignal) -> int:
    """The rows of a window: as many as somebody asked for, more where rows depend on one another."""
    return max(rows, round(LEAST_INDEPENDENT * watched.tau))


def noise(watched: WatchedSignal, rows: int) -> float:
    """The variance of the difference of two means of a variable of variance 1: one over the reference, one over so many rows."""
    return watched.tau * (1 / rows + 1 / int(watched.counts.sum()))
