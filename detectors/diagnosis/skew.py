"""Online values differ from what the training pipeline computes for the same entity and time.

A single online value in place of many is a default; values of the right distribution that have nothing to do with the offline ones are
stale, or another entity's: those are unavailability. All else is computed otherwise.
"""

import math
from collections import Counter
from typing import NamedTuple

import numpy as np

from ...schemas.stored.reference import NumericProfile
from .evidence import Agreeing
from .finding import Piece
from .groups import bin_of
from .inquiry import Inquiry, sure
from .statistics import Step, rounded

#: Sums of pairs are of multiples of 2^-12 of the reference's sd.
_UNIT = 1 << 12
#: Differing pairs without which no line is fitted.
_LEAST = 8
#: Of the variance of other offline values, that of differing pairs' below which they all had one.
_OF_OTHERS = 1 / 3
#: Of the variance of online values, what offline ones explain below which they may be old ones, too: some change slowly.
_FOLLOWS = 0.3


class Line(NamedTuple):
    """online = a x offline + b, over the pairs that differ."""

    r2: float  #: NaN: too few pairs
    a: float
    b: float


_NO_LINE = Line(math.nan, math.nan, math.nan)


def look(inquiry: Inquiry) -> None:
    """Of every feature that nothing has claimed."""
    steps = {name: step for name in inquiry.layout.names if name not in inquiry.claimed and (step := inquiry.mismatch(name)) is not None}
    differing = {
        name: _Differing(step, *_pairs(inquiry, name, step)) for name, step in steps.items() if step.level > inquiry.thresholds.skew
    }
    for name, one in differing.items():
        _judged(inquiry, name, one, default=_plain(inquiry, one) or _beside_a_default(inquiry, differing, name))


def of_one(inquiry: Inquiry, name: str, step: Step) -> bool:
    """Whether about one offline value is all that differs since then, though there are others: it became another one, as by a factor.

    A default stands for whichever value there would be.
    """
    pairs, value = _pairs(inquiry, name, step)
    return value is not None and _of_one(inquiry, name, pairs, value)


class _Differing(NamedTuple):
    """A feature whose pairs differ: since when, which, and the one online value that they have."""

    step: Step
    pairs: list[Agreeing]
    value: str | None


def _pairs(inquiry: Inquiry, name: str, step: Step) -> tuple[list[Agreeing], str | None]:
    found = [window.agreeing[name] for window in inquiry.case.monitored[step.onset :] if window.agreeing and name in window.agreeing]
    return found, _single(found, _usual(inquiry, name), inquiry.thresholds.single) if inquiry.layout.of[name].numeric else None


def _usual(inquiry: Inquiry, name: str) -> list[Agreeing]:
    return [window.agreeing[name] for window in inquiry.case.baseline if window.agreeing and name in window.agreeing]


def _plain(inquiry: Inquiry, one: _Differing) -> bool:
    """Whether so many rows have a default that it is one by itself."""
    return one.value is not None and one.step.level > inquiry.thresholds.spike


def _beside_a_default(inquiry: Inquiry, differing: dict[str, _Differing], name: str) -> bool:
    """Whether another feature of its source has one since then: of one whose values mostly are the default anyway few pairs differ."""
    source, onset = inquiry.layout.of[name].source, differing[name].step.onset
    begun = [(other, one.step.onset) for other, one in differing.items() if _plain(inquiry, one)]
    begun += [(other, one.onset) for one in inquiry.findings if one.subtype == "default_value" for other in one.features]
    return source is not None and any(inquiry.layout.of[other].source == source and abs(since - onset) <= 1 for other, since in begun)


def _judged(inquiry: Inquiry, name: str, differing: _Differing, *, default: bool) -> None:
    t, numeric, (step, pairs, value) = inquiry.thresholds, inquiry.layout.of[name].numeric, differing
    line = _line(inquiry, name, pairs) if numeric else _NO_LINE
    rate = Piece("mismatch_rate", step.level, t.skew, name, step.z)
    moved = name in inquiry.shifts
    if value is not None and default and not _of_one(inquiry, name, pairs, value):
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
        old = not moved and numeric and not inquiry.ages_known and line.r2 < _FOLLOWS
        missing = {"ages": "whether the values are old"} if old else {}
        certain = sure((step.level, t.skew), (step.z, t.z))
        inquiry.add("training_serving_skew", (name,), step, certain, subtype, evidence, missing=missing, awaits="ages" if old else None)


def _stale(inquiry: Inquiry, name: str, step: Step, line: Line, rate: Piece) -> None:
    t, known, numeric = inquiry.thresholds, inquiry.ages_known, inquiry.layout.of[name].numeric
    doubt = 0.8 if numeric else 0.6
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
        awaits=None if known or numeric else "ages",  # of categories nothing tells whether they follow
        alternatives=("training_serving_skew",),
    )


def _of_line(line: Line, threshold: float, name: str) -> list[Piece]:
    if math.isnan(line.r2):
        return []
    return [Piece("paired_r2", line.r2, threshold, name), Piece("online_by_offline", f"{line.a:.6g} x + {line.b:.6g}", None, name)]


def _single(pairs: list[Agreeing], usual: list[Agreeing], threshold: float) -> str | None:
    """The online value that most differing pairs have, less as many as differed where all was well: those are the join's own noise."""
    values: Counter[str] = Counter()
    for one in pairs:
        values.update(one.commonest)
    if not values:
        return None
    value, rows = min(values.items(), key=lambda item: (-item[1], item[0]))
    noise = sum(map(_apart, usual)) / max(sum(one.pairs for one in usual), 1)
    return value if rows > threshold * (sum(map(_apart, pairs)) - noise * sum(one.pairs for one in pairs)) else None


def _of_one(inquiry: Inquiry, name: str, pairs: list[Agreeing], value: str) -> bool:
    """By how much offline values vary, in pairs that differ and in all of another value than that one."""
    profile, offline = inquiry.layout.of[name].profile, [one.offline for one in pairs if one.offline is not None]
    assert isinstance(profile, NumericProfile)
    n, x, _, xx, _, _ = _less_noise(pairs, _usual(inquiry, name))
    if not offline or n <= 0:
        return False
    rows, values = np.sum(offline, axis=0).astype(np.float64), np.asarray(profile.values) / profile.sd
    rows[bin_of(profile, float(value))] = 0.0
    if not rows.sum():
        return False
    others = float(np.average((values - np.average(values, weights=rows)) ** 2, weights=rows))
    return (n * xx - x * x) / n / n / _UNIT**2 < _OF_OTHERS * others


def _apart(one: Agreeing) -> int:
    return one.differing + one.missing


def _line(inquiry: Inquiry, name: str, pairs: list[Agreeing]) -> Line:
    """By exact whole numbers up to the last division."""
    profile = inquiry.layout.of[name].profile
    assert isinstance(profile, NumericProfile)
    n, x, y, xx, xy, yy = _less_noise(pairs, usual := _usual(inquiry, name))
    if n < _LEAST * _pairs_of(usual):
        return _NO_LINE
    x_square, y_square, product = n * xx - x * x, n * yy - y * y, n * xy - x * y
    if x_square <= 0 or y_square <= 0:
        return _NO_LINE  # a constant on either side, or what noise leaves
    a = product / x_square
    b = profile.mean * (1 - a) + profile.sd * (y - a * x) / n / _UNIT
    return Line(rounded(min(product * product / (x_square * y_square), 1.0)), rounded(a), b)


def _less_noise(pairs: list[Agreeing], usual: list[Agreeing]) -> list[int]:
    """`_summed`, less what the join's own noise comes to, as it was in the baseline; times the pairs of that, which keeps them whole."""
    now, base = sum(one.pairs for one in pairs), _pairs_of(usual)
    return [base * one - now * other for one, other in zip(_summed(pairs), _summed(usual), strict=True)]


def _pairs_of(usual: list[Agreeing]) -> int:
    return sum(one.pairs for one in usual) or 1


def _summed(pairs: list[Agreeing]) -> list[int]:
    """Differing pairs, and their sums."""
    return [sum(one.differing for one in pairs), *(sum(int(one.sums[place]) for one in pairs) for place in range(5))]
