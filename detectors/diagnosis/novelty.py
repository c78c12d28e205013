"""Requests unlike the training data, once faults are masked: prediction-label bias, if the rest of the rows stands still.

*How many are new?* is asked of the outliers, *does the rest stand still?* of the core: rows that are new but miss the threshold lie outside it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..neighbours.cures import excess
from .evidence import Window
from .finding import Finding, Piece
from .inquiry import FAULTY, Inquiry, Shift, sure
from .statistics import Step, rounded

Floats = NDArray[np.float64]

#: By which the share of outliers varies at least.
_FLOOR = 0.003
#: Of two sources' masks together, what they cure: some rows are counted twice.
_TOGETHER = 0.85
#: Cured by masking a fault: of the outliers, so much that it may be their cause; so much that it is; of few, so much that it is.
_MAYBE, _SURELY, _FEW = 0.2, 0.4, 0.1
#: A second rise must be by so many thresholds, of what was left before, and of the whole excess.
_AGAIN, _AGAIN_LEFT, _AGAIN_EXCESS = 2.0, 0.5, 0.1
#: Cured by masking one feature: its growth is the world's tail; without pairs nobody knows what it is; without pairs it is awaited.
_TAIL, _ONE, _HALF = 0.6, 0.8, 0.5
#: What total variation of the core sampling comes to.
_CORE_NOISE = 0.04
#: Of the rows with a new category, those left within the distribution below which it is novelty; of outliers, what new categories leave.
_KNOWN, _LEFT = 0.5, 0.3


class Novelty(NamedTuple):
    """What is known of outliers."""

    step: Step | None  #: of their share; the second rise, where there is one
    level: float  #: of it, what no fault explains
    cured: dict[str, float]  #: of the new outliers, the share familiar without each feature
    masks: bool  #: any were masked


def anything(inquiry: Inquiry) -> bool:
    """Whether there are more outliers."""
    base, now = (_rates(of.outliers, of.compared) for of in (inquiry.base, inquiry.now))
    return inquiry.step(base, now, _FLOOR) is not None


def measured(inquiry: Inquiry) -> Novelty:
    """The step of the outliers' share, less what masking the faults that are known cures."""
    base, now = (_rates(of.outliers, of.compared) for of in (inquiry.base, inquiry.now))
    step = inquiry.step(base, now, _FLOOR)
    if step is None:
        return Novelty(None, 0.0, {}, masks=False)
    since = inquiry.since(step.onset)
    masks = any(window.masked for window in since)
    hurt = sorted(inquiry.claimed_by(FAULTY))
    cured = _cured(inquiry, since)
    by_fault = _by_fault(inquiry, hurt, cured)
    faults = [one for one in inquiry.findings if one.cause in FAULTY and one.onset <= step.onset + 1]
    left = step.level * (1 - by_fault)
    if not masks and any(abs(one.onset - step.onset) <= 1 for one in faults):
        return Novelty(step, 0.0, cured, masks)  # what begins with a fault is its consequence
    if faults and by_fault > _MAYBE:
        again = _again(inquiry, hurt, max(one.onset for one in faults), step)
        if again is not None:
            return Novelty(again, again.level, _cured(inquiry, inquiry.since(again.onset)), masks)
        if by_fault > _SURELY or left < _FEW:
            left = 0.0
    return Novelty(step, left, cured, masks)


def _rates(count: Floats, of: Floats) -> Floats:
    return np.where(of > 0, count / np.maximum(of, 1.0), np.nan)


def _cured(inquiry: Inquiry, windows: Sequence[Window]) -> dict[str, float]:
    """Of the outliers there are for a reason, the share familiar without each feature, and each source."""
    masked, compared = sum(window.masked for window in windows), sum(window.scored for window in windows)
    if not masked or not compared:
        return {}
    rate = sum(window.outliers for window in windows) / compared
    names = sorted({name for window in windows for name in window.cured})
    usual = inquiry.case.usual
    return {
        name: min(max(excess(sum(window.cured.get(name, 0) for window in windows) / masked, usual.get(name, 0.0), rate=rate), 0.0), 1.0)
        for name in names
    }


def source_mask(source: str) -> str:
    """The name of a mask of all fields of a source, among those of fields.

    >>> source_mask("till")
    'source:till'
    """
    return f"source:{source}"


def _masks_of(inquiry: Inquiry, hurt: Iterable[str]) -> dict[str, list[str]]:
    """Of faulty features their masks, by source; of a source with several its own, too."""
    found: dict[str, list[str]] = {}
    for name in hurt:
        found.setdefault(inquiry.layout.of[name].source or f"feature:{name}", []).append(name)
    return {source: [*names, *([source_mask(source)] if len(names) > 1 else [])] for source, names in found.items()}


def _by_fault(inquiry: Inquiry, hurt: Iterable[str], cured: dict[str, float]) -> float:
    by_source = [max(cured.get(mask, 0.0) for mask in masks) for masks in _masks_of(inquiry, hurt).values()]
    if not by_source:
        return 0.0
    return min(1.0, by_source[0] if len(by_source) == 1 else _TOGETHER * sum(by_source))


def _again(inquiry: Inquiry, hurt: Sequence[str], begun: int, first: Step) -> Step | None:
    """What masking leaves, window by window: does it rise again, later than the fault?"""
    masks = _masks_of(inquiry, hurt)

    def left(window: Window) -> float:
        if not window.scored:
            return float("nan")
        shares = [max(window.cured.get(mask, 0) for mask in own) / max(window.masked, 1) for own in masks.values()]
        return window.outliers / window.scored * (1 - min(1.0, sum(shares)))

    base, now = (np.array([left(window) for window in of]) for of in (inquiry.case.baseline, inquiry.case.monitored))
    step = inquiry.step(base, now, _FLOOR)
    if step is None or step.onset <= begun + 1:
        return None
    before = float(np.nanmean(now[max(begun, 0) : step.onset]))
    more = rounded(float(np.nanmean(now[step.onset :][-8:])) - before)
    t = inquiry.thresholds
    if not more > max(_AGAIN * t.novelty, _AGAIN_LEFT * before, _AGAIN_EXCESS * first.level):
        return None
    return Step(step.z, more, before, step.onset, step.gradual, step.live)


class Apart(NamedTuple):
    """Shifted features that no fault has, told apart."""

    drift: list[str]  #: seen in the core, or there is no novelty
    within: float  #: the largest total variation of rows that are no outliers, of those that drift


def told_apart(inquiry: Inquiry, novelty: Novelty) -> tuple[Apart, float]:
    """Which of the unclaimed shifts the novel rows make by themselves, and the share of new outliers that is left."""
    t, left = inquiry.thresholds, novelty.level
    shifted = {name: one for name, one in inquiry.shifts.items() if name not in inquiry.claimed}
    inside = {name: _without(inquiry, name, one, inquiry.base.outlying, inquiry.now.outlying) for name, one in shifted.items()}
    inquiry.fresh = [name for name, one in shifted.items() if _new_category(inquiry, name, one, inside[name], novelty)]
    left *= _LEFT ** len(inquiry.fresh)
    drift = []
    for name, one in shifted.items():
        core = _without(inquiry, name, one, inquiry.base.outside, inquiry.now.outside) if left > t.novelty else inside[name]
        absorbed = left > t.novelty and (core is None or core.size < t.novelty_leak * left + _CORE_NOISE)
        if name in inquiry.fresh or not (absorbed or (left > t.novelty and core is not None and core.size <= core.threshold)):
            drift.append(name)
    within = max((one.size for name in drift if name not in inquiry.fresh and (one := inside[name]) is not None), default=0.0)
    return Apart(drift, within), left


def _without(inquiry: Inquiry, name: str, shift: Shift, base: Floats, now: Floats) -> Shift | None:
    """The shift among rows compared with the training data, less some of them."""
    return inquiry.compared(name, inquiry.base.scored - base, inquiry.now.scored - now, shift.step)


def _new_category(inquiry: Inquiry, name: str, shift: Shift, inside: Shift | None, novelty: Novelty) -> bool:
    """Whether training did not know what came; not if only rows have it that are new in other ways, too."""
    if inquiry.layout.of[name].numeric:
        return False
    now, usual = _last(shift.now), _last(shift.usual)
    if now - usual <= inquiry.thresholds.new_category:
        return False
    in_outliers = inside is None or _last(inside.now) < _KNOWN * now
    return not (novelty.level > inquiry.thresholds.novelty and in_outliers and novelty.cured.get(name, 0.0) < _HALF)


def _last(counts: Floats) -> float:
    return float(counts[-1] / max(counts.sum(), 1.0))


def look(inquiry: Inquiry) -> list[str]:
    """Say whether requests are new; the features that drift beside it."""
    t, novelty = inquiry.thresholds, measured(inquiry)
    apart, left = told_apart(inquiry, novelty)
    step = novelty.step
    if step is None:
        return apart.drift
    alone, best = _alone(inquiry, novelty)
    if best > _TAIL and left > t.novelty and alone in inquiry.growing:
        left *= 1 - best
        if alone not in apart.drift and alone not in inquiry.claimed:
            apart.drift.append(alone)
    if _exchanged(inquiry.findings, step):
        return apart.drift  # rows are strange in several features at once, and it is known why
    if left > t.novelty and best > _ONE and alone not in inquiry.claimed and not inquiry.agree_known(alone, step.onset):
        _out_of_range(inquiry, alone, best, left, step)
    elif left > t.novelty and left > t.novelty_tail * apart.within:
        _found(inquiry, novelty, left, apart.within, alone, best)
    return apart.drift


def _alone(inquiry: Inquiry, novelty: Novelty) -> tuple[str, float]:
    """The feature without which most new outliers are familiar."""
    return max(((name, novelty.cured.get(name, 0.0)) for name in inquiry.layout.names), key=lambda one: one[1], default=("", 0.0))


def _exchanged(findings: Iterable[Finding], step: Step) -> bool:
    return any(one.exchanged and abs(one.onset - step.onset) <= 1 for one in findings)


def _out_of_range(inquiry: Inquiry, name: str, cured: float, left: float, step: Step) -> None:
    pieces = [
        Piece("outlier_rate_increase", rounded(left), inquiry.thresholds.novelty, None, step.z),
        Piece("cured_by_masking", rounded(cured), _ONE, name),
    ]
    inquiry.add(
        "undetermined",
        (name,),
        step,
        sure(besides=[0.5], missing=1),
        "single_feature_values_out_of_range",
        pieces,
        missing={"agreement": f"whether {name} is computed otherwise in serving, or came to be so"},
        alternatives=("training_serving_skew", "feature_recalibration"),
    )


def _found(inquiry: Inquiry, novelty: Novelty, left: float, within: float, alone: str, best: float) -> None:
    t, step = inquiry.thresholds, novelty.step
    assert step is not None
    inquiry.novel = step
    doubt = best >= _HALF and not inquiry.agree_known(alone, step.onset)
    missing = {} if novelty.masks else {"ood": "whether one feature makes them so"}
    missing |= {"agreement": f"whether {alone}, which makes half of them so, is computed otherwise in serving"} if doubt else {}
    inquiry.add(
        "prediction_label_bias",
        (),
        step,
        sure((left, t.novelty), (step.z, t.z), missing=int(doubt)),
        "out_of_distribution_requests",
        [
            Piece("outlier_rate_increase_unexplained", rounded(left), t.novelty, None, step.z),
            Piece("in_distribution_total_variation", rounded(within), rounded(left / t.novelty_tail)),
            *([Piece("most_cured_by_masking", rounded(best), _HALF, alone, role="against" if doubt else "for")] if alone else []),
        ],
        missing=missing,
        awaits=next(iter(missing), None),
    )
