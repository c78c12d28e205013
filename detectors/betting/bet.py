"""What all bets are made of.

A bet's log likelihood ratio of a bucket is ``slope * x + intercept * n``: n the signal's rows, x a sum of scores (smooth bets) or
the rows in one or two bins (two-point bets). Only these factors are kept, never a matrix of bins by bets.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Tilts in sd of the score: a shift is found about as fast as by the nearest of them.
TILTS = (0.06, 0.2, 0.4, 0.85)
#: Of each tilt, for location. The smallest is for huge streams: at a long budget's margin nothing else sees a tenth of a sd.
LOCATION_WEIGHTS = (0.15, 1.2, 2.2, 0.35)
#: By how much of the rest a rare bin is raised.
RAISES = (0.02, 0.1, 0.4)
#: What a category's share is multiplied by.
FACTORS = (1 / 4, 1 / 2, 1 / 1.5, 1 / 1.2, 1.2, 1.5, 2.0, 4.0)
#: No bet on a share beyond this one: what is left would be too small to lose on.
HIGHEST_TARGET = 0.95
#: Of a smooth bet on location, spread, skew, tails, and of a two-point bet. Locations change most often: at equal false alarms these, with
#: normal scores, find .25 sd after 174 rows instead of 214, and a Laplace law of equal variance after 339 instead of 203.
ORDER_WEIGHTS, RARE_WEIGHT = (20.0, 1.15, 0.2, 0.2), 1.1

_SMOOTH_WORDS = (("mean down", "mean up"), ("spread down", "spread up"), ("skew down", "skew up"), ("tails lighter", "tails heavier"))


@dataclass(frozen=True, slots=True)
class Bet:
    """One column: on the sum of the scores of an ``order``, or on the rows in ``bins``."""

    order: int | None
    bins: tuple[int, ...]
    slope: float
    intercept: float
    weight: float
    words: str  #: what has changed if it wins
    target: float  #: the tilt, or the share, that it bets on: whatever it concedes, by this it is known among those of its bins and words


@dataclass(frozen=True, slots=True)
class Concession:
    """What every bet of a signal gives away: the reference's uncertainty, and the smallest effect worth hearing of."""

    rows: int  #: of the reference, counted in this signal
    margin: float  #: standard errors
    min_effect: float  #: sd of the score
    aligned: bool = False  #: a bet that cannot be made is one that never moves, so that references of the same bins have the same bets

    def per_sd(self, tau: float) -> float:
        """Of a score that depends on its ``tau`` predecessors, in its sd."""
        return self.margin * math.sqrt(tau / self.rows) + self.min_effect

    def possible(self, share: float) -> float:
        """A bin that has rows in the whole, but none in the part that is compared with, as if it had been met once more."""
        return share or 1 / (self.rows + 1)


def smooth(shares: Floats, score: Floats, order: int, tau: float, concession: Concession) -> Iterator[Bet]:
    """Exponential tilts of the reference by one score, in both directions."""
    error = concession.margin * math.sqrt(tau / concession.rows)
    held = shares > 0
    weights = LOCATION_WEIGHTS if order == 0 else (1.0,) * len(TILTS)
    for tilt, weight in zip(TILTS, weights, strict=True):
        for up in (True, False):
            exponent = (tilt if up else -tilt) * score
            highest = float(exponent[held].max())
            psi = highest + math.log(float((shares * np.exp(np.minimum(exponent - highest, 0.0))).sum()))
            second = float((shares[held] * np.exp(2 * (exponent[held] - psi))).sum())
            sensitivity = max(tilt, math.sqrt(max(second - 1, 0.0)))  # the error of a mean E is its sd over sqrt(rows)
            given_away = psi + error * sensitivity + tilt * concession.min_effect
            slope = (tilt if up else -tilt) / tau
            yield Bet(order, (), slope, -given_away / tau, ORDER_WEIGHTS[order] * weight, _SMOOTH_WORDS[order][up], tilt if up else -tilt)


def two_point(share: float, target: float, bins: tuple[int, ...], tau: float, concession: Concession, words: str) -> Iterator[Bet]:
    """The share of some bins becomes ``target``, the rest keep their proportions; none where the concession swallows the bet.

    ``min_effect`` counts here too: a tilt of any score by so many sd moves a share by at most so many of its own sd (to first order).
    """
    granted = math.copysign(concession.per_sd(tau) * math.sqrt(share * (1 - share)), target - share)
    base = share + granted
    if share < base < target <= HIGHEST_TARGET or target < base < share:
        inside, outside = math.log(target / base) / tau, math.log((1 - target) / (1 - base)) / tau
        yield Bet(None, bins, inside - outside, outside, RARE_WEIGHT, words, target)
    elif concession.aligned:
        yield Bet(None, bins, 0.0, 0.0, RARE_WEIGHT, words, target)


def raises(share: float, bins: tuple[int, ...], tau: float, concession: Concession, words: str) -> Iterator[Bet]:
    """Bets that a rare bin takes some of the rest."""
    for part in RAISES:
        yield from two_point(share, share + (1 - share) * part, bins, tau, concession, words)


def factors(share: float, bins: tuple[int, ...], tau: float, concession: Concession, more: str, fewer: str) -> Iterator[Bet]:
    """Bets that a category's share is multiplied; where it has none, that it takes some of the rest."""
    possible = concession.possible(share)
    for factor, raised in zip(FACTORS, (*[0.0] * (len(FACTORS) - len(RAISES)), *RAISES), strict=True):
        target = share * factor if share else raised or possible
        yield from two_point(possible, target, bins, tau, concession, more if factor > 1 else fewer)


def normalised(bets: Sequence[Bet]) -> Floats:
    """The weights of one signal's bets, as they sum to 1."""
    weights: Floats = np.array([bet.weight for bet in bets])
    weights /= weights.sum()
    return weights


def weighing(bets: Sequence[Bet], share: float, beside: Sequence[Bet]) -> list[Bet]:
    """The bets with weights that give them this share of what they and those ``beside`` have; as they are where either is empty."""
    own, others = (sum(bet.weight for bet in each) for each in (bets, beside))
    factor = share / (1 - share) * others / own if bets and beside else 1.0
    return [replace(bet, weight=bet.weight * factor) for bet in bets]
