"""Requests unlike the training data, once faults are masked: prediction-label bias, if the rest of the rows stands still.

*How many are new?* is asked of the outliers, *does the rest stand still?* of the core: rows that are new but miss the threshold lie
outside it.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..neighbours.cures import excess
from .apart import HALF, OF_ONE, Novelty, told_apart
from .evidence import Window
from .finding import Finding, Piece
from .inquiry import FAULTY, Inquiry, sure
from .matrices import Matrices
from .shifts import Series
from .statistics import Step, rounded

Floats = NDArray[np.float64]

#: By which the share of outliers varies at least.
_FLOOR = 0.003
#: The z of a step of outliers that is looked at where rows outside the core have one above the gate.
_HINT = 3.0
#: Of a share that is multiplied by one of 64 masked rows, the noise.
_MASKING_NOISE = 0.04
#: Of two sources' masks together, what they cure: some rows are counted twice.
_TOGETHER = 0.85
#: Cured by masking a fault: of the outliers, so much that it may be their cause; so much that it is; of few, so much that it is.
_MAYBE, _SURELY, _FEW = 0.2, 0.4, 0.1
#: Times as many rows outside the core as outliers, that new requests never are: they are far off.
_RATHER_OUTSIDE = 4.0
#: Of new outliers, those that a mix of known values makes, from which on it does.
_OF_MIX = 0.4
#: A second rise must be by so many thresholds, of what was left before, and of the whole excess.
_AGAIN, _AGAIN_LEFT, _AGAIN_EXCESS = 2.0, 0.5, 0.1
#: Of a feature that is missing more often, in what chance comes to: from then on rows are strange for that.
_MISSING = 3.0
#: Cured by masking one feature that grows: they are its tail.
_TAIL = 0.6

_NONE = Novelty(None, 0.0, 0.0, {}, masks=False)


def series(inquiry: Inquiry) -> Series:
    """The share of rows outside the core, and of outliers."""
    base, now = (np.stack((_outside(inquiry, of), _rates(of.outliers, of.compared))) for of in (inquiry.base, inquiry.now))
    return Series(base, now, [_FLOOR, _FLOOR])


def measured(inquiry: Inquiry) -> Novelty:
    """The step of the outliers' share, less what masking the faults that are known cures."""
    t = inquiry.thresholds
    base, now, floors = series(inquiry)
    outer, step = inquiry.step(base[0], now[0], floors[0]), inquiry.step(base[1], now[1], floors[1], _HINT)
    if step is None:
        return _NONE
    if not (step.z > t.z or outer is not None):
        return _NONE._replace(hinted=step.level)
    if not inquiry.case.by_rows:  # no fault of a feature makes a text strange
        found = Novelty(step, step.level, 0.0 if outer is None else outer.level, {}, masks=False)
        return found.times(1 - _by_mix(inquiry, step, outer))
    since = inquiry.since(step.onset)
    hurt = sorted(inquiry.claimed_by(FAULTY))
    cured = _cured(inquiry, since)
    by_fault = _by_fault(inquiry, hurt, cured)
    faults = [one for one in inquiry.findings if one.cause in FAULTY and one.onset <= step.onset + 1]
    found = Novelty(step, step.level, 0.0 if outer is None else outer.level, cured, any(window.masked for window in since))
    if outer is not None and any(one.cause in FAULTY and abs(one.onset - outer.onset) <= 1 for one in inquiry.findings):
        if not step.z > t.z:
            return found.times(0.0)  # the rows outside the core came with a fault, and of outliers it is not sure that they rose
        if step.level * _RATHER_OUTSIDE < outer.level:
            by_fault = 1.0
    found = found.times(1 - _by_absence(inquiry, step, cured)).times(1 - _by_mix(inquiry, step, outer))
    if not found.masks and any(abs(one.onset - step.onset) <= 1 for one in faults):
        return found.times(0.0)  # what begins with a fault is its consequence
    if faults and by_fault > _MAYBE:
        again = _again(inquiry, hurt, max(one.onset for one in faults), step)
        if again is not None and not _large(inquiry, again, step):
            found = found._replace(hinted=again.level)
        elif again is not None:
            return found._replace(step=again, outliers=again.level, outside=again.level, cured=_cured(inquiry, inquiry.since(again.onset)))
        if by_fault > _SURELY or step.level * (1 - by_fault) < _FEW:
            return found.times(0.0)
    if by_fault > OF_ONE or len(_masks_of(inquiry, hurt)) > 1:
        return found.times(0.0)  # rows that two faults made strange no single mask cures
    return found.times(1 - by_fault)


def _outside(inquiry: Inquiry, of: Matrices) -> Floats:
    """The share of rows outside the core, by window: of the feature that most rows have."""
    by_field = np.add.reduceat(of.outside, inquiry.layout.starts, axis=1)
    return _rates(by_field[:, : len(inquiry.layout.names)].max(axis=1, initial=0.0), of.compared)


def _rates(count: Floats, of: Floats) -> Floats:
    return np.where(of > 0, count / np.maximum(of, 1.0), np.nan)


def _cured(inquiry: Inquiry, windows: Sequence[Window]) -> dict[str, float]:
    """Of the outliers there are for a reason, the share familiar without each feature, and each source."""
    masked, compared = sum(window.masked for window in windows), sum(window.scored for window in windows)
    if not masked or not compared:
        return {}
    rate = sum(window.outliers for window in windows) / compared
    names = sorted({name for window in windows for name in window.cured})
    cured = {name: sum(window.cured.get(name, 0) for window in windows) / masked for name in names}
    level, usual = inquiry.usual_outliers
    return {name: min(max(excess(cured[name], usual.get(name, 0.0), rate=rate, level=level), 0.0), 1.0) for name in names}


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


def _by_absence(inquiry: Inquiry, step: Step, cured: dict[str, float]) -> float:
    """Of the new outliers those that lack a feature, more often than before and too seldom to be told: training knew none that did."""
    rows = inquiry.now.rows[step.onset :].sum()
    if rows <= 0:
        return 0.0
    gone, before = inquiry.now.absent[step.onset :].sum(axis=0) / rows, inquiry.base.absent.sum(axis=0) / max(inquiry.base.rows.sum(), 1.0)
    more = np.where((gone - before) * rows > _MISSING * np.sqrt(before * rows + 1), gone - before, 0.0)
    found = sum(
        min(more[place], cured.get(name, 0.0) * step.level)
        for place, name in enumerate(inquiry.layout.names)
        if name not in inquiry.claimed
    )
    return float(min(1.0, found / step.level)) if step.level > 0 else 0.0


def _by_mix(inquiry: Inquiry, step: Step, outer: Step | None) -> float:
    """Of the new outliers and rows outside the core those that are there since a feature's rarer values have become more, each as often
    strange as ever: the most that one feature's mix explains of either, or of the latter where it is not sure that outliers rose."""
    plain = outer is None or step.z > inquiry.thresholds.z
    of, onset = (("outlying", "outside"), step.onset) if plain or outer is None else (("outside",), outer.onset)
    shifted = [inquiry.layout.span(name) for name in inquiry.shifts if name not in inquiry.claimed]
    found = max((min(_of_mix(inquiry, span, onset, one) for one in of) for span in shifted), default=0.0)
    return min(found, 1.0) if found > _OF_MIX else 0.0


def _of_mix(inquiry: Inquiry, span: slice, onset: int, of: str) -> float:
    """Of one feature's groups: by how much rows that are so would be more with each group's share of the baseline, of how much they are."""
    usual, now = inquiry.base.scored[:, span].sum(axis=0), inquiry.now.scored[onset:, span].sum(axis=0)
    before, since = getattr(inquiry.base, of)[:, span].sum(axis=0), getattr(inquiry.now, of)[onset:, span].sum(axis=0)
    if not usual.sum() or not now.sum():
        return 0.0
    level = before.sum() / usual.sum()
    shares = np.where(usual > 0, before / np.maximum(usual, 1.0), level)
    more = since.sum() / now.sum() - level
    return float((now @ shares / now.sum() - level) / more) if more > 0 else 0.0


def _again(inquiry: Inquiry, hurt: Sequence[str], begun: int, first: Step) -> Step | None:
    """What masking leaves, window by window: where it rises again, later than the fault, be that sure or not."""
    masks = _masks_of(inquiry, hurt)
    floor = max(_FLOOR, _MASKING_NOISE * first.level)

    def left(window: Window) -> float:
        if not window.scored:
            return float("nan")
        shares = [max(window.cured.get(mask, 0) for mask in own) / max(window.masked, 1) for own in masks.values()]
        return window.outliers / window.scored * (1 - min(1.0, sum(shares)))

    base, now = (np.array([left(window) for window in of]) for of in (inquiry.case.baseline, inquiry.case.monitored))
    step = inquiry.step(base, now, floor, _HINT)
    faults = [one.onset for one in inquiry.findings if one.cause in FAULTY]
    if step is None or step.onset <= begun + 1 or any(abs(step.onset - onset) <= 1 for onset in faults):
        return None  # rows that two faults made strange no single mask cures
    before = float(np.nanmean(now[max(begun, 0) : step.onset]))
    more = rounded(float(np.nanmean(now[step.onset :][-8:])) - before)
    return Step(step.z, more, before, step.onset, step.gradual, step.live)


def _large(inquiry: Inquiry, again: Step, first: Step) -> bool:
    """Whether the second rise is sure, and by enough."""
    t = inquiry.thresholds
    return again.z > t.z and again.level > max(_AGAIN * t.novelty, _AGAIN_LEFT * again.before, _AGAIN_EXCESS * first.level)


def look(inquiry: Inquiry) -> list[str]:
    """Say whether requests are new; the features that drift beside it."""
    t = inquiry.thresholds
    apart, novelty = told_apart(inquiry, measured(inquiry))
    step = novelty.step
    if step is None:
        return apart.drift
    alone, best = _alone(inquiry, novelty)
    if best > _TAIL and novelty.there(t) and alone in inquiry.growing:
        novelty = novelty.times(0.0 if best > OF_ONE else 1 - best)
        if alone not in apart.drift and alone not in inquiry.claimed:
            apart.drift.append(alone)
    if not novelty.there(t) or (inquiry.case.by_rows and _exchanged(inquiry.findings, step)):
        return apart.drift  # of an exchange rows are strange in several features at once, and it is known why
    if best > HALF and alone in apart.drift:
        return apart.drift  # they are the tail of its drift
    rather = novelty.outliers * _RATHER_OUTSIDE < novelty.outside
    if best > (HALF if rather else OF_ONE) and alone not in inquiry.claimed:
        if not _with_a_fault(inquiry.findings, step):
            _out_of_range(inquiry, novelty, step, alone, best)
    elif novelty.beside(apart.within) > t.novelty_tail * apart.within:
        _found(inquiry, novelty, step, apart.within, alone, best)
    return apart.drift


def _alone(inquiry: Inquiry, novelty: Novelty) -> tuple[str, float]:
    """The feature without which most new outliers are familiar."""
    return max(((name, novelty.cured.get(name, 0.0)) for name in inquiry.layout.names), key=lambda one: one[1], default=("", 0.0))


def _exchanged(findings: Iterable[Finding], step: Step) -> bool:
    return any(one.exchanged and abs(one.onset - step.onset) <= 1 for one in findings)


def _with_a_fault(findings: Iterable[Finding], step: Step) -> bool:
    """Whether they came with a fault of another feature: with the wrong value of one, the right one of another is strange."""
    return any(one.cause in FAULTY and abs(one.onset - step.onset) <= 1 for one in findings)


def _of_an_unseen_source(inquiry: Inquiry, step: Step) -> bool:
    """Whether they came with a fault of a source, of whose other features nobody knows: a wrong value is not always one that shows."""
    of, members = inquiry.layout.of, inquiry.layout.members
    faulty = {
        name
        for one in inquiry.findings
        if one.cause in FAULTY and one.awaits is None and abs(one.onset - step.onset) <= 1
        for name in one.features
    }
    others = {other for name in faulty for other in members.get(of[name].source or "", ())} - faulty
    return not all(inquiry.agree_known(other, step.onset) for other in others)


def _out_of_range(inquiry: Inquiry, novelty: Novelty, step: Step, name: str, cured: float) -> None:
    pieces = [
        Piece("outlier_rate_increase", rounded(novelty.outliers), inquiry.thresholds.novelty, None, step.z),
        Piece("cured_by_masking", rounded(cured), OF_ONE, name),
    ]
    known = inquiry.agree_known(name, step.onset)
    inquiry.add(
        "undetermined",
        (name,),
        step,
        sure(besides=[0.5], missing=int(not known)),
        "single_feature_values_out_of_range",
        pieces,
        missing={} if known else {"agreement": f"whether {name} is computed otherwise in serving, or came to be so"},
        alternatives=("feature_recalibration", "data_drift" if known else "training_serving_skew"),
    )


def _found(inquiry: Inquiry, novelty: Novelty, step: Step, within: float, alone: str, best: float) -> None:
    t = inquiry.thresholds
    inquiry.novel, inquiry.novel_share = step, max(novelty.outliers, novelty.outside)
    doubt = best >= HALF and not inquiry.agree_known(alone, step.onset)
    rows = inquiry.case.by_rows  # of a text or an embedding no feature can be what is strange
    missing = {} if novelty.masks or not rows else {"ood": "whether one feature makes them so"}
    missing |= {"agreement": f"whether {alone}, which makes half of them so, is computed otherwise in serving"} if doubt else {}
    if rows and _of_an_unseen_source(inquiry, step):
        missing.setdefault("agreement", "whether other features of the source that is at fault are right")
    if rows and not inquiry.shifts and not all(inquiry.agree_known(name, step.onset) for name in inquiry.layout.names):
        missing.setdefault("agreement", "whether a feature is another entity's: no feature by itself moved")
    inquiry.add(
        "prediction_label_bias",
        (),
        step,
        sure(novelty.strength(t), (max(step.z, t.z), t.z), missing=int(doubt)),
        "out_of_distribution_requests",
        [
            Piece("outlier_rate_increase_unexplained", rounded(novelty.outliers), t.novelty, None, step.z),
            Piece("outside_core_increase", rounded(novelty.outside), t.novelty_outside),
            Piece("in_distribution_total_variation", rounded(within), rounded(novelty.beside(within) / t.novelty_tail)),
            *([Piece("most_cured_by_masking", rounded(best), HALF, alone, role="against" if doubt else "for")] if alone else []),
        ],
        missing=missing,
        awaits=next(iter(missing), None),
    )
