"""A feature that grows, as prices do, until it stays: it looks like a release, but for what lies on the way."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .cells import Distribution, distribution
from .evidence import Window
from .inquiry import Inquiry
from .maps import distance, distances, mixed, spread
from .matrices import INNER, quantiles_of
from .statistics import rounded

Floats = NDArray[np.float64]

#: Repeated values that make a feature one of few values.
DISCRETE = 0.4
#: Of the way to a factor, on which a growing one is seen.
_WAY = 0.2, 0.7
#: Of a growing feature of few values, rows whose values are neither the old nor the newest ones: at least so many, and so many times as
#: many as one of the newest windows has by sampling alone; how many these are.
_PASSING, _TIMES_SAMPLED, _NEWEST = 0.06, 3.0, 3
#: Shares of new values, of mixtures that are tried in the place of growth.
_MIXTURES = np.arange(0.1, 1.0, 0.1).round(1).tolist()


def grows(inquiry: Inquiry, name: str, onset: int, old: Floats, factor: float) -> bool:
    """Whether, on the way, whole distributions lie between: a factor that grows; not a mixture of old and new, a roll-out."""
    if _passes(inquiry, name, onset):
        return True
    growth, mixtures = [], []
    square = float(old[INNER] @ old[INNER])
    if factor <= 0 or square <= 0:
        return False
    for window in inquiry.case.monitored[max(0, onset - 1) :]:
        now = quantiles_of(window, inquiry.layout, name)
        if now is None:
            continue
        own = float(now[INNER] @ old[INNER]) / square
        if _WAY[0] < np.log(max(own, 1e-9)) / np.log(factor) < _WAY[1]:
            growth.append(distance(now, own * old, spread(now)))
            mixtures.append(float(distances(mixed(old, factor * old, _MIXTURES), now, spread(now)).min()))
    return len(growth) >= 2 and rounded(float(np.median(growth))) < rounded(float(np.median(mixtures)))


def _passes(inquiry: Inquiry, name: str, onset: int) -> bool:
    """Whether a feature of few values had, on the way, such as it neither had before nor has now: of no release, whatever the share."""
    windows = inquiry.case.monitored[onset:]
    old, last = distribution(inquiry, inquiry.case.baseline, name), windows[-_NEWEST:]
    new = distribution(inquiry, last, name)
    if inquiry.layout.grouped[name].atoms_mass < DISCRETE or old is None or new is None:
        return False

    def strange(window: Window, known: Sequence[Distribution]) -> float:
        found = distribution(inquiry, [window], name)
        return 0.0 if found is None else found.unlike(*known)

    sampled = 0.0
    for place, own in enumerate(last):
        rest = distribution(inquiry, [*last[:place], *last[place + 1 :]], name)
        sampled = max(sampled, 0.0 if rest is None else strange(own, [old, rest]))
    passing = sorted(strange(window, [old, new]) for window in windows[:-_NEWEST])
    return len(passing) > 1 and passing[-2] > max(_PASSING, _TIMES_SAMPLED * sampled)
