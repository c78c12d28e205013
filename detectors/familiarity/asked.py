"""The flagged rows of late, as many as people need to see what they are about: those of the smallest hashes, in merged runs of buckets."""

from collections.abc import Iterable
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


@dataclass
class Asked:
    """At most two runs of every length, oldest first. What the rows of panes are merged to depends on no batch and no order."""

    runs: list[_Run] = field(default_factory=list)

    def add(self, start: int, end: int, rows: Iterable[AskedRow]) -> None:
        """Those of a bucket; where there are none it is left out."""
        if kept := _smallest(rows):
            self.runs.append(_Run(1, start, end, kept))
        oldest, length = len(self.runs) - 3, 1
        while oldest >= 0 and self.runs[oldest].length == length:
            if length == LONGEST:
                del self.runs[oldest]
                return
            older, newer = self.runs[oldest : oldest + 2]
            self.runs[oldest : oldest + 2] = [_Run(2 * length, older.start, newer.end, _smallest((*older.rows, *newer.rows)))]
            oldest, length = oldest - 2, 2 * length

    def since(self, time: int, subject: int, most: int) -> list[str]:
        """Texts of rows in runs that end after ``time``, of the smallest hashes so many, in their order."""
        rows = sorted(row for run in self.runs if run.end > time for row in run.rows if row.subject == subject)
        return [row.text for row in rows[:most]]

    def encoded(self) -> list[Any]:  # plain data
        """As it stands in a snapshot."""
        return [[run.length, run.start, run.end, [list(row) for row in run.rows]] for run in self.runs]

    @classmethod
    def decoded(cls, form: Iterable[list[Any]]) -> "Asked":
        """What `encoded` wrote."""
        return cls([_Run(length, start, end, tuple(AskedRow(*row) for row in rows)) for length, start, end, rows in form])


def _smallest(rows: Iterable[AskedRow]) -> tuple[AskedRow, ...]:
    return tuple(sorted(rows)[:MOST])
