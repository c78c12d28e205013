"""The population moved: values mean what they meant, and come in other proportions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import Window
from .finding import PIPELINE, Piece
from .inquiry import Inquiry, sure
from .relations import Relations, Stretch
from .shifts import Shift
from .statistics import Step, rounded, total_variation

Floats = NDArray[np.float64]

#: Outcomes since the onset without which nothing is said of them.
_LEAST = 400
#: Contradictions that an exact scale counts for: it is not confirmed as drift.
_DOUBT = 3
_OOD = "whether the population moved, or new requests came"
#: Total variation that is told by itself, and of the largest one's, what is.
_MUCH, _PART = 0.1, 0.35
#: Windows between novelty and a shift of the true values beside a fault, within which they are the same.
_SAME = 3
#: Of total variation of features given the outcome, in sampling errors.
_NOISE = 0.6
_LEAST_WITHIN = 0.005


class Prior(NamedTuple):
    """The rate of outcomes moved, and features given the outcome did not."""

    step: Step
    within: float  #: the largest total variation of a feature given the outcome


def look(inquiry: Inquiry, relations: Relations, drift: Sequence[str]) -> None:
    """Of the features that shift and that neither a fault nor novelty explains."""
    inquiry.beside = _true_values(inquiry, alone=not drift)
    prior = None if any(one.cause == "model_broken" for one in inquiry.findings) else _prior(inquiry, relations)
    inquiry.prior = prior is not None
    led = _leading(inquiry, drift)
    if prior is not None:
        _labels(inquiry, prior, led)
    else:
        for name in led:
            _covariates(inquiry, name)
    _follow(inquiry, [name for name in drift if name not in led])
    for name, shift in inquiry.beside.items():
        pieces = [
            Piece("offline_total_variation", shift.size, shift.threshold, name, shift.step.z),
            Piece("served_values", inquiry.claimed[name], None, name),
        ]
        certain = sure((shift.size, shift.threshold), (shift.step.z, inquiry.thresholds.z))
        missing = {"ood": _OOD} if inquiry.requests_unsure else {}
        awaits = next(iter(missing), None)
        inquiry.add("data_drift", (name,), shift.step, certain, "covariate_shift_of_true_values", pieces, missing=missing, awaits=awaits)


def _leading(inquiry: Inquiry, drift: Sequence[str]) -> list[str]:
    """Those that moved by much, or by not much less than any: whatever hangs together with these moves a little, too."""
    largest = max((inquiry.shifts[name].size for name in drift), default=0.0)
    return [name for name in drift if name in inquiry.fresh or inquiry.shifts[name].size >= min(_MUCH, _PART * largest)]


def _follow(inquiry: Inquiry, names: Sequence[str]) -> None:
    """They are not named, but said, and no longer stand still."""
    drifts = [one for one in inquiry.findings if one.cause == "data_drift"]
    for name in names:
        inquiry.claimed.setdefault(name, "data_drift")
        if drifts:
            shift = inquiry.shifts[name]
            drifts[0].evidence.append(Piece("moved_along", shift.size, shift.threshold, name, shift.step.z))


def _covariates(inquiry: Inquiry, name: str) -> None:
    t, shift, doubtful = inquiry.thresholds, inquiry.shifts[name], name in inquiry.doubtful
    known, unsure = inquiry.agree_known(name, shift.step.onset), name in inquiry.unsure
    missing = {} if known else {"agreement": f"whether {name} is computed otherwise in serving"}
    missing |= {"ood": _OOD} if unsure else {}
    weak = name not in inquiry.fresh and shift.size < t.shift_certain * shift.threshold
    pieces = [Piece("total_variation", shift.size, shift.threshold, name, shift.step.z)]
    pieces.append(Piece("pairs_agree", "yes" if known else "unknown", None, name, role="for" if known else "against"))
    inquiry.add(
        "data_drift",
        (name,),
        shift.step,
        sure((shift.size, shift.threshold), (shift.step.z, t.z), missing=int(not known), against=_DOUBT * int(doubtful) + int(weak)),
        "new_category" if name in inquiry.fresh else "covariate_shift",
        pieces,
        missing=missing,
        awaits=next(iter(missing), None),
        alternatives=(*(("feature_recalibration",) if doubtful else ()), *(("prediction_label_bias",) if unsure else ())),
    )


def _labels(inquiry: Inquiry, prior: Prior, drift: Sequence[str]) -> None:
    t = inquiry.thresholds
    pieces = [
        Piece("outcome_rate_change", prior.step.level, t.label_shift, None, prior.step.z),
        Piece("total_variation_given_outcome", prior.within, t.label_within),
    ]
    certain = sure((prior.step.level, t.label_shift), (t.label_shift, max(prior.within, _LEAST_WITHIN)))
    inquiry.add("data_drift", drift, prior.step, certain, "label_shift", pieces)


def _true_values(inquiry: Inquiry, *, alone: bool) -> dict[str, Shift]:
    """Faulty features whose offline side shifts, too: drift beside the fault, unless new requests make it. ``alone``: nothing else does."""
    found = {}
    for name, cause in inquiry.claimed.items():
        if cause not in PIPELINE:
            continue
        shift = _offline(inquiry, name)
        if shift is not None and not _of_novelty(inquiry, shift, alone=alone):
            found[name] = shift
    return found


def _of_novelty(inquiry: Inquiry, shift: Shift, *, alone: bool) -> bool:
    """Whether new requests make it: it began with them, or is no larger than their share, or follows them and nothing else drifts."""
    if inquiry.novel is None:
        return False
    if alone and shift.step.onset >= inquiry.novel.onset:
        return True  # beside a fault nobody can say when they came
    return abs(shift.step.onset - inquiry.novel.onset) <= _SAME or shift.size <= inquiry.novel_share


def _offline(inquiry: Inquiry, name: str) -> Shift | None:
    shift = inquiry.shift_of(name, inquiry.base.offline, inquiry.now.offline)
    return shift if shift is not None and shift.size > shift.threshold else None


def _prior(inquiry: Inquiry, relations: Relations) -> Prior | None:
    """Of binary outcomes: P(y) moves, P(x given y) stays."""
    t, base = inquiry.thresholds, relations.base(False)
    if not inquiry.case.binary or base is None or not relations.width:
        return None
    before, now = (_rates(of) for of in (inquiry.case.baseline, inquiry.case.monitored))
    found = [one for one in (inquiry.step(before, now, 0.0), inquiry.step(-before, -now, 0.0)) if one is not None]
    step = max(found, key=lambda one: one.z, default=None)
    if step is None or step.level < t.label_shift:
        return None
    since = relations.since(step.onset, inner=False)
    if since is None or since.rows < _LEAST:
        return None
    within = rounded(max((_moved(base, since, columns) for columns in relations.columns.values()), default=0.0))
    return Prior(step, within) if within < t.label_within else None


def _moved(base: Stretch, since: Stretch, columns: NDArray[np.int64]) -> float:
    """The larger total variation of a feature given either outcome, less what sampling comes to."""
    found = 0.0
    for outcome in (0, 1):
        before, now = (one.hy[columns] if outcome else np.diag(one.hh)[columns] - one.hy[columns] for one in (base, since))
        if before.sum() > 0 and now.sum() > 0:
            found = max(found, total_variation(before, now) - _NOISE * float(np.sqrt(len(columns) / now.sum())))
    return found


def _rates(windows: Sequence[Window]) -> Floats:
    relations = [None if window.outcomes is None else window.outcomes.relation for window in windows]
    return np.array([np.nan if one is None or one.rows < 20 else one.y / one.rows for one in relations])
