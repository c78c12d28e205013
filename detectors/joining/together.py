"""Steps that may be taken at once, because nothing in one of them has to do with anything in another: to the byte as one by one."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .groups import Ids
from .rows import Values

#: No time is this late.
_NEVER = 1 << 62


class Meetings(NamedTuple):
    """Of one id at two different times: the earlier, and the later, each of shape (n,)."""

    earlier: Values
    later: Values


def meetings(hi: Ids, lo: Ids, times: Values) -> Meetings:
    """Where ids come, or leave, at more than one time: every time with the next one of the same id.

    >>> ids = np.array([5, 6, 5, 6, 5], dtype=np.uint64)
    >>> [times.tolist() for times in meetings(ids, ids, np.array([10, 10, 10, 20, 30]))]
    [[10, 10], [30, 20]]
    """
    order = np.lexsort((times, lo, hi))
    hi, lo, times = hi[order], lo[order], times[order]
    again = np.flatnonzero((hi[1:] == hi[:-1]) & (lo[1:] == lo[:-1]) & (times[1:] != times[:-1]))
    return Meetings(times[again], times[again + 1])


def together(ends: Sequence[int], behind: int, last: int, found: Meetings) -> int:
    """How many of the steps, one at least: none later than ``last``, and no id at two times, but for those up to ``behind``."""
    limit = int(found.later[found.earlier > behind].min(initial=_NEVER))
    return max(1, bisect_right(ends, min(last, limit - 1)))
