"""Online values differ from what the training pipeline computes for the same entity and time.

A single online value in place of many is a default; values of the right distribution that have nothing to do with the offline ones are
stale, or another entity's: those are unavailability. All else is computed otherwise.
"""

import math
from collections import Counter
from typing import NamedTuple

from ...schemas.stored.reference import NumericProfile
from .evidence import Agreeing
from .finding import Piece
from .inquiry import Inquiry, sure
from .statistics import Step, rounded

#: Sums of pairs are of multiples of 2^-12 of the reference's sd.
_UNIT = 1 << 12
#: Differing pairs without which no line is fitted.
_LEAST = 8


class Line(NamedTuple):
    """online = a x offline + b, over the pairs that differ."""

    r2: float  #: NaN: too few pairs
    a: float
    b: float


_NO_LINE = Line(math.nan, math.nan, math.nan)


def look(inquiry: Inquiry) -> None:
    """Of every feature that nothing has claimed."""
    for name in inquiry.layout.names:
        step = inquiry.mismatch(name)
        if name not in inquiry.claimed and step is not None and step.level > inquiry.thresholds.skew:
            _judged(inquiry, name, step)


def _judged(inquiry: Inquiry, name: str, step: Step) -> None:
    t, numeric = inquiry.thresholds, inquiry.layout.of[name].numeric
    pairs = [window.agreeing[name] for window in inquiry.case.monitored[step.onset :] if window.agreeing and name in window.agreeing]
    line = _line(inquiry, name, pairs) if numeric else _NO_LINE
    rate = Piece("mismatch_rate", step.level, t.skew, name, step.z)
    value = _single(pairs, t.single) if numeric else None
    moved = name in inquiry.shifts
    if value is not None and step.level > t.spike:
        evidence = [rate, Piece("mismatching_online_value", value, None, name)]
        inquiry.add("feature_unavailability", (name,), step, sure((step.level, t.skew), besides=[0.9]), "default_value", evidence)
    elif not moved and (abs(line.r2) < t.unrelated if numeric else not inquiry.ages_known):
        _stale(inquiry, name, step, line, rate)
    else:
        deployed = "yes" if inquiry.near(step.onset) else "no"
        evidence = [
            rate,
            *_of_line(line, t.affine, name),
            Piece("deployment_at_onset", deployed, role="for" if deployed == "yes" else "against"),
        ]
        subtype = "affine_mismatch" if line.r2 > t.affine else "computation_mismatch"
        inquiry.add("training_serving_skew", (name,), step, sure((step.level, t.skew), (step.z, t.z)), subtype, evidence)


def _stale(inquiry: Inquiry, name: str, step: Step, line: Line, rate: Piece) -> None:
    t, known = inquiry.thresholds, inquiry.ages_known
    doubt = 0.8 if inquiry.layout.of[name].numeric else 0.6
    inquiry.add(
        "feature_unavailability",
        (name,),
        step,
        sure((step.level, t.skew), besides=[doubt], missing=int(not known)),
        "stale_or_wrong_entity",
        [
            rate,
            *([] if math.isnan(line.r2) else [Piece("paired_r2", line.r2, t.unrelated, name)]),
            Piece("marginal_unchanged", "yes", None, name),
        ],
        missing={} if known else {"ages": "whether the values are old, or another entity's"},
        alternatives=("training_serving_skew",),
    )


def _of_line(line: Line, threshold: float, name: str) -> list[Piece]:
    if math.isnan(line.r2):
        return []
    return [Piece("paired_r2", line.r2, threshold, name), Piece("online_by_offline", f"{line.a:.6g} x + {line.b:.6g}", None, name)]


def _single(pairs: list[Agreeing], threshold: float) -> str | None:
    """The online value that most differing pairs have."""
    values: Counter[str] = Counter()
    for one in pairs:
        values.update(one.commonest)
    if not values:
        return None
    value, rows = min(values.items(), key=lambda item: (-item[1], item[0]))
    return value if rows > threshold * sum(one.differing for one in pairs) else None


def _line(inquiry: Inquiry, name: str, pairs: list[Agreeing]) -> Line:
    """By exact whole numbers up to the last division; less what the join's own noise comes to, as it was in the baseline."""
    profile = inquiry.layout.of[name].profile
    assert isinstance(profile, NumericProfile)
    usual = [window.agreeing[name] for window in inquiry.case.baseline if window.agreeing and name in window.agreeing]
    now_pairs, base_pairs = sum(one.pairs for one in pairs), sum(one.pairs for one in usual) or 1
    n, x, y, xx, xy, yy = (base_pairs * now - now_pairs * base for now, base in zip(_summed(pairs), _summed(usual), strict=True))
    if n < _LEAST * base_pairs:
        return _NO_LINE
    x_square, y_square, product = n * xx - x * x, n * yy - y * y, n * xy - x * y
    if x_square <= 0 or y_square <= 0:
        return _NO_LINE  # a constant on either side, or what noise leaves
    a = product / x_square
    b = profile.mean * (1 - a) + profile.sd * (y - a * x) / n / _UNIT
    return Line(rounded(min(product * product / (x_square * y_square), 1.0)), rounded(a), b)


def _summed(pairs: list[Agreeing]) -> list[int]:
    """Differing pairs, and their sums."""
    return [sum(one.differing for one in pairs), *(sum(int(one.sums[place]) for one in pairs) for place in range(5))]
