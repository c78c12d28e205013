"""A feature's values were re-expressed at their source: what is there now is an image of what was, under a map that no population makes."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.root_cause import Cause
from ...schemas.stored.reference import NumericProfile
from . import conversion, relabelling, rollout
from .finding import Map, Piece
from .groups import bin_of
from .growth import DISCRETE, grows
from .inquiry import FAULTY, Inquiry, sure
from .maps import LARGE, Fit, best, differs, distance, distances, fitted, recognised, scaling, settled, spread, varies
from .matrices import looked_at, quantiles_in
from .meaning import face
from .relations import Relations
from .shifts import Shift
from .statistics import Step, rounded

Floats = NDArray[np.float64]

#: Windows that quantiles are averaged over: the newest ones, of a slow change fewer; rows and windows that they need.
_MOST, _MOST_GRADUAL, _LEAST_ROWS, _LEAST = 12, 3, 30, 2
#: Times the error of the map, and in spreads, that values would be off if nothing had been done to them.
_MOVED, _MOVED_COARSE, _MOVED_LEAST = 3.0, 1.5, 0.1
#: Errors of quantiles of a feature of few values; what a logarithm that fits, and one that moved, come to.
_COARSE, _LOG_ERROR, _LOG_MOVED = 0.12, 0.02, 0.3
#: Of spreads: wider than by sampling; worth a word; enough to be a map if little else is; in logarithms, the least that a constant is.
_WIDER, _WIDER_WEAK, _WIDER_MAYBE, _OF_CONSTANT = 1.9, 1.12, 1.1, 0.3
#: Standard errors of a factor that sampling leaves of it.
_ERRORS = 2.0
#: Of its own shift, that another owner's feature must show to make it a population's.
_CROWD = 0.4
#: Times as far as in the baseline that a factor may vary from window to window, if nothing but it speaks for a map.
_STEADY = 2.0
#: Times what stretches of the baseline differ by, that quantiles may be off; the same of single windows.
_OF_OWN, _OF_ONE = 1.5, 2.0
#: Times that much, that a map with two numbers must have moved values.
_FARTHER = 4 / 3
#: Of spreads, what windows of the baseline are off by where values wander, as weather does: those of one population by up to .2.
_WANDERS = 0.25


class Told(NamedTuple):
    """How values were re-expressed, and why it was no population."""

    map: Map
    evidence: list[Piece]
    sureness: float


def look(inquiry: Inquiry, relations: Relations) -> None:
    """Of every feature that nothing has claimed and that comes in another unit, or shifts."""
    for name in inquiry.layout.names:
        numeric, faulty = inquiry.layout.of[name].numeric, inquiry.claimed.get(name) in FAULTY
        if numeric and not faulty and (unit := conversion.look(inquiry, name)) is not None:
            _found(inquiry, name, unit.step, unit.moved, Told(unit.map, unit.evidence, unit.sureness), gradual=False)
            continue
        shift = inquiry.shifts.get(name)
        if shift is None or faulty:
            continue
        told = _map(inquiry, relations, name, shift) if numeric else None
        if not numeric and (anew := relabelling.look(inquiry, relations, name, shift)) is not None:
            told = Told(*anew)
        gradual = False
        if told is None and numeric and (mixture := rollout.look(inquiry, name, shift)) is not None:
            told, gradual = Told(*mixture[:3]), not mixture.over
        if told is not None:
            moved = Piece("total_variation", shift.size, shift.threshold, name, shift.step.z)
            _found(inquiry, name, shift.step, moved, told, gradual=gradual)


def _found(inquiry: Inquiry, name: str, step: Step, moved: Piece, told: Told, *, gradual: bool) -> None:
    assert isinstance(moved.value, float)
    assert moved.threshold is not None
    known, deployed = inquiry.agree_known(name, step.onset), bool(inquiry.near(step.onset))
    cause: Cause = "feature_recalibration" if known or not deployed else "training_serving_skew"
    other: Cause = "training_serving_skew" if cause == "feature_recalibration" else "feature_recalibration"
    agreement = Piece("pairs_agree", "yes" if known else "unknown", None, name, role="for" if known else "against")
    inquiry.add(
        cause,
        (name,),
        replace(step, gradual=gradual or step.gradual),
        sure((moved.value, moved.threshold), besides=[told.sureness], missing=0 if known else 2),
        "rollout" if gradual else "map" if inquiry.layout.of[name].numeric else told.map.form,
        [moved, *told.evidence, agreement],
        missing={} if known else {"agreement": "whether values changed for everybody, or in serving alone"},
        awaits=None if known or cause == "training_serving_skew" else "agreement",
        alternatives=() if known else (other,),
        map_=told.map,
    )


def _map(inquiry: Inquiry, relations: Relations, name: str, shift: Shift) -> Told | None:
    """A simple map, if its error is small and something says that no population drifts so."""
    t, onset, gradual = inquiry.thresholds, shift.step.onset, shift.step.gradual
    since = inquiry.behind(onset, _MOST_GRADUAL if gradual else _MOST)
    now = quantiles_in([window for window in since if looked_at(window, inquiry.layout, name) > _LEAST_ROWS], inquiry.layout, name)
    before, old = inquiry.usual_quantiles(name)
    if len(now) < _LEAST or not len(before):
        return None
    wanders = distances(before, old, spread(old)).max() > _WANDERS
    atoms = 0.0 if wanders else new_atoms(inquiry, name, onset)
    coarsest = _COARSE if atoms > t.new_atoms else 0.0  # averaged quantiles of few values are coarse
    scale, own = scaling(old, now.mean(axis=0)), _OF_OWN * differs(before, old, len(now))
    scaled = scale.error <= max(t.map_error, own, coarsest) and abs(np.log(abs(scale.a) + 1e-12)) > 0.05
    if scaled and grows(inquiry, name, onset, old, scaling(old, now[-1]).a):
        inquiry.growing.add(name)
        return None
    now = settled(now, max(t.map_error, coarsest, _OF_ONE * differs(before, old, 1)))
    if len(now) < _LEAST:
        return None
    new = now.mean(axis=0)
    fit = best(fitted(old, new))
    limit = max(t.map_error * (t.map_affine if "affine" in fit.form else 1.0), own, coarsest)
    moved = distance(old, new, spread(new))
    if "affine" in fit.form and moved < _FARTHER * own:
        if wanders:
            inquiry.growing.add(name)
        return None  # stretches of the baseline do half of it, and a map with two numbers fits most of what they do
    coarse = limit > _MOVED_LEAST
    if fit.error > limit or moved < (_MOVED_COARSE if coarse else _MOVED) * fit.error or (moved < _MOVED_LEAST and atoms <= t.new_atoms):
        return None
    usual = varies(before, old)
    found = _Fitted(
        fit,
        moved,
        spread(new) / spread(old),
        _outside(inquiry, name, now),
        atoms,
        varies(now, old) <= _STEADY * usual,
        wanders,
        rounded(_ERRORS * usual / np.sqrt(len(now))),
    )
    return _judged(inquiry, relations, name, shift, found)


class _Fitted(NamedTuple):
    fit: Fit
    moved: float  #: without the map
    ratio: float  #: of spreads
    outside: float  #: of quantiles, outside what training saw
    atoms: float  #: of repeated values, new ones
    steady: bool  #: the same in all windows
    wanders: bool  #: the feature, from window to window where all is well: what it has not been yet is no news
    off: float  #: in logarithms, what sampling leaves of a factor


def _judged(inquiry: Inquiry, relations: Relations, name: str, shift: Shift, found: _Fitted) -> Told | None:
    t, onset, gradual, fit = inquiry.thresholds, shift.step.onset, shift.step.gradual, found.fit
    wider = abs(float(np.log(found.ratio)))
    by_chance = found.wanders and wider <= _too_wide(inquiry, found)  # where each window has a factor of its own, some are near a constant
    known = recognised(fit.a, t.constant, found.off) if fit.form == "scale" and not by_chance else None
    meaning = face(inquiry, relations, name, onset)
    near = inquiry.unclaimed(onset, name)
    alone, many_new = not near, found.atoms > t.new_atoms
    large = known is not None and abs(np.log(abs(fit.a))) > np.log(LARGE)  # smaller ones populations come to, too
    if 0 <= meaning < t.face and found.outside < 0.5 and not large and not many_new:
        return None  # values still mean what they meant: the population moved
    if _crowd(inquiry, name, shift, near) and not (large and fit.error < _LOG_ERROR) and found.outside < 0.9:
        return None  # features of other owners moved too
    exact = alone and not gradual and (many_new or (fit.error < t.map_exact and meaning > t.face_broken))
    reasons = _reasons(inquiry, name, found, known, exact)
    if alone and not gradual and fit.form == "scale" and fit.error < _LOG_ERROR and wider > np.log(_WIDER_MAYBE):
        inquiry.doubtful.add(name)
    told = Map(fit.form, rounded(fit.a), fit.b, known, 1.0, fit.error)
    error = Piece("map_error", fit.error, t.map_error, name)
    if (
        not reasons
        and meaning < 0
        and alone
        and not gradual
        and fit.form == "scale"
        and fit.error < t.map_weak
        and found.steady
        and wider > np.log(_WIDER_WEAK)
    ):
        return Told(told, [error, Piece("face", "nothing hangs together with it", None, name, role="against")], 0.5)
    strong = exact or known is not None or wider > _too_wide(inquiry, found) or (found.outside > t.outside and not found.wanders)
    slow = gradual and known is None and wider < np.log(t.spread_ratio)  # slow growth is the world, not a release
    if not (strong or len(reasons) >= 2) or slow:
        if found.wanders:
            inquiry.growing.add(name)
        return None
    sureness = min(0.97, 0.6 + 0.15 * len(reasons) + (0.1 if found.outside > 0.3 or known is not None else 0.0))
    evidence = [error, *reasons, *([Piece("face", meaning, t.face_broken, name)] if meaning >= 0 else [])]
    return Told(told, evidence, sureness)


def _too_wide(inquiry: Inquiry, found: _Fitted) -> float:
    """The logarithm of a ratio of spreads that no population has; of one that wanders from window to window the square is none yet."""
    return float(np.log(inquiry.thresholds.spread_ratio)) * (2 if found.wanders else 1)


def _reasons(inquiry: Inquiry, name: str, found: _Fitted, known: str | None, exact: bool) -> list[Piece]:
    """Why no population drifts so."""
    t, fit, wider, news = inquiry.thresholds, found.fit, abs(float(np.log(found.ratio))), not found.wanders
    broad = float(np.log(_WIDER)) if news else _too_wide(inquiry, found)
    possible = [
        (known is not None and wider > _OF_CONSTANT, Piece("recognised_constant", known, None, name)),
        (
            wider > broad,
            Piece("spread_ratio", rounded(found.ratio), t.spread_ratio, name),
        ),
        (news and found.outside > t.outside, Piece("quantiles_outside_training", rounded(found.outside), t.outside, name)),
        (
            news and fit.form in ("log1p", "expm1") and fit.error < _LOG_ERROR and found.moved > _LOG_MOVED,
            Piece("logarithm_fits", fit.error, _LOG_ERROR, name),
        ),
        (found.atoms > t.new_atoms, Piece("new_repeated_values", rounded(found.atoms), t.new_atoms, name)),
        (exact, Piece("exact_abrupt_alone", fit.error, t.map_exact, name)),
    ]
    return [piece for holds, piece in possible if holds]


def _crowd(inquiry: Inquiry, name: str, shift: Shift, near: list[str]) -> bool:
    """Whether features of other sources moved as much at that onset."""
    of = inquiry.layout.of
    return any(
        (of[other].source != of[name].source or of[name].source is None) and inquiry.shifts[other].size > _CROWD * shift.size
        for other in near
    )


def _outside(inquiry: Inquiry, name: str, now: Floats) -> float:
    profile = inquiry.layout.of[name].profile
    assert isinstance(profile, NumericProfile)
    edge = 1e-9 * max(abs(profile.minimum), abs(profile.maximum)) + _cell(inquiry, name, profile)
    return float(((now < profile.minimum - edge) | (now > profile.maximum + edge)).mean())


def _cell(inquiry: Inquiry, name: str, profile: NumericProfile) -> float:
    """The width of a magnitude's cell at the reference's largest value: a quantile within it may be off by so much."""
    return max(abs(profile.minimum), abs(profile.maximum)) / 2.0 ** inquiry.layout.of[name].mantissa


def new_atoms(inquiry: Inquiry, name: str, onset: int) -> float:
    """Of the values that come again and again those that training never repeated; 0 of a feature whose values do not."""
    own, profile = inquiry.layout.grouped[name], inquiry.layout.of[name].profile
    assert isinstance(profile, NumericProfile)
    if own.atoms_mass < DISCRETE:
        return 0.0
    rows: dict[float, int] = {}
    for window in inquiry.behind(onset):
        values = window.values.get(name)
        for value, count in ({} if values is None else values.repeated).items():
            rows[value] = rows.get(value, 0) + count
    rows.pop(0.0, None)  # no scale and no logarithm moves it
    known = sum(count for value, count in rows.items() if bin_of(profile, value) in own.atoms)
    total = sum(rows.values())
    return 0.0 if not total else (total - known) / total
