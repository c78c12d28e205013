"""Equal inputs come to have other outcomes: feature drift; or the model's answers fit the same world worse: a broken model.

Residuals by groups of features, since every onset there may be, less what they were in the baseline: forward selection of the features
whose groups explain them. Where the model's input or the model itself is at fault, outcomes take the residuals' place, which need no model.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from .evidence import Window
from .finding import PIPELINE, Finding, Piece
from .inquiry import FAULTY, Inquiry
from .relations import Relations, Stretch
from .statistics import Step, confidence, rounded, strength

Floats = NDArray[np.float64]
Side = Literal["hr", "hy", "hp"]

#: Windows between what began together: a model that is wrong, and what else moved.
_WITH = 3
#: Outcomes since the onset, and windows with labels, without which nothing is said.
_LEAST_ROWS, _LEAST_WINDOWS = 400, 4
#: Of an effect, what a window must show of it.
_SHOWS = 0.5
#: Of all rows, those that are no outliers.
_LEAST_INNER = 0.4
#: Features named at most, and of the first one's effect, what a further one must have.
_MOST, _FURTHER = 4, 0.25
#: Times the threshold: of outcomes, which are noisier than residuals; with novelty, of outcomes (which new rows that are no outliers have,
#: whatever the model makes of them) and of residuals; with drift, of outcomes and of residuals, by feature.
_OUTCOMES, _NOVELTY_OUTCOMES, _NOVELTY, _DRIFT_OUTCOMES, _DRIFT_OF_IT, _DRIFT = 1.5, 10.0, 4.0, 6.0, 4.0, 2.2
#: The statistic of a feature's groups below which a screen passes by: with five groups chance exceeds it once in a million.
_SCREENED = 25.0
#: By what outcomes moved more than predictions, or these more than those; in what sampling comes to.
_APART, _NOISES = 3.0, 2.0
#: Of the variance of outcomes, a change of them that is none.
_LEAST_WORLD = 1e-6
#: What stands for z, where p values decide.
_CERTAIN = 9.0
#: Ridges: of all features' groups together, which are collinear; of the world's, in parts of the rows.
_RIDGE, _RIDGE_OF_ROWS, _RIDGE_OF_WORLD = 1.0, 1e-5, 1e-5


class Candidate(NamedTuple):
    """The onset since which a feature's groups explain most."""

    onset: int
    since: Stretch
    hh: Floats  #: of the features that are looked at
    left: Floats  #: products with what the baseline does not explain
    chosen: NDArray[np.int64]  #: columns of the features that are looked at
    usual: Floats  #: what the baseline explains, by these
    variance: float  #: of a row
    inflation: float  #: for the baseline is a sample, too


class Picked(NamedTuple):
    """One feature."""

    name: str
    effect: float  #: of the variance
    needed: float


def anything(inquiry: Inquiry) -> bool:
    """Whether the mean residual of any feature's groups may have moved, since any onset: by half of what is asked of an effect.

    Group by group, without what features have in common: vectors alone, where `look` needs matrices.
    """
    base, now = _residuals(inquiry, inquiry.case.baseline), _residuals(inquiry, [*inquiry.case.ladder, *inquiry.case.monitored])
    if base is None or now is None:
        return False
    usual, before, _, _ = (one.sum(axis=0) for one in base)
    left, rows, squares, count = (np.cumsum(one[::-1], axis=0)[::-1] for one in now)
    left = left - rows * (usual / np.maximum(before, 1.0))
    starts = np.cumsum([0, *(groups for _, groups in inquiry.case.groups)])[:-1]
    explained = _by_groups(left, rows, starts).max(axis=1)
    enough = (count[:, 0] >= _LEAST_ROWS) & (squares[:, 0] > 0)
    effect = np.where(enough, explained / np.maximum(squares[:, 0], 1e-12), 0.0)
    return bool((effect > 0.5 * inquiry.thresholds.relation).any() and (effect * count[:, 0] > _SCREENED).any())


def _residuals(inquiry: Inquiry, windows: Sequence[Window]) -> tuple[Floats, Floats, Floats, Floats] | None:
    """Of windows with outcomes [n]: residuals by group, rows by group, squares of residuals, rows."""
    width = sum(groups for _, groups in inquiry.case.groups)
    found = [
        one for window in windows if window.outcomes is not None and (one := window.outcomes.relation) is not None and len(one.hr) == width
    ]
    if not found or not width:
        return None
    squares, rows = (np.array([[getattr(one, name)] for one in found], dtype=np.float64) for name in ("rr", "rows"))
    left, counts = (
        np.concatenate(each).reshape(len(found), width) for each in ([one.hr for one in found], [one.by_group for one in found])
    )
    return left, counts, squares, rows


def look(inquiry: Inquiry, relations: Relations) -> None:
    """On rows that are no outliers, where requests are new."""
    inner = inquiry.novel is not None
    base = relations.base(inner)
    if inquiry.prior or base is None or not relations.width:
        return
    excluded = inquiry.claimed_by(FAULTY) | set(inquiry.fresh) | inquiry.growing
    broken = any(one.cause == "model_broken" for one in inquiry.findings)
    side: Side = "hy" if excluded or broken else "hr"
    columns = {name: own for name, own in relations.columns.items() if name not in excluded}
    if not columns:
        return
    best = _best(relations, columns, side, base, inner=inner)
    if best is None:
        return
    picked = _picked(inquiry, relations, columns, best, side, inner=inner)
    if picked and _windows(inquiry, relations, best, columns[picked[0].name], side, inner=inner) >= _LEAST_WINDOWS:
        _told(inquiry, relations, picked, best, side, inner=inner)


def _windows(inquiry: Inquiry, relations: Relations, best: Candidate, own: NDArray[np.int64], side: Side, *, inner: bool) -> int:
    """With outcomes, behind the baseline or at its end: it was settled before outcomes came that would have told it already.

    Of older ones, which are merged, as many as they hold of the baseline's largest.
    """
    case = inquiry.case
    largest = max(_labelled(case.baseline), default=1)
    found = sum(of > 0 for of in _labelled(case.monitored)) + sum(max(1, of // largest) for of in _labelled(case.ladder) if of)
    places = np.searchsorted(best.chosen, own)
    rows = best.hh.diagonal()[places]
    means = best.left[places] / np.maximum(rows, 1.0)
    means -= np.average(means, weights=np.maximum(rows, 1e-12))
    for block in reversed(relations.stretches(1, inner=inner) if found < _LEAST_WINDOWS else ()):
        hh = block.hh[np.ix_(best.chosen, best.chosen)]
        left = (getattr(block, side)[best.chosen] - hh @ best.usual)[places]
        if float(left @ means) < _SHOWS * float(np.diag(hh)[places] @ means**2):
            break
        found += 1
    return found


def _labelled(windows: Sequence[Window]) -> list[int]:
    return [0 if window.outcomes is None else window.outcomes.labelled for window in windows]


def _best(relations: Relations, columns: dict[str, NDArray[np.int64]], side: Side, base: Stretch, *, inner: bool) -> Candidate | None:
    """Over all onsets; one feature's groups are disjoint, so what they explain by themselves needs no solving."""
    chosen = np.concatenate([*columns.values()])
    usual = np.linalg.solve(
        base.hh[np.ix_(chosen, chosen)] + (_RIDGE + _RIDGE_OF_ROWS * base.rows) * np.eye(len(chosen)), getattr(base, side)[chosen]
    )
    starts = np.cumsum([0, *(len(own) for own in columns.values())])[:-1]
    best: tuple[float, Candidate] | None = None
    for onset in relations.onsets:
        since = relations.since(onset, inner=inner)
        if since is None or since.rows < _LEAST_ROWS:
            break
        if inner and not _most(relations, onset, since):
            continue
        hh = since.hh[np.ix_(chosen, chosen)]
        left = getattr(since, side)[chosen] - hh @ usual
        variance = (since.rr if side == "hr" else since.spread) / since.rows
        if variance <= 0:
            continue
        rows, inflation = np.diag(hh), 1 + since.rows / base.rows
        explained = _by_groups(left[None], rows[None], starts)[0]
        statistic = rounded(float(explained.max()) / variance / inflation)
        if best is None or statistic > best[0]:
            best = statistic, Candidate(onset, since, hh, left, chosen, usual, variance, inflation)
    return None if best is None else best[1]


def _by_groups(left: Floats, rows: Floats, starts: NDArray[np.int64]) -> Floats:
    """What the groups of each feature explain by themselves beyond what all rows have in common, [onsets, features]."""
    sums, counts = np.add.reduceat(left, starts, axis=1), np.add.reduceat(rows, starts, axis=1)
    squares = np.add.reduceat(left * left / np.maximum(rows, 1.0), starts, axis=1)  # without rows nothing is left
    return np.asarray(squares - sums**2 / np.maximum(counts, 1.0), dtype=np.float64)


def _most(relations: Relations, onset: int, inner: Stretch) -> bool:
    """Whether rows that are no outliers are many: where a fault makes most of them outliers, the rest is a choice by what broke."""
    every = relations.since(onset, inner=False)
    return every is None or inner.rows >= _LEAST_INNER * every.rows


def _picked(
    inquiry: Inquiry, relations: Relations, columns: dict[str, NDArray[np.int64]], best: Candidate, side: Side, *, inner: bool
) -> list[Picked]:
    """Forward selection: what one feature explains, another that hangs together with it does not explain again."""
    t, first = inquiry.thresholds, 0.0
    picked: list[Picked] = []
    starts = np.cumsum([0, *(len(own) for own in columns.values())])
    places = {name: np.arange(starts[number], starts[number + 1]) for number, name in enumerate(columns)}
    drifted = inquiry.claimed_by(frozenset({"data_drift"})) | set(inquiry.beside)
    taken: list[int] = []
    while len(picked) < _MOST and len(picked) < len(places):
        scores = {name: _explained(best, own, taken) for name, own in places.items() if name not in {one.name for one in picked}}
        name = max(scores, key=lambda one: (rounded(scores[one]), one))
        score = scores[name]
        p = float(chdtrc(max(len(places[name]) - 1, 1), max(score, 0.0) / best.variance / best.inflation))
        effect = rounded(score / (best.since.rows * best.variance))
        needed = t.relation * (1.0 if side == "hr" else _OUTCOMES) * _caution(name, drifted, side, inner=inner)
        if p > t.relation_p or effect < needed or score < _FURTHER * first:
            break
        needed = max(needed, t.shift_blocks * _own(inquiry, relations, best, places[name], side, inner=inner))
        if effect < needed:
            break
        first = first or score
        picked.append(Picked(name, effect, rounded(needed)))
        taken += places[name].tolist()
    return picked


def _own(inquiry: Inquiry, relations: Relations, best: Candidate, own: NDArray[np.int64], side: Side, *, inner: bool) -> float:
    """The largest effect that a feature has in stretches of the baseline, beyond chance: outcomes of one day hang together."""
    case, found = inquiry.case, 0.0
    for block in relations.stretches(max(1, min(len(case.monitored) - best.onset, len(case.baseline) // 2)), inner=inner):
        hh = block.hh[np.ix_(best.chosen, best.chosen)]
        left, rows = (getattr(block, side)[best.chosen] - hh @ best.usual)[own], np.diag(hh)[own]
        variance = (block.rr if side == "hr" else block.spread) / block.rows
        if variance > 0:
            explained = float(_by_groups(left[None], rows[None], np.zeros(1, dtype=np.int64))[0, 0])
            found = max(found, (explained / variance - len(own) + 1) / block.rows)
    return rounded(found)


def _caution(name: str, drifted: set[str], side: Side, *, inner: bool) -> float:
    """A model that is asked elsewhere is wrong elsewhere: then more is asked of an effect."""
    if inner:
        return _NOVELTY_OUTCOMES if side == "hy" else _NOVELTY
    if not drifted:
        return 1.0
    return _DRIFT_OUTCOMES if side == "hy" else _DRIFT_OF_IT if name in drifted else _DRIFT


def _explained(best: Candidate, own: NDArray[np.int64], chosen: list[int]) -> float:
    """What a feature's groups explain beyond those that are taken: by the Schur complement."""
    hh, left, taken = best.hh[np.ix_(own, own)], best.left[own], np.array(chosen, dtype=np.int64)
    if chosen:
        across = best.hh[np.ix_(own, taken)]
        inverse = np.linalg.pinv(best.hh[np.ix_(taken, taken)], hermitian=True)
        left = left - across @ (inverse @ best.left[taken])
        hh = hh - across @ inverse @ across.T
    else:
        rows = np.diag(hh)
        left = left - rows * (left.sum() / max(rows.sum(), 1.0))  # what all rows have in common is no feature's
    return float(left @ np.linalg.pinv(hh, rcond=1e-6, hermitian=True) @ left)


def _told(inquiry: Inquiry, relations: Relations, picked: list[Picked], best: Candidate, side: Side, *, inner: bool) -> None:
    """Has the world's relation changed, or only the model's fit to it?"""
    t, first = inquiry.thresholds, picked[0]
    names = [one.name for one in picked]
    besides = []
    if side == "hr":
        world = _world(relations, names, best.onset, "hy", inner=inner)
        function = _world(relations, names, best.onset, "hp", inner=inner)
        spread = best.since.spread
        residuals = min(1.0, best.variance * best.since.rows / spread) if spread > 0 else 1.0  # of what outcomes vary by
        needed = max(rounded(t.relation_world * first.effect * residuals), _LEAST_WORLD)
        if world < needed and not _of_world(relations, names, best, world, function, inner=inner):
            _model(inquiry, picked, best.onset, world, needed, function)
            return
        besides = [max(strength(world, needed), 0.5)]
    loss = inquiry.loss
    onset = loss.onset if side == "hr" and loss is not None else best.onset
    step = Step(_CERTAIN, first.effect, 0.0, onset, gradual=side == "hr" and loss is not None and loss.gradual)
    moved = any(name in inquiry.shifts for name in names)
    most = max(inquiry.shifts, key=lambda name: inquiry.shifts[name].size, default=None)
    other = moved and (inner or most in names)  # equal values may be of new requests, or mean something else
    known = inquiry.ages_known or all(inquiry.agree_known(name) for name in names)
    missing = {} if known else {"agreement": "whether the features are served as they were learned"}
    for kind, why in _undecided(inquiry.findings).items():
        missing.setdefault(kind, why)
    inquiry.add(
        "feature_drift",
        names,
        step,
        confidence(strength(first.effect, first.needed), *besides, against=int(moved) + int(other)),
        "relation_to_outcome",
        [
            *(Piece("relation_change", one.effect, one.needed, one.name) for one in picked),
            Piece("basis", "residuals" if side == "hr" else "outcomes, without the model"),
            Piece("marginal_stable", "no" if moved else "yes", role="against" if moved else "for"),
        ],
        missing=missing,
        awaits=next(iter(missing), None),
    )


def _undecided(findings: Collection[Finding]) -> dict[str, str]:
    """What would tell what is wrong of the features of these: until then it is not known either what makes the model wrong."""
    awaited = {one.awaits for one in findings} | {kind for one in findings if one.cause == "undetermined" for kind in one.missing}
    return {kind: "whether what else moved makes the model wrong" for kind in ("agreement", "ood") if kind in awaited}


def _of_world(relations: Relations, names: list[str], best: Candidate, world: float, function: float, *, inner: bool) -> bool:
    """Whether a small change is the world's nevertheless: outcomes moved by more than sampling, and predictions by hardly anything."""
    base = relations.base(inner)
    assert base is not None
    groups = max(len(relations.columns[name]) for name in names)
    noise = (groups - 1) * (1 / best.since.rows + 1 / base.rows)
    return world > _NOISES * noise and function < world / _APART


def _model(inquiry: Inquiry, picked: list[Picked], onset: int, world: float, needed: float, function: float) -> None:
    """Residuals moved, and the world did not."""
    first = picked[0]
    step = inquiry.loss if inquiry.loss_up and inquiry.loss is not None else Step(_CERTAIN, first.effect, 0.0, onset)
    golden = bool(inquiry.case.evaluated)
    pieces = [Piece("residual_change", first.effect, first.needed, first.name), Piece("outcome_relation_change", world, needed)]
    missing = {} if golden else {"golden": "whether the model itself is at fault"}
    undecided = _undecided([one for one in inquiry.findings if min(abs(one.onset - onset), abs(one.onset - step.onset)) <= _WITH])
    missing |= undecided
    awaits = next(iter(undecided), None)
    certain = strength(first.effect, first.needed)
    if inquiry.near(onset) or inquiry.near(step.onset):
        pieces.append(Piece("deployment_at_onset", "yes"))
        sureness = confidence(0.7, certain)
        inquiry.add("model_broken", (), step, sureness, "residuals_moved_relation_did_not", pieces, missing=missing, awaits=awaits)
        return
    faulty = bool(inquiry.claimed_by(FAULTY)) or any(one.cause in PIPELINE for one in inquiry.findings)
    shifted = any(one.step.onset <= onset + 2 for one in inquiry.shifts.values())
    if inquiry.loss_up and function > first.needed and function > _APART * world and not faulty and not shifted:
        pieces += [Piece("prediction_relation_change", function, first.needed), Piece("deployment_at_onset", "no", role="against")]
        sureness = confidence(0.75, certain, missing=int(not golden))
        inquiry.add("model_broken", (), step, sureness, "model_function_changed", pieces, missing=missing, awaits=awaits)
    elif not inquiry.findings and inquiry.loss_up:
        inquiry.add("undetermined", (), step, 0.4, "predictions_worse_at_unchanged_relation", pieces, missing=missing)


def _world(relations: Relations, names: list[str], onset: int, side: Side, *, inner: bool) -> float:
    """The largest change of outcomes, or predictions, over one of the features' groups; of the outcomes' variance.

    What goes along with its groups counts: of two features that say the same either may bear the change, or both a part of it.
    """
    base, since = relations.base(inner), relations.since(onset, inner=inner)
    assert base is not None
    assert since is not None

    def coefficients(of: Stretch) -> Floats:
        ridge = (_RIDGE + _RIDGE_OF_WORLD * of.rows) * np.eye(relations.width)
        return np.asarray(np.linalg.solve(of.hh + ridge, getattr(of, side)), dtype=np.float64)

    change, variance, found = coefficients(since) - coefficients(base), since.spread / since.rows, 0.0
    if variance <= 0:
        return 0.0
    for name in names:
        columns = relations.columns[name]
        rows = np.diag(since.hh)[columns]
        own = np.where(rows > 0, since.hh[columns] @ change / np.maximum(rows, 1e-9), 0.0)
        own -= np.average(own, weights=rows + 1e-9)
        noise = (len(columns) - 1) * (1 / since.rows + 1 / base.rows)
        found = max(found, float((rows * own**2).sum()) / since.rows / variance - noise)
    return rounded(found)
