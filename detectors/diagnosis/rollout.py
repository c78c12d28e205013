"""A release on its way: a part of the rows has new values, (1 - w) F(x) + w F(x / a), for a recognised constant or a logarithm."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..neighbours.cures import excess
from .cells import Distribution, distribution
from .finding import Map, Piece
from .inquiry import Inquiry
from .maps import CONSTANTS
from .shifts import Shift
from .statistics import rounded

Floats = NDArray[np.float64]

#: Windows that are looked at: of a slow change the newest alone.
_MOST, _MOST_GRADUAL = 10, 4
#: Factors that mixtures are looked for with: of smaller ones old and new lie too near to each other.
_LEAST_FACTOR = 3.5
#: How far apart old and new must lie, as the largest distance of their distribution functions.
_APART = 0.6
#: The residual of the mixture: in sampling errors, and of its share; the share in sampling errors; above it all rows are new.
_RESIDUAL, _RESIDUAL_OF_SHARE, _SHARE, _ALL = 1.2, 0.1, 4.0, 0.97
#: Of the new outliers, those that masking the feature must cure: else they are new in more than it.
_CURED = 0.5
SURENESS = 0.85
#: Of the new values that a map makes of few, by the share of rows, those that must be there.
_OF_ANEW = 0.5


class Mixture(NamedTuple):
    """Of old and new values."""

    map: Map
    evidence: list[Piece]
    sureness: float
    over: bool  #: by now all values are new


def look(inquiry: Inquiry, name: str, shift: Shift) -> Mixture | None:
    """The mixture that fits best, if it does."""
    since = inquiry.behind(shift.step.onset, _MOST_GRADUAL if shift.step.gradual else _MOST)
    if not _cures(inquiry, name, shift.step.onset):
        return None
    old, new = distribution(inquiry, inquiry.case.baseline, name), distribution(inquiry, since, name)
    if old is None or new is None:
        return None
    (places, behind), (now, reached), rows = old.behind, new.behind, float(new.rows.sum())

    def at(values: Floats) -> Floats:
        return np.interp(values, places, behind, left=0.0, right=1.0)

    change, maps = reached - at(now), _maps(positive=bool(places[0] >= 0))
    with np.errstate(over="ignore"):
        apart = at(np.array([back(now) for _, _, back in maps])) - at(now)
    shares = _projected(change, apart)
    residuals = np.abs(change - shares[:, None] * apart).max(axis=1).round(6)
    possible = np.flatnonzero(np.abs(apart).max(axis=1) >= _APART)
    if not len(possible):
        return None
    best = possible[residuals[possible].argmin()]
    (constant, factor, back), share, residual = maps[best], float(shares[best]), float(residuals[best])
    noise = _RESIDUAL / np.sqrt(rows)
    if not (inquiry.thresholds.rollout < share < _ALL and share > _SHARE * noise and residual < max(noise, _RESIDUAL_OF_SHARE * share)):
        return None
    if new.unlike(old) < _OF_ANEW * share * old.image(np.log1p if factor is None else lambda values: values * factor).unlike(old):
        return None  # the map would have made values that nobody has seen
    newest = distribution(inquiry, since[-1:], name)
    over = newest is not None and _share(newest, at, back) > _ALL  # of the windows before, one held old and new values
    share = 1.0 if over else share
    found = Map("log1p" if factor is None else "scale", 1.0 if factor is None else factor, 0.0, constant, round(share, 6), residual)
    return Mixture(
        found,
        [
            Piece("share_of_rows", round(share, 6), inquiry.thresholds.rollout, name),
            Piece("mixture_residual", residual, rounded(noise), name),
        ],
        SURENESS,
        over,
    )


def _projected(change: Floats, apart: Floats) -> Floats:
    """How much of each [maps, values] the change is; 0 of what moves nothing."""
    square = (apart * apart).sum(axis=-1)
    return np.asarray(np.where(square > 0, (change * apart).sum(axis=-1) / np.where(square > 0, square, 1.0), 0.0), dtype=np.float64)


def _share(of: "Distribution", at: Callable[[Floats], Floats], back: Callable[[Floats], Floats]) -> float:
    """Rows with new values, of a distribution; ``at``: the old one's shares up to values."""
    places, reached = of.behind
    usual = at(places)
    with np.errstate(over="ignore"):
        apart = at(back(places)) - usual
    return float(_projected(reached - usual, apart))


def _maps(*, positive: bool) -> list[tuple[str, float | None, Callable[[Floats], Floats]]]:
    """Each with what undoes it."""

    def by(factor: float) -> Callable[[Floats], Floats]:
        return lambda values: values / factor

    found: list[tuple[str, float | None, Callable[[Floats], Floats]]] = []
    for known, text in CONSTANTS.items():
        if known > _LEAST_FACTOR:
            found += [(text, known, by(known)), (f"1 / {text.removeprefix('x ')}", 1 / known, by(1 / known))]
    return [*found, *([("log1p", None, np.expm1)] if positive else [])]


def _cures(inquiry: Inquiry, name: str, onset: int) -> bool:
    """Whether outliers, if there are more since then, are familiar without this feature."""
    since = inquiry.since(onset)
    compared, outliers, masked = (sum(getattr(one, part) for one in since) for part in ("scored", "outliers", "masked"))
    level, usual = inquiry.usual_outliers
    rate = outliers / max(compared, 1)
    if rate - level < inquiry.thresholds.novelty or not masked:
        return True
    cured = sum(window.cured.get(name, 0) for window in since) / masked
    return excess(cured, usual.get(name, 0.0), rate=rate, level=level) >= _CURED
