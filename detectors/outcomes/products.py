"""Groups of features against each other, against outcomes and against residuals: what says which inputs errors hang together with."""

from typing import NamedTuple

import numpy as np

from .layout import INNER, LIMB, Layout
from .target import Target
from .values import Integers, Rows

#: Of a row's flags: it was scored, and lies within the reference's distribution.
WITHIN = 1
#: Rows at a time: their pairs of groups stay in the cache.
_BLOCK = 256


class Measured(NamedTuple):
    """Rows' outcomes and residuals in fixed point: (n,), (n, T), (n, T). Zeros where there is none."""

    there: Integers  #: 0 or 1
    y: Integers
    r: Integers

    def of(self, rows: Integers) -> "Measured":
        """Of some of the rows."""
        return Measured(self.there[rows], self.y[rows], self.r[rows])


class Products:
    """Adds what a change of rows' outcomes changes in the sums that have rows' groups in them."""

    def __init__(self, layout: Layout) -> None:
        self._sections, self._targets = layout.sections, np.arange(layout.targets)
        sizes = np.array([feature.groups for feature in layout.basis.features], dtype=np.int64)
        self._sizes, self._first = sizes, np.cumsum(sizes) - sizes
        # Where a column's part of the upper triangle begins, less the column itself.
        column = np.arange(layout.groups)
        self._triangle = column * layout.groups - column * (column + 1) // 2
        self._pairs_of = np.triu_indices(len(sizes))
        self._inner = layout.basis.inner

    def add(self, target: Target, rows: Rows, was: Measured, now: Measured) -> None:
        """Of rows whose outcomes were these and now are those."""
        self._part("", target, rows, was, now)
        if self._inner:
            within = np.flatnonzero(rows["flags"] & WITHIN)
            self._part(INNER, target.of(within), rows[within], was.of(within), now.of(within))

    def _part(self, part: str, target: Target, rows: Rows, was: Measured, now: Measured) -> None:
        start = {name: self._sections[part + name].start for name in ("rows", "y", "yy", "r", "rr", "hh", "hy", "hr")}
        change = now.there - was.there
        target.add_to(start["rows"], change)
        for name, before, after in (("y", was.y, now.y), ("r", was.r, now.r)):
            high, low = _limbs(after)
            high_before, low_before = _limbs(before)
            for place in self._targets.tolist():
                target.add_to(start[name] + place, after[:, place] - before[:, place])
                target.add_to(start[2 * name] + 2 * place, high[:, place] - high_before[:, place])
                target.add_to(start[2 * name] + 2 * place + 1, low[:, place] - low_before[:, place])
        if not len(self._sizes):
            return
        for at in range(0, len(rows), _BLOCK):
            block = np.arange(at, min(at + _BLOCK, len(rows)))
            columns, absent = self._columns(rows[block])
            for name, moved in (("hy", now.y[block] - was.y[block]), ("hr", now.r[block] - was.r[block])):
                places = start[name] + columns[:, :, None] * len(self._targets) + self._targets
                target.of(block).add(np.where(absent[:, :, None], -1, places), moved[:, None, :])
            changed = np.flatnonzero(change[block])  # a corrected label leaves the row's groups where they are
            self._pairs(start["hh"], target.of(block[changed]), columns[changed], absent[changed], change[block[changed]])

    def _pairs(
        self, start: int, target: Target, columns: Integers, absent: np.ndarray[tuple[int, int], np.dtype[np.bool_]], by: Integers
    ) -> None:
        one, other = self._pairs_of
        places = np.take(start + self._triangle[columns], one, axis=1) + np.take(columns, other, axis=1)
        if absent.any():
            places[np.take(absent, one, axis=1) | np.take(absent, other, axis=1)] = -1
        target.add(places, by[:, None])

    def _columns(self, rows: Rows) -> tuple[Integers, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
        """Every row's column of each feature, and where it has none."""
        codes = rows["bins"][:, : len(self._sizes)].astype(np.int64)
        absent = codes >= self._sizes
        return np.where(absent, 0, codes) + self._first, absent


def _limbs(values: Integers) -> tuple[Integers, Integers]:
    found = values * values
    return found >> LIMB, found & ((1 << LIMB) - 1)
