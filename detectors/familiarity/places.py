"""Where the numbers of a subject stand in a pane of kind `ood`: the same for every field, and for rows."""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

#: What a row may be flagged as: p > .05, p <= .05, p <= .005, and nothing to score.
FAMILIAR, UNLIKE, FAR, NOTHING = range(4)
#: Of a row that is not in the sample.
UNSCORED = 255
#: What is known of a row that was scored exactly: not p <= .2, p <= .2, p <= .01. Others were not looked at.
CORE, OUTSIDE, OUTLIER = range(3)
#: The first numbers, which are tested: rows with p <= .005, with .005 < p <= .05, with p > .05.
CELLS = 3
#: Behind these: rows with nothing to score; rows that were looked at exactly, of these those with p <= .2, and with p <= .01.
WIDTH = CELLS + 4

_PLACE_OF = np.array([2, 1, 0, 3])


def counted(flags: NDArray[np.uint8], looked: NDArray[np.uint8]) -> Counts:
    """The numbers of one subject.

    Parameters
    ----------
    flags
        Of every row, `FAMILIAR` to `NOTHING`, or `UNSCORED`.
    looked
        Of every row, `CORE` to `OUTLIER`, or `UNSCORED`.

    >>> counted(np.array([0, 2, 1, 3, 255], np.uint8), np.array([0, 2, 1, 255, 255], np.uint8)).tolist()
    [1, 1, 1, 1, 3, 2, 1]
    """
    found = np.zeros(WIDTH, dtype=np.int64)
    found[_PLACE_OF] = np.bincount(flags[flags != UNSCORED], minlength=4)
    exact = np.bincount(looked[looked != UNSCORED], minlength=3)
    found[CELLS + 1 :] = exact.sum(), exact[OUTSIDE:].sum(), exact[OUTLIER]
    return found
