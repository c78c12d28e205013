"""Buckets: intervals of record time that tile it. A bucket is named by its end, in ms.

Of rows: the record at offset i stands at i seconds, whatever its timestamp says (`cut.Rules.times`).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import PaneLength

Times = NDArray[np.int64]


class Buckets(Protocol):
    """Intervals [start, end) without gap or overlap."""

    def start(self, time: int) -> int:
        """Where the bucket that contains ``time`` begins."""
        ...

    def end(self, time: int) -> int:
        """Where the bucket that contains ``time`` ends."""
        ...

    def ends(self, times: Times) -> Times:
        """`end` of many."""
        ...

    def between(self, earlier: int, later: int) -> float:
        """About how many buckets lie between two times."""
        ...


@dataclass(frozen=True)
class Every:
    """Buckets of one length, aligned to the epoch.

    >>> Every(10).start(25), Every(10).end(25), Every(10).end(30)
    (20, 30, 40)
    """

    length: int

    def start(self, time: int) -> int:
        """Where the bucket that contains ``time`` begins."""
        return time // self.length * self.length

    def end(self, time: int) -> int:
        """Where the bucket that contains ``time`` ends."""
        return self.start(time) + self.length

    def ends(self, times: Times) -> Times:
        """`end` of many."""
        return times // self.length * self.length + self.length

    def between(self, earlier: int, later: int) -> float:
        """About how many buckets lie between two times."""
        return (later - earlier) / self.length


@dataclass(frozen=True)
class Months:
    """Calendar months, UTC.

    >>> (Months().end(0) - Months().start(0)) // 86_400_000
    31
    """

    def start(self, time: int) -> int:
        """Where the bucket that contains ``time`` begins."""
        return int(np.datetime64(time, "ms").astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64))

    def end(self, time: int) -> int:
        """Where the bucket that contains ``time`` ends."""
        return int(self.ends(np.array([time], dtype=np.int64))[0])

    def ends(self, times: Times) -> Times:
        """`end` of many."""
        months = times.astype("datetime64[ms]").astype("datetime64[M]") + np.timedelta64(1, "M")
        return months.astype("datetime64[ms]").astype(np.int64)

    def between(self, earlier: int, later: int) -> float:
        """About how many buckets lie between two times."""
        return (later - earlier) / (30 * 86_400_000)


def buckets(length: PaneLength) -> Buckets:
    """The buckets of a configured pane length."""
    return Months() if length.unit == "month" else Every(length.milliseconds)


def uncountable(stream: str, pane: PaneLength, topic: str, partitions: int) -> str | None:
    """Why a topic cannot be counted in such panes, and what to change; None: it can."""
    if pane.unit != "rows" or partitions == 1:
        return None
    return (
        f"streams.{stream}.pane: {pane} are counted in a topic of one partition, and {topic} has {partitions}: "
        "write a length of time, or replay a table"
    )
