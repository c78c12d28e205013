"""The flagged rows of late, as many as people need to see what they are about: those of the smallest hashes, in merged runs of buckets.

Beside them what was counted of the outliers, where rows are compared: `driftbus.detectors.neighbours.masked`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: Rows of a run; and the longest run, in buckets, older ones of which are forgotten.
MOST, LONGEST = 200, 2**10


class AskedRow(NamedTuple):
    """A flagged row whose text may be shown."""

    hash: int
    partition: int
    offset: int
    subject: int
    text: str


class _Run(NamedTuple):
    length: int
    start: int
    end: int
    rows: tuple[AskedRow, ...]
    counts: tuple[int, ...] = ()


@dataclass
class Asked:
    """At most two runs of every length, oldest first. What the rows of panes are merged to depends on no batch and no order."""

    runs: list[_Run] = field(default_factory=list)

    def add(self, start: int, end: int, rows: Iterable[AskedRow], counts: Sequence[int] = ()) -> None:
        """Those of a bucket; where there are none, and nothing was counted, it is left out. ``counts``: always as many, or none."""
        kept = _smallest(rows)
        if kept or counts:
            self.runs.append(_Run(1, start, end, kept, tuple(counts)))
        oldest, length = len(self.runs) - 3, 1
        while oldest >= 0 and self.runs[oldest].length == length:
            if length == LONGEST:
                del self.runs[oldest]
                return
            older, newer = self.runs[oldest : oldest + 2]
            self.runs[oldest : oldest + 2] = [_joined(older, newer)]
            oldest, length = oldest - 2, 2 * length

    def since(self, time: int, subject: int, most: int) -> list[str]:
        """Texts of rows in runs that end after ``time``, of the smallest hashes so many, in their order."""
        rows = sorted(row for run in self.runs if run.end > time for row in run.rows if row.subject == subject)
        return [row.text for row in rows[:most]]

    def counted_since(self, time: int) -> tuple[int, ...]:
        """The counts of the runs that begin at ``time`` or later, summed; where there is none, of the newest run."""
        runs = [run for run in self.runs if run.counts]
        return _added([run for run in runs if run.start >= time] or runs[-1:])

    def encoded(self) -> list[Any]:  # plain data
        """As it stands in a snapshot."""
        return [[*run[:3], [list(row) for row in run.rows], *([list(run.counts)] if run.counts else [])] for run in self.runs]

    @classmethod
    def decoded(cls, form: Iterable[list[Any]]) -> "Asked":
        """What `encoded` wrote."""
        return cls(
            [
                _Run(length, start, end, tuple(AskedRow(*row) for row in rows), *map(tuple, counts))
                for length, start, end, rows, *counts in form
            ]
        )


def _joined(older: _Run, newer: _Run) -> _Run:
    return _Run(2 * older.length, older.start, newer.end, _smallest((*older.rows, *newer.rows)), _added((older, newer)))


def _added(runs: Iterable[_Run]) -> tuple[int, ...]:
    counts = [run.counts for run in runs if run.counts]
    return tuple(map(sum, zip(*counts, strict=True)))


def _smallest(rows: Iterable[AskedRow]) -> tuple[AskedRow, ...]:
    return tuple(sorted(rows)[:MOST])
