"""A broken model, by its golden set: the same rows, the same truth, and more loss. Whatever else moves, that is the model."""

import numpy as np

from .evidence import Evaluated
from .finding import Piece
from .inquiry import Inquiry
from .statistics import Step, confidence, rounded, strength

#: What stands for the z of an evaluation: the same rows with the same truth have no sampling error.
_CERTAIN = 9.0
_LEAST_LOSS = 1e-12


def look(inquiry: Inquiry) -> None:
    """On one version of the golden set at a time; the newest that was evaluated both before and since."""
    found = [one for version in _newest_first(inquiry.case.evaluated) if (one := _of(inquiry, version)) is not None]
    if not found:
        return
    step, worse = found[0]
    deployed = bool(inquiry.near(step.onset))
    inquiry.add(
        "model_broken",
        (),
        step,
        confidence(strength(worse, inquiry.thresholds.golden), 0.97 if deployed else 0.9),
        "golden_set_regression",
        [
            Piece("golden_loss_increase", worse, inquiry.thresholds.golden),
            Piece("deployment_at_onset", "yes" if deployed else "no", role="for" if deployed else "against"),
        ],
    )


def anything(inquiry: Inquiry) -> bool:
    """Whether a golden set loses more."""
    return any(_of(inquiry, version) is not None for version in _newest_first(inquiry.case.evaluated))


def _newest_first(evaluated: list[Evaluated]) -> list[list[Evaluated]]:
    versions = dict.fromkeys(one.golden for one in sorted(evaluated, key=lambda one: (one.time, one.golden), reverse=True))
    return [sorted((one for one in evaluated if one.golden == version), key=lambda one: one.time) for version in versions]


def _of(inquiry: Inquiry, evaluated: list[Evaluated]) -> tuple[Step, float] | None:
    """The step of a golden set's loss, and the newest relative increase."""
    windows = inquiry.case.monitored
    if not windows:
        return None
    before = [one for one in evaluated if one.time <= windows[0].start] or evaluated[:1]
    since = [one for one in evaluated if one.time > before[-1].time]
    usual = max(float(np.mean([one.loss for one in before])), _LEAST_LOSS)
    bad = [one for one in since if one.loss > usual * (1 + inquiry.thresholds.golden)]
    if not bad:
        return None
    worse = rounded(bad[-1].loss / usual - 1)
    onset = _window(inquiry, bad[0].time)
    good = [_window(inquiry, one.time) for one in since if one.time < bad[0].time]
    if inquiry.loss is not None and (good[-1] if good else 0) <= inquiry.loss.onset <= onset:
        onset = inquiry.loss.onset
    return Step(_CERTAIN, worse, rounded(usual), onset, live=bad[-1] is since[-1]), worse


def _window(inquiry: Inquiry, time: int) -> int:
    return min(max(inquiry.window_of(time) or 0, 0), len(inquiry.case.monitored) - 1)
