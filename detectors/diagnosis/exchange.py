"""Columns that took each other's place: among features that shift with one onset, each one's quantiles are another's of old."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from .finding import Piece
from .inquiry import Inquiry
from .maps import distance, mixed, spread
from .matrices import quantiles_of
from .statistics import confidence, rounded

Floats = NDArray[np.float64]

#: Features that are compared with each other, those that shift most: time grows with the square.
MOST_FEATURES = 24
#: Windows that quantiles are averaged over; those without which there are none.
_MOST, _LEAST, _LEAST_BASELINE = 12, 2, 4
#: Shares of rows at which mixtures are tried; by how much one must fit better than whole columns.
_SHARES, _BETTER = np.arange(0.15, 1.0, 0.05).round(2), 0.01
#: Times the error of the exchange, which leaving a column in its place must be worse.
_WORSE = 3.0
#: How far from the share that the means say mixtures are tried: quantiles have no tails.
_NEAR = 0.2
_FAR = 9.0


def look(inquiry: Inquiry) -> None:
    """Closed cycles only: every feature named gives and takes."""
    old, new, onsets = _quantiles(inquiry)
    names = sorted(new)
    if len(names) < 2:
        return
    fits = {
        (name, other): _fit(new[name], old[name], old[other])
        for name in names
        for other in names
        if name != other and abs(onsets[name] - onsets[other]) <= 1
    }
    errors = np.array([[fits.get((name, other), (_FAR, 1.0))[0] for other in names] for name in names])
    t = inquiry.thresholds
    takes: dict[str, str] = {}
    for row, column in zip(*linear_sum_assignment(errors), strict=True):
        name, other, error = names[row], names[column], float(errors[row, column])
        left = distance(new[name], old[name], spread(old[other]))
        if error < t.map_error and left > _WORSE * error and fits[name, other][1] >= t.exchanged_share:
            takes[name] = other
    takes = _closed(takes)
    if len(takes) >= 2:
        _told(inquiry, takes, max(fits[pair][0] for pair in takes.items()), min(fits[pair][1] for pair in takes.items()))


def _quantiles(inquiry: Inquiry) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, int]]:
    old, new, onsets = {}, {}, {}
    largest = sorted(inquiry.shifts.items(), key=lambda item: (-item[1].size, item[0]))
    for name, shift in [item for item in largest if inquiry.layout.of[item[0]].numeric][:MOST_FEATURES]:
        since = [
            one for window in inquiry.behind(shift.step.onset, _MOST) if (one := quantiles_of(window, inquiry.layout, name)) is not None
        ]
        before = [one for window in inquiry.case.baseline if (one := quantiles_of(window, inquiry.layout, name)) is not None]
        if len(since) >= _LEAST and len(before) >= _LEAST_BASELINE:
            old[name], new[name], onsets[name] = np.mean(before, axis=0), np.mean(since, axis=0), shift.step.onset
    return old, new, onsets


def _fit(new: Floats, own: Floats, other: Floats) -> tuple[float, float]:
    """The error, and the share of rows, with which these are another feature's values, or a mixture of them with its own."""
    found = distance(new, other, spread(other)), 1.0
    apart = float(other.mean() - own.mean())
    moved = float(new.mean() - own.mean()) / apart if apart else 0.0  # a mixture's mean lies between, by its share
    for share in _SHARES[np.abs(_SHARES - moved) < _NEAR].tolist():
        mixture = mixed(own, other, share)
        error = distance(new, mixture, spread(mixture))
        if error < found[0] - _BETTER:
            found = error, share
    return rounded(found[0]), found[1]


def _closed(takes: dict[str, str]) -> dict[str, str]:
    while True:
        given = set(takes.values())
        kept = {name: other for name, other in takes.items() if other in takes and name in given}
        if len(kept) == len(takes):
            return kept
        takes = kept


def _told(inquiry: Inquiry, takes: dict[str, str], error: float, share: float) -> None:
    t, names = inquiry.thresholds, list(takes)
    step = inquiry.shifts[names[0]].step
    known = all(inquiry.agree_known(name, step.onset) for name in names)
    mismatches = [one for name in names if (one := inquiry.mismatch(name)) is not None and one.level > t.skew]
    agree = known and not mismatches
    inquiry.add(
        "feature_recalibration" if agree else "training_serving_skew",
        names,
        step,
        confidence(max(0.5, 1 - error / (2 * t.map_error)), 0.95, missing=int(not known)),
        "columns_exchanged",
        [
            Piece("exchanged_quantile_error", error, t.map_error),
            Piece("share_of_rows", share, t.exchanged_share),
            Piece("pairs_agree", "yes" if agree else "no" if known else "unknown", role="for" if agree or mismatches else "against"),
        ],
        missing={} if known else {"agreement": "whether the exchange is in serving alone, or at the source for everybody"},
        awaits=None if known or inquiry.near(step.onset) else "agreement",
        alternatives=() if known else ("feature_recalibration",),
        exchanged=dict(takes),
    )
