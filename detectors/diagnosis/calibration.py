"""Confidence from what people said: how often, of former incidents of a cause with such a score, that cause was right.

Isotonic regression (Barlow et al. 1972; Zadrozny and Elkan 2002): the never falling curve with the least squared error. It supposes
nothing but that a higher score is no worse. Where people said little, a curve of them would be chance: a cause without enough answers keeps
its score.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...schemas.messages.root_cause import Cause
from ...schemas.stored.calibration import LEAST, MOST, Calibration, CauseCalibration
from .finding import Diagnosis, Finding

#: Answers of a cause without which it is not calibrated: with 30 a share is known to a tenth (one standard error).
ENOUGH = 30
#: Digits of a confidence.
DIGITS = 6


class Answered(NamedTuple):
    """An incident of which a person said something."""

    cause: Cause
    score: float  #: of the finding that the person saw, before any calibration
    right: bool


def fitted(answers: Iterable[Answered]) -> Calibration:
    """Of the causes with `ENOUGH` answers of both kinds; the order of the answers does not matter."""
    by_cause: dict[str, list[Answered]] = {}
    for one in answers:
        by_cause.setdefault(one.cause, []).append(one)
    curves = {cause: _curve(own) for cause, own in sorted(by_cause.items()) if enough(own)}
    return Calibration(causes=curves)


def enough(answers: list[Answered]) -> bool:
    """Whether they say something of scores: of one kind alone they say the same of all."""
    return len(answers) >= ENOUGH and len({one.right for one in answers}) > 1


def _curve(answers: list[Answered]) -> CauseCalibration:
    from scipy.optimize import isotonic_regression  # as `exchange` loads its own

    scores, places = np.unique([round(one.score, DIGITS) for one in answers], return_inverse=True)
    rows = np.bincount(places)
    right = np.bincount(places, weights=[one.right for one in answers])
    shares = isotonic_regression(right / rows, weights=rows).x
    confidence = np.maximum.accumulate(np.round(np.clip(shares, LEAST, MOST), DIGITS))
    return CauseCalibration(
        scores=tuple(scores.tolist()),
        confidence=tuple(confidence.tolist()),
        confirmed=int(right.sum()),
        rejected=len(answers) - int(right.sum()),
    )


def calibrated(diagnosis: Diagnosis, curves: Mapping[str, CauseCalibration]) -> Diagnosis:
    """Findings with the confidence of their cause's curve. What may be confirmed is as it was: that is asked of the score."""
    return diagnosis._replace(findings=[_calibrated(one, curves) for one in diagnosis.findings]) if curves else diagnosis


def _calibrated(finding: Finding, curves: Mapping[str, CauseCalibration]) -> Finding:
    curve = curves.get(finding.cause)
    if curve is None:
        return finding
    score = round(finding.confidence, DIGITS)
    return replace(finding, confidence=confidence(curve, score), score=score)


def confidence(curve: CauseCalibration, score: float) -> float:
    """Of a score.

    >>> curve = CauseCalibration(scores=(0.5, 0.7), confidence=(0.4, 0.8), confirmed=20, rejected=10)
    >>> [confidence(curve, score) for score in (0.1, 0.6, 0.9)]
    [0.4, 0.6, 0.8]
    """
    return round(float(np.interp(score, curve.scores, curve.confidence)), DIGITS)
