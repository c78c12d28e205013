"""Values by magnitude, summed over windows: which cells they are in, and which of these others have not."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..counting.magnitudes import bounds_of, cells_of
from .evidence import Window
from .inquiry import Inquiry

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LARGEST = float(np.finfo(np.float64).max)
#: Cells among so many are counted by their places.
_TOGETHER = 1 << 14


class Distribution(NamedTuple):
    """Of values by magnitude."""

    cells: Integers  #: ascending
    rows: Floats  #: in each
    mantissa: int

    @property
    def behind(self) -> tuple[Floats, Floats]:
        """The upper ends of the cells, and the share of rows up to each."""
        return bounds_of(self.cells, self.mantissa)[1], np.cumsum(self.rows) / self.rows.sum()

    def image(self, of: Callable[[Floats], Floats]) -> "Distribution":
        """As a map leaves it, cell by cell."""
        least, most = bounds_of(self.cells, self.mantissa)
        nearest = np.where(np.abs(least) < np.abs(most), least, most)  # to 0: a number of few digits is there
        with np.errstate(over="ignore"):
            images = np.clip(of(nearest), -_LARGEST, _LARGEST)
        return Distribution(cells_of(images, self.mantissa), self.rows, self.mantissa)

    def unlike(self, *others: "Distribution") -> float:
        """The share of rows in cells that none of the others has."""
        return float(self.rows[~np.isin(self.cells, np.concatenate([other.cells for other in others]))].sum() / self.rows.sum())


def distribution(inquiry: Inquiry, windows: Sequence[Window], name: str) -> Distribution | None:
    """Of several windows; None where nothing was looked at."""
    parts = [values.magnitudes for window in windows if (values := window.values.get(name)) is not None and values.magnitudes is not None]
    if not sum(int(one.rows.sum()) for one in parts):
        return None
    cells, rows = _summed(np.concatenate([one.cells for one in parts]), np.concatenate([one.rows for one in parts]))
    return Distribution(cells, rows, inquiry.layout.of[name].mantissa)


def _summed(cells: Integers, rows: Integers) -> tuple[Integers, Floats]:
    """Each cell once, ascending, with all of its rows. Values of one sign have cells that lie together."""
    least = int(cells.min())
    if int(cells.max()) - least < _TOGETHER:
        found = np.bincount(cells - least, weights=rows.astype(np.float64))
        there = np.flatnonzero(found)
        return (there + least).astype(np.int64), found[there].astype(np.float64)
    each, place = np.unique(cells, return_inverse=True)
    return each, np.asarray(np.bincount(place, weights=rows.astype(np.float64)), dtype=np.float64)
