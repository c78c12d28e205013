"""Rows that wait, each for one span from the step in which it came: whose time is over, and what bucket a row belongs to."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .groups import Rows, Spots
from .rows import Values
from .store import Store

#: Of a run: the step in which it came, the bucket that it belongs to, and how many rows there were up to its end, ever.
_STEP, _ABOUT, _BEHIND = range(3)
_FIRST = 64


class Tiling(Protocol):
    """Intervals [start, end) of time without gap or overlap."""

    def start(self, time: int) -> int:
        """Where the one that contains ``time`` begins."""
        ...

    def end(self, time: int) -> int:
        """Where the one that contains ``time`` ends."""
        ...

    def ends(self, times: Values) -> Values:
        """`end` of many."""
        ...


class Pending:
    """A store whose rows leave in the step in which their span is over, and in no other: where `Tiling.end` of step + span is.

    Before that a shorter span, ``maturity``, makes them ripe, each in one step too.

    Rows that came in one step and belong to one bucket stand side by side, as a *run*: so neither time is kept with a row.
    """

    def __init__(self, dtype: np.dtype[Any], span: int, tiling: Tiling, maturity: int | None = None) -> None:  # fields of any type
        self.store = Store(dtype)
        self._span, self._tiling, self._maturity = span, tiling, maturity
        self._runs = np.zeros((3, _FIRST), dtype=np.int64)
        self._first = self._last = 0  # runs that are there
        self._left = 0  # rows that have left, ever
        self._ripe = 0  # rows that are ripe or have left, ever

    @property
    def rows(self) -> Rows:
        """Of the store, by spot."""
        return self.store.rows

    @property
    def nbytes(self) -> int:
        """Of all that is kept."""
        return self.store.nbytes + self._runs.nbytes

    def enter(self, steps: Values, about: Values, new: Rows) -> Spots:
        """Take rows, ordered by step and by the bucket that each belongs to; returns where they lie, until rows enter or leave."""
        if not len(new):
            return np.zeros(0, dtype=np.int64)
        begins = np.flatnonzero(np.concatenate(([True], (about[1:] != about[:-1]) | (steps[1:] != steps[:-1]))))
        self._room(len(begins))
        runs = self._runs[:, self._last : self._last + len(begins)]
        runs[_STEP], runs[_ABOUT] = steps[begins], about[begins]
        runs[_BEHIND] = self._left + self.store.waiting + np.append(begins[1:], len(new))
        self._last += len(begins)
        return self.store.enter(new)

    def ripe(self, spots: Spots) -> NDArray[np.bool_]:
        """Whose maturity is over."""
        return np.asarray(self._left + self.store.ages(spots) < self._ripe, dtype=np.bool_)

    def abouts(self, spots: Spots) -> Values:
        """The bucket that each row belongs to."""
        runs = self._runs[:, self._first : self._last]
        number = np.searchsorted(runs[_BEHIND], self._left + self.store.ages(spots), side="right")
        return np.asarray(runs[_ABOUT][number], dtype=np.int64)

    def due(self) -> int | None:
        """The next bucket in which a row leaves, or becomes ripe."""
        ends = [] if self._first == self._last else [self._end(self._first, self._span)]
        if self._maturity is not None and (run := self._run(self._ripe)) < self._last:
            ends.append(self._end(run, self._maturity))
        return min(ends, default=None)

    def ripening(self, step: int) -> Spots:
        """Those whose maturity is over in this step, and was not before: each row once, before it leaves."""
        begin = self._ripe
        if self._maturity is not None:
            self._ripe = self._behind(begin, step, self._maturity)
        return self.store.at(np.arange(begin - self._left, self._ripe - self._left))

    def leaving(self, step: int) -> Spots:
        """Those whose time is over in this step; none of them is gone before `leave`."""
        return self.store.at(np.arange(self._behind(self._left, step, self._span) - self._left))

    def leaving_at(self, step: int) -> tuple[Spots, Values]:
        """Those whose time is over in this step or before it, and when each leaves."""
        runs = self._runs[:, self._first : self._last]
        runs = runs[:, : np.searchsorted(runs[_STEP], step - self._span)]
        ends, behind = self._tiling.ends(runs[_STEP] + self._span), runs[_BEHIND] - self._left
        return self.store.at(np.arange(behind[-1] if len(behind) else 0)), np.repeat(ends, np.diff(behind, prepend=0))

    def leave(self, rows: int) -> None:
        """Drop so many of the oldest, whole runs."""
        if not rows:
            return
        self._left += rows
        self._ripe = max(self._ripe, self._left)
        self._first = self._run(self._left)
        self.store.leave(rows)

    def _behind(self, row: int, step: int, span: int) -> int:
        """From a row on, the first one whose span is not over in this step."""
        run = self._run(row)
        while run < self._last and self._end(run, span) <= step:
            row = int(self._runs[_BEHIND, run])
            run += 1
        return row

    def _run(self, row: int) -> int:
        """Which run a row is of, by how many there ever were before it."""
        return self._first + int(np.searchsorted(self._runs[_BEHIND, self._first : self._last], row, side="right"))

    def _end(self, run: int, span: int) -> int:
        return self._tiling.end(int(self._runs[_STEP, run]) + span)

    def _room(self, runs: int) -> None:
        if self._last + runs > self._runs.shape[1]:
            kept = self._runs[:, self._first : self._last]
            count = kept.shape[1]
            self._runs = np.zeros((3, max(_FIRST, 2 * (count + runs))), dtype=np.int64)
            self._runs[:, :count] = kept
            self._first, self._last = 0, count
