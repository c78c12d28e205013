"""How long outcomes take to become known: counts of rows by the delay of their first one, that add up over steps and partitions.

Bins are those of `grid`, in ms, from about a second to about two years: what is less is in the first, what is more in the last.
"""

import numpy as np
from numpy.typing import NDArray

from .grid import ENDS, PARTS, bins_on_grid
from .values import Integers

#: Less than 2^10 ms is no delay; 2^36 ms are 2.2 years.
_LEAST, _MOST = 10, 36
#: Of the grid, the bin that is the first here.
_BEFORE = _LEAST * PARTS
#: The first one, those of 26 powers of two, and the last.
DELAY_BINS = 2 + (_MOST - _LEAST) * PARTS
#: Where each begins and ends; the last has no end.
_BEGINS = np.concatenate(([0.0], ENDS[_BEFORE : _BEFORE + DELAY_BINS - 1]))
_ENDS = np.append(_BEGINS[1:], np.inf)


def bins_of(delays: Integers) -> Integers:
    """The bin of every delay in ms; those that are negative have none.

    >>> bins_of(np.array([-5, 0, 1_023, 1_024, 60_000, 3_600_000, 2**62])).tolist()
    [0, 0, 0, 1, 47, 94, 209]
    """
    return np.clip(bins_on_grid(delays) - _BEFORE, 0, DELAY_BINS - 1)


def quantile(counts: NDArray[np.int64], share: float) -> int | None:
    """The delay within which so large a share of the rows came, in ms, interpolated in its bin; None without rows.

    A bin is 7 to 13 % wide, so that a median is off by at most 6.3 %. No delay is 0; of the last bin it is known where it begins.

    >>> quantile(np.bincount(bins_of(np.arange(0, 200_000, 100))), 0.5)
    99922
    """
    place, within = _found(counts, share)
    if place is None:
        return None
    if place in (0, DELAY_BINS - 1):
        return round(float(_BEGINS[place]))
    return round(float(_BEGINS[place] + within * (_ENDS[place] - _BEGINS[place])))


def covering(counts: NDArray[np.int64], share: float) -> int | None:
    """A delay in ms that is longer than those of so large a share of the rows: where the bin ends; None without rows, or in the last bin.

    >>> covering(np.bincount(bins_of(np.arange(0, 200_000, 100))), 0.99)
    212992
    """
    place, _ = _found(counts, share)
    return None if place is None or place == DELAY_BINS - 1 else int(_ENDS[place])


def _found(counts: NDArray[np.int64], share: float) -> tuple[int | None, float]:
    """The bin in which the share is reached, and how far in it."""
    behind = np.cumsum(counts)
    if not len(behind) or behind[-1] <= 0:
        return None, 0.0
    wanted = max(share * float(behind[-1]), 1.0)  # the first row, at least
    place = min(int(np.searchsorted(behind, wanted)), len(behind) - 1)
    return place, (wanted - float(behind[place] - counts[place])) / float(counts[place])
