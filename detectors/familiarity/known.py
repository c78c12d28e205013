"""What is to be expected of known rows: how many of them are flagged, and how their flags hang together."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.familiarity import Cells
from ..profiling.dependence import Dependence
from .places import CELLS, counted

Flags = NDArray[np.uint8]
Rows = NDArray[np.int64]

#: The newest rows that are looked at one after the other: some 2 s.
MOST_FOLLOWED = 20_000
#: Of the dependence of flags at .05, at least, that of flags at .005.
_OF_RARE = 0.25
#: By flag, whether p <= .005, and whether p <= .05.
_INDICATORS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])


def cells(flags: Flags) -> Cells:
    """Calibration rows by flag.

    >>> cells(np.array([0, 2, 1, 0], np.uint8))
    (1, 1, 2)
    """
    far, unlike, familiar = counted(flags, np.zeros(0, dtype=np.uint8))[:CELLS].tolist()
    return far, unlike, familiar


def tau(flagged: Callable[[Rows], Flags], held_out: Rows, numbers: Rows, *, timed: bool, sample: int = 1) -> tuple[float, float]:
    """How many scored rows count as one independent row, of the flags at .005 and at .05: the most that is seen in two ways.

    Held-out rows, drawn from half of the data, show what is slow; of the newest rows of the data, one after the other, what is fast too.
    Flags at .005 are so few that they seldom show anything: theirs is at least a fourth of what there is at .05. (Where a rate p moves by
    a part v of it, tau - 1 goes as v^2 p / (1 - p); rare ones move by more: a fourth to an eighth was seen in seasons.)

    Parameters
    ----------
    flagged
        The flags of rows, by their places among the rows that are looked at.
    held_out
        The places of the calibration's rows, ascending.
    numbers
        By place, the row's number in the data.
    timed
        Whether the rows are in the order of time, and the calibration's are the newest; else other ones may be in the index.
    sample
        Rows of which one is scored.
    """
    far, unlike = dependence(flagged(held_out), numbers[held_out])
    if timed:
        newest = np.arange(held_out[0], held_out[-1] + 1)[-MOST_FOLLOWED:]
        far, unlike = np.maximum((far, unlike), dependence(flagged(newest), numbers[newest])).tolist()
    far = max(far, 1 + _OF_RARE * (unlike - 1))
    return 1 + (far - 1) / sample, 1 + (unlike - 1) / sample


def dependence(flags: Flags, rows: Rows) -> tuple[float, float]:
    """The same of these rows, whose numbers ascend, of which all others of the data were left out.

    Of a sum of autocorrelations, 1 + 2 sum r_j, rows of which one in k is looked at show 1 + 2 / k sum r_j. So what is above 1 is taken k
    times.

    >>> rows = np.arange(40_000)
    >>> bursts = np.repeat(np.random.default_rng(1).random(2_000) < 0.05, 20).astype(np.uint8)
    >>> [round(dependence(bursts[::step], rows[::step])[1]) for step in (1, 4)]
    [19, 16]
    """
    found = Dependence(_INDICATORS)
    found.add(flags.astype(np.int64))
    spacing = (int(rows[-1]) - int(rows[0])) / (len(rows) - 1) if len(rows) > 1 else 1.0
    far, unlike = (1 + (found.tau() - 1) * max(spacing, 1.0)).tolist()
    return far, unlike
