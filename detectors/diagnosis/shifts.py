"""How far a feature's distribution is from what it was, beside how far stretches of the baseline are from each other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .statistics import Step, rounded, shares, total_variation
from .thresholds import Thresholds

Floats = NDArray[np.float64]

#: Windows that a change's size is taken from: the newest ones since its onset.
NEWEST = 8
#: Rows without which a feature's distribution is not compared.
_LEAST_ROWS = 100
#: Total variation that sampling comes to, in sqrt(groups / rows), and besides.
_SAMPLING, _BESIDES = 0.8, 0.02


class Shift(NamedTuple):
    """A feature's distribution changed, and stayed."""

    step: Step
    size: float  #: total variation
    threshold: float
    now: Floats  #: rows by group, of the newest windows since the onset
    usual: Floats  #: of the baseline


class Series(NamedTuple):
    """What is looked for steps in, [series, windows], of the baseline and now, and by how much each varies at least."""

    base: Floats
    now: Floats
    floors: list[float]


def compared(base: Floats, now: Floats, step: Step, t: Thresholds) -> Shift | None:
    """Of one feature's groups [windows, K], since an onset; None where there are too few rows."""
    base, since = base[base.sum(axis=1) > 0], now[step.onset :]
    newest, usual = since[-NEWEST:].sum(axis=0), base.sum(axis=0)
    if now.sum() < _LEAST_ROWS or usual.sum() <= 0 or newest.sum() <= 0:
        return None
    length = max(1, min(NEWEST, len(since), len(base) // 2))
    sums = np.concatenate((np.zeros((1, base.shape[1])), np.cumsum(base, axis=0)))
    places = np.arange(0, len(base) - length + 1, 2)
    blocks = sums[places + length] - sums[places]
    own = 0.5 * np.abs(shares(blocks) - shares(usual - blocks)).sum(axis=1).max() if len(places) and len(base) > length else 0.0
    noise = _SAMPLING * np.sqrt(len(usual) / newest.sum()) + _BESIDES
    return Shift(step, rounded(total_variation(newest, usual)), rounded(max(t.shift, t.shift_blocks * own, noise)), newest, usual)
