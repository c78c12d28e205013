"""Bets on the outcomes of a model: on its share of errors, and on the odds of an error within every cell at once.

A cell is a predicted class and a bin of its score. Inputs that move make hard rows commoner, and errors with them; within the cells they
leave the odds of an error as they were. So the one says that the model does worse, the other that its inputs have come to mean
something else.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.reference import CategoricalProfile
from .bet import Bet, Concession
from .rates import rate, watched

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Of the weight of a bet on more errors, what one on fewer of them has: that a model does better is told, but nobody waits for it. With a
#: tenth an unlucky baseline raised half as many false alarms of fewer errors, and .15 instead of .10 was found a twentieth later.
FEWER = 0.01
#: Of each tilt of the rate. What doubles errors is soon seen by any of them: at a rate of .1 most is on .16. Of a reference's category, in
#: both directions alike, large tilts have more (`rates.WEIGHTS`): here .15 would be found 4 % later, in steps of 200, and .3 3 % sooner.
RATE_WEIGHTS = (0.5, 2.0, 5.0, 1.0, 0.25)
#: By so much the log odds of an error are moved, in every cell at once.
ODDS = (0.05, -0.05, 0.1, -0.1, 0.2, -0.2, 0.4, -0.4, 0.7, -0.7, 1.0, -1.0)
#: What such a bet gains of a row is added up in multiples of 2^-20, rounded down.
ODDS_SCALE = 2.0**20
#: In these units. More than any budget, and no sum over the longest window leaves 64 bits.
_MOST = 2.0**47
#: A cell that fewer rows of the baseline fell into says nothing: with them its odds are known to less than a factor of two.
FEWEST_IN_CELL = 30


def errors(profile: CategoricalProfile, concession: Concession) -> Iterator[Bet]:
    """On the rate of errors; of two categories, right and wrong answers, they are the second."""
    right, wrong, _ = profile.counts
    rows = max(right + wrong, 1)
    shares = right / rows, wrong / rows
    for bet in rate(profile, shares, max(profile.tau, default=1.0), concession, RATE_WEIGHTS):
        more = bet.words == f"more {watched(profile)!r}"
        yield bet if more else replace(bet, weight=bet.weight * FEWER)


def relation(baseline: OutcomeBaseline, concession: Concession) -> Iterator[Bet]:
    """Of each move of the odds, on the sum that `Odds` makes of a bucket: this has given the margin away already."""
    sd = Odds(baseline, concession.margin).sd
    for bin_, tilt in enumerate(ODDS if heard(baseline).any() else ()):
        words = "more errors of the same answers" if tilt > 0 else "fewer errors of the same answers"
        tau = baseline.dependence
        yield Bet(None, (bin_,), 1 / ODDS_SCALE / tau, -abs(tilt) * sd * concession.min_effect / tau, 1.0, words, tilt)


def heard(baseline: OutcomeBaseline) -> NDArray[np.bool_]:
    """The cells that say something."""
    return np.asarray(baseline.rows, dtype=np.int64) >= FEWEST_IN_CELL


class Odds:
    """What the bets on the odds of an error make of rows and errors per cell.

    With the share p of errors in a cell, its log ratio of e errors among n rows is lam e - n log(1 - p + p exp(lam)). Of all cells this is
    added up, less c standard errors of the mean that the baseline's rows leave unknown: of the cells that a bucket's rows came from, for
    these may be others than before. (A cell of 50 rows that trebles is known no better for the 5,000 that the baseline has in all.)
    """

    def __init__(self, baseline: OutcomeBaseline, margin: float) -> None:
        rows, wrong = np.asarray(baseline.rows, dtype=np.float64), np.asarray(baseline.errors, dtype=np.float64)
        self.heard = heard(baseline)
        self.p = (wrong + 0.5) / (rows + 1)
        known, lam = np.where(self.heard, rows, 1.0), np.array(ODDS)[:, None]
        self._lam, self._psi = np.array(ODDS), np.log1p(self.p * np.expm1(lam)) * self.heard
        variance = np.where(self.heard, self.p * (1 - self.p), 0.0)
        # A mean of E moves by this much with p; as of every tilt, by no less than lam.
        steep = np.maximum(np.abs(np.expm1(lam)) / (1 + self.p * np.expm1(lam)), np.abs(lam))
        self._unknown = steep**2 * (variance / known)
        total = max(float((rows * self.heard).sum()), 1.0)
        self.sd = float(np.sqrt((rows * variance).sum() / total))
        #: Of one row, where cells come as often as in the baseline: the squared standard error of its mean.
        self._usual = (self._unknown * (rows * self.heard / total) ** 2).sum(axis=1)
        self._margin = margin * baseline.dependence**0.5

    def gains(self, rows: Counts, wrong: Counts) -> Counts:
        """Per bet what it gains, in units of 2^-20; of cells that the baseline hardly knows nothing."""
        n, e = rows * self.heard.astype(np.float64), float((wrong * self.heard).sum())
        # Of n rows that fell into a cell by chance n (n - 1) is in the mean the square of what was to be expected.
        unknown = np.maximum((self._unknown * (n * np.maximum(n - 1, 0.0))).sum(axis=1), self._usual * n.sum() ** 2)
        gains = self._lam * e - (self._psi * n).sum(axis=1) - self._margin * np.sqrt(unknown)
        floored: Counts = np.clip(np.floor(gains * ODDS_SCALE), -_MOST, _MOST).astype(np.int64)
        return floored
