"""Bets against "nothing has changed": fixed likelihood ratios, one column each, whose mean under the reference is at most 1.

A bet's log likelihood ratio of a bucket is ``slope * x + intercept * n``: n the signal's rows, x a sum of scores (smooth bets) or
the rows in one or two bins (two-point bets). Only these factors are kept, never a matrix of bins by bets.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..schemas.reference import AvailabilityProfile, CategoricalProfile, NumericProfile

Floats = NDArray[np.float64]

#: Tilts in sd of the score: a shift is found about as fast as by the nearest of them.
TILTS = (0.1, 0.2, 0.4, 0.8, 1.6)
#: By how much of the rest a rare bin is raised.
RAISES = (0.02, 0.1, 0.4)
#: What a category's share is multiplied by.
FACTORS = (1 / 4, 1 / 2, 1 / 1.5, 1 / 1.2, 1.2, 1.5, 2.0, 4.0)
#: What the share of an outermost bin, with what lies beyond it, is multiplied by, and how far at most.
OUTER_FACTORS, OUTER_LIMIT = (3.0, 10.0), 0.6
#: No bet on a share beyond this one: what is left would be too small to lose on.
HIGHEST_TARGET = 0.95
#: Of a smooth bet on location, spread, skew, tails, and of a two-point bet. Locations change most often; tuned to equal
#: false alarms, these gained .25 sd 234 -> 207 rows and lost only outliers 41 -> 45 against flat ones.
ORDER_WEIGHTS, RARE_WEIGHT = (6.0, 3.0, 1.0, 1.0), 1.0
#: Of a categorical signal's weight, what *other* has.
OTHER_SHARE = 1 / 9

_SMOOTH_WORDS = (("mean down", "mean up"), ("spread down", "spread up"), ("skew down", "skew up"), ("tails lighter", "tails heavier"))
#: In the order of the counts of an availability.
_AVAILABILITY_WORDS = ("values", "nulls", "invalid", "missing")


@dataclass(frozen=True, slots=True)
class Bet:
    """One column: on the sum of the scores of an ``order``, or on the rows in ``bins``."""

    order: int | None
    bins: tuple[int, ...]
    slope: float
    intercept: float
    weight: float
    words: str  #: what has changed if it wins


@dataclass(frozen=True, slots=True)
class Concession:
    """What every bet of a signal gives away: the reference's uncertainty, and the smallest effect worth hearing of."""

    rows: int  #: of the reference, counted in this signal
    margin: float  #: standard errors
    min_effect: float  #: sd of the score

    def per_sd(self, tau: float) -> float:
        """Of a score that depends on its ``tau`` predecessors, in its sd."""
        return self.margin * math.sqrt(tau / self.rows) + self.min_effect


def smooth(shares: Floats, score: Floats, order: int, tau: float, concession: Concession) -> Iterator[Bet]:
    """Exponential tilts of the reference by one score, in both directions."""
    error = concession.margin * math.sqrt(tau / concession.rows)
    held = shares > 0
    for tilt in TILTS:
        for up in (True, False):
            exponent = (tilt if up else -tilt) * score
            highest = float(exponent[held].max())
            psi = highest + math.log(float((shares * np.exp(np.minimum(exponent - highest, 0.0))).sum()))
            second = float((shares[held] * np.exp(2 * (exponent[held] - psi))).sum())
            sensitivity = max(tilt, math.sqrt(max(second - 1, 0.0)))  # the error of a mean E is its sd over sqrt(rows)
            given_away = psi + error * sensitivity + tilt * concession.min_effect
            slope = (tilt if up else -tilt) / tau
            yield Bet(order, (), slope, -given_away / tau, ORDER_WEIGHTS[order], _SMOOTH_WORDS[order][up])


def two_point(share: float, target: float, bins: tuple[int, ...], tau: float, concession: Concession, words: str) -> Iterator[Bet]:
    """The share of some bins becomes ``target``, the rest keep their proportions; none where the concession swallows the bet.

    ``min_effect`` counts here too: a tilt of any score by so many sd moves a share by at most so many of its own sd (to first order).
    """
    granted = math.copysign(concession.per_sd(tau) * math.sqrt(share * (1 - share)), target - share)
    base = share + granted
    if share < base < target <= HIGHEST_TARGET or target < base < share:
        inside, outside = math.log(target / base) / tau, math.log((1 - target) / (1 - base)) / tau
        yield Bet(None, bins, inside - outside, outside, RARE_WEIGHT, words)


def raises(share: float, bins: tuple[int, ...], tau: float, concession: Concession, words: str) -> Iterator[Bet]:
    """Bets that a rare bin takes some of the rest."""
    for part in RAISES:
        yield from two_point(share, share + (1 - share) * part, bins, tau, concession, words)


def factors(share: float, bins: tuple[int, ...], tau: float, concession: Concession, more: str, fewer: str) -> Iterator[Bet]:
    """Bets that a category's share is multiplied."""
    for factor in FACTORS:
        yield from two_point(share, share * factor, bins, tau, concession, more if factor > 1 else fewer)


def numeric(profile: NumericProfile, shares: Floats, scores: Floats, concession: Concession) -> Iterator[Bet]:
    """On location, spread, skew and tails of the values, and on what lies at and beyond their ends."""
    for order, score in enumerate(scores):
        if score.any():
            yield from smooth(shares, score, order, profile.tau[order], concession)
    tau = profile.tau[0]  # a value never seen in the reference has no dependence to measure: it inherits the location's
    rare = {0: "new mass below minimum", profile.above: "new mass above maximum"}
    if profile.gap is not None:
        rare[profile.gap] = "new mass in gaps"
    for bin_, words in rare.items():
        yield from raises(float(shares[bin_]), (bin_,), tau, concession, words)
    regular = [bin_ for bin_ in range(len(shares)) if bin_ not in rare]
    if len(regular) < 2:
        return
    for bins, words in (((0, regular[0]), "lower tail heavier"), ((regular[-1], profile.above), "upper tail heavier")):
        share = float(shares[list(bins)].sum())
        for factor in OUTER_FACTORS:
            yield from two_point(share, min(share * factor, OUTER_LIMIT), bins, tau, concession, words)


def categorical(profile: CategoricalProfile, shares: Floats, concession: Concession) -> Iterator[Bet]:
    """On every category alike, and on *other*."""
    taus = np.ones(len(shares)) if not profile.tau else np.asarray(profile.tau, dtype=np.float64)
    for bin_, name in enumerate(profile.categories):
        yield from factors(float(shares[bin_]), (bin_,), float(taus[bin_]), concession, f"more {name!r}", f"fewer {name!r}")
    other = len(profile.categories)
    words = "more other values" if profile.counts[other] else "new categories"
    yield from raises(float(shares[other]), (other,), float(taus.max()), concession, words)
    if profile.counts[other]:
        yield from factors(float(shares[other]), (other,), float(taus.max()), concession, words, "fewer other values")


def availability(profile: AvailabilityProfile, shares: Floats, location_tau: float, concession: Concession) -> Iterator[Bet]:
    """On each of present, null, invalid and missing."""
    for bin_, word in enumerate(_AVAILABILITY_WORDS):
        own = profile.tau[bin_] if profile.counts[bin_] else max(profile.tau)
        tau = max(own, location_tau)
        yield from raises(float(shares[bin_]), (bin_,), tau, concession, f"more {word}")
        yield from factors(float(shares[bin_]), (bin_,), tau, concession, f"more {word}", f"fewer {word}")


def availability_shares(profile: AvailabilityProfile) -> Floats:
    """Reference shares; each as if it had been met once more, since none is impossible."""
    counts: Floats = np.asarray(profile.counts, dtype=np.float64) + 1
    counts /= counts.sum()
    return counts


def normalised(bets: list[Bet], other: int | None) -> Floats:
    """The weights of one signal's bets: they sum to 1, a ninth of it on *other*."""
    weights: Floats = np.array([bet.weight for bet in bets])
    for_other = np.array([bet.bins == (other,) for bet in bets])
    if other is not None and for_other.any() and not for_other.all():
        weights[for_other] *= OTHER_SHARE / weights[for_other].sum()
        weights[~for_other] *= (1 - OTHER_SHARE) / weights[~for_other].sum()
    weights /= weights.sum()
    return weights


def location_tau(values: NumericProfile | CategoricalProfile | None) -> float:
    """The largest dependence of a field's values, which its rare bins and its availability inherit."""
    if values is None:
        return 1.0
    return values.tau[0] if isinstance(values, NumericProfile) else max(values.tau, default=1.0)
