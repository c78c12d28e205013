"""Bets that more queries are unlike the training data than of known ones: on both levels of p, upwards only.

A factor of 1 + g (x - mu) / mu a row, x whether it is flagged: its mean is at most 1 whenever that of x is at most mu, whatever else is so
of the rows. (Likelihood ratios would find a tenth sooner, of independent flags; `docs/ood.md` has the figures.)
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from ...schemas.stored.familiarity import LEVELS
from ...schemas.stored.reference import CategoricalProfile
from .bet import Bet, Concession

#: What is put on each row, as a part of all.
STAKES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95)
#: Of the model's weight for this, what the signals of segments share, where there are any.
OF_SEGMENTS = 0.25
WORDS = "more of them"
#: Standard errors of the calibration that are given away at least: a twentieth of its rows, or a two hundredth, are few. With half of one
#: the unluckiest of twenty references raised 8.8 times the lane's share of false alarms at a budget of 10,000 rows; so it is 5.9 times.
LEAST_MARGIN = 1.0


def flags(profile: CategoricalProfile, concession: Concession, *, segment: bool) -> Iterator[Bet]:
    """On the rows of the first cell, and of the first two: p <= .005, p <= .05.

    Of all rows the level itself is expected; a segment has more of them, or fewer: as many as in the calibration.
    """
    for place, level in enumerate(LEVELS):
        bins, rows, tau = tuple(range(place + 1)), concession.rows, profile.tau[place]
        share = sum(profile.counts[bin_] for bin_ in bins) / rows if segment else level
        most = share + _given_away(concession, tau) * math.sqrt(share * (1 - share)) + 1 / (rows + 1)
        if most >= 1:
            continue
        for stake in STAKES:
            inside, outside = math.log1p(stake * (1 - most) / most) / tau, math.log1p(-stake) / tau
            yield Bet(None, bins, inside - outside, outside, 1.0, WORDS, stake)


def _given_away(concession: Concession, tau: float) -> float:
    return replace(concession, margin=max(concession.margin, LEAST_MARGIN)).per_sd(tau)
