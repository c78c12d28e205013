"""Products of groups, outcomes and residuals over stretches of windows: of the baseline, and since every onset there may be."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import Case, Relation, Window

Floats = NDArray[np.float64]


class Stretch(NamedTuple):
    """Sums over windows that have outcomes; in the outcome's unit."""

    rows: float
    y: float
    yy: float
    r: float
    rr: float
    hh: Floats
    hy: Floats
    hr: Floats

    @property
    def spread(self) -> float:
        """The sum of squares of outcomes around their mean."""
        return self.yy - self.y**2 / self.rows

    @property
    def hp(self) -> Floats:
        """Products with predictions."""
        return self.hy - self.hr


class Relations:
    """What outcomes hang together with. Onsets count from the first monitored window; the ladder's are negative."""

    def __init__(self, case: Case) -> None:
        self.groups = case.groups
        firsts = np.cumsum([0, *(groups for _, groups in case.groups)]).tolist()
        #: Columns of each feature.
        self.columns = {name: np.arange(first, first + groups) for (name, groups), first in zip(case.groups, firsts, strict=False)}
        self.width = firsts[-1]
        self._case, self._windows = case, [*case.ladder, *case.monitored]
        self.first = -len(case.ladder)
        self.base = cache(self._base)
        self._suffixes = cache(self._made)

    @property
    def onsets(self) -> range:
        """All there may be: three windows must follow."""
        return range(self.first, len(self._case.monitored) - 3)

    def since(self, onset: int, *, inner: bool) -> Stretch | None:
        """Of the windows from one on; None where none has outcomes."""
        return self._suffixes(inner)[onset - self.first]

    def stretches(self, windows: int, *, inner: bool) -> list[Stretch]:
        """Of the baseline, so many windows after each other, beginning at every other one; of one window each."""
        of = self._case.baseline
        starts = range(0, max(1, len(of) - windows + 1), min(windows, 2))
        found = (self._summed(of[start : start + windows], inner) for start in starts)
        return [one for one in found if one is not None]

    def _base(self, inner: bool) -> Stretch | None:
        return self._summed(self._case.baseline, inner)

    def _made(self, inner: bool) -> list[Stretch | None]:
        found: list[Stretch | None] = []
        total: Stretch | None = None
        for window in reversed(self._windows):
            one = self._summed([window], inner)
            total = _added(total, one)
            found.append(total)
        return found[::-1]

    def _summed(self, windows: Sequence[Window], inner: bool) -> Stretch | None:
        total: Stretch | None = None
        for window in windows:
            own = None if window.outcomes is None else window.outcomes.inner if inner else window.outcomes.relation
            total = _added(total, self._stretch(own))
        return total

    def _stretch(self, own: Relation | None) -> Stretch | None:
        if own is None or own.rows <= 0 or own.hh.shape != (self.width, self.width):
            return None
        return Stretch(float(own.rows), own.y, own.yy, own.r, own.rr, own.hh, own.hy, own.hr)


def _added(one: Stretch | None, other: Stretch | None) -> Stretch | None:
    if one is None or other is None:
        return other if one is None else one
    return Stretch(
        one.rows + other.rows,
        one.y + other.y,
        one.yy + other.yy,
        one.r + other.r,
        one.rr + other.rr,
        one.hh + other.hh,
        one.hy + other.hy,
        one.hr + other.hr,
    )
