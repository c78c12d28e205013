"""A feature that comes in another unit: values that were never so, and undone are as ever.

A conversion has no number that is fitted: what weather or a season does to values meanwhile cannot hide it, as it hides fitted maps. A
conversion by a factor alone is found as any other factor; here are those that shift zero, too.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .finding import Map, Piece
from .inquiry import Inquiry
from .maps import CONVERSIONS, distance, distances, scaling, spread
from .matrices import quantiles_of
from .statistics import Step, rounded

Floats = NDArray[np.float64]

#: Windows that must be so, and windows of the baseline.
_LEAST, _LEAST_BASELINE = 2, 4
#: Of how far values are from what they were, how far they may be from that in the other unit; and of how far from its factor alone.
_NEARER, _NOT_THE_FACTOR = 1 / 3, 1 / 2
#: Times as far from it as from the best of all factors: a factor has one number to fit, and what values do meanwhile may be fitted with it.
_THAN_A_FACTOR = 2.0
#: Of how far values are, that of the window before: a season that goes on has led there.
_LED = 0.5
#: How certain it is.
_SURENESS = 0.95


class Converted(NamedTuple):
    """Since when, and by which map."""

    step: Step
    moved: Piece
    map: Map
    evidence: list[Piece]
    sureness: float = _SURENESS


def look(inquiry: Inquiry, name: str) -> Converted | None:
    """Of the newest windows, those that a conversion explains; the one before them must be as usual: nothing led there."""
    layout, case = inquiry.layout, inquiry.case
    now = [quantiles_of(window, layout, name) for window in case.monitored]
    before, old = inquiry.usual_quantiles(name)
    if len(before) < _LEAST_BASELINE or not now or now[-1] is None:
        return None
    unit = spread(old)
    usual = float(distances(before, old, unit).max())
    if distance(now[-1], old, unit) <= usual:
        return None
    for called, (a, b) in CONVERSIONS.items():
        onset = len(now)
        while onset and (one := now[onset - 1]) is not None and _explained(one, old, a, b, usual):
            onset -= 1
        if len(now) - onset < _LEAST:
            continue
        moved, error = (
            rounded(float(np.mean([distance(one, of, unit) for one in now[onset:] if one is not None]))) for of in (old, a * old + b)
        )
        began = _as_usual(now[max(0, onset - 2) : onset], old, min(usual, _LED * moved)) if onset else _spread_by(now, unit, a)
        if not began:
            continue
        evidence = [Piece("recognised_constant", called, None, name), Piece("map_error", error, rounded(moved * _NEARER), name)]
        step = Step(inquiry.thresholds.z, moved, 0.0, onset)
        piece = Piece("quantiles_moved", moved, rounded(usual), name)
        return Converted(step, piece, Map("affine", rounded(a), rounded(b), called, 1.0, error), evidence)
    return None


def _explained(now: Floats, old: Floats, a: float, b: float, usual: float) -> bool:
    """Whether values are what no window of the baseline was, undone what they were, and near the conversion as by nothing else."""
    unit = spread(old)
    moved, undone = distance(now, old, unit), distance((now - b) / a, old, unit)
    left = distance(now, a * old + b, unit)
    if moved <= usual or undone > usual or left >= _NEARER * moved:
        return False
    factor = scaling(old, now)
    return left < min(_NOT_THE_FACTOR * distance(now, a * old, unit), _THAN_A_FACTOR * distance(now, factor.a * old, unit))


def _spread_by(windows: list[Floats | None], unit: float, a: float) -> bool:
    """Of windows all of which it explains, so that nobody sees it begin: whether they are as wide as it makes them. A season is not."""
    wider = float(np.mean([spread(one) for one in windows if one is not None])) / unit
    return bool(abs(np.log(wider / abs(a))) < abs(np.log(wider)))


def _as_usual(windows: list[Floats | None], old: Floats, usual: float) -> bool:
    """Whether one of them is: in the window of the onset itself both may be mixed."""
    return any(one is not None and distance(one, old, spread(old)) <= usual for one in windows)
