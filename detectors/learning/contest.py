"""Which of two models predicts better: a bet on the difference of their squared errors, tempered by how labels hang together.

One that does not serve bets on being better. What a row can win is bounded before its label is known, so that nothing must be assumed of
how large differences are. By chance a stake becomes twenty times itself in one run of twenty, however long it is looked at: a challenger
that gets there serves, and the other one bets.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.contest import STAKES

Floats = NDArray[np.float64]

#: A challenger that has so many times what it began with serves.
ENOUGH = 20.0
#: Of the rows so far a batch is at most this part: of fewer batches the variance of the means is luck.
FEWEST_BATCHES = 6
#: The variance of some six means is off by a half; who takes it twice is seldom below what it is. Where it is no larger than that of
#: independent rows is in ninety-nine of a hundred, it is taken as it is: else labels that do not hang together would count half.
SAFETY, _CHANCE_Z = 2.0, 2.33
#: In front of the backtest so large a part of one is not looked at: who begins with nothing is far behind whoever learns faster, and that
#: would count for ever as a swing. (Tau of the flights was 34 with it, and is 10.)
_BEGINNING = 4
#: Rows after which tau is looked at again.
_LOOKED_AT = 64
_LOG_ENOUGH, _STAKES = math.log(ENOUGH), np.array(STAKES)
#: Below it two predictions are one: nothing is bet on their difference.
_NO_DIFFERENCE = 1e-9


def advantage(serving: float, challenger: float, label: bool) -> float:
    """By what part of the most that it could be the challenger's squared error is smaller; 0 where both say the same.

    >>> round(advantage(0.5, 0.8, True), 3), round(advantage(0.5, 0.8, False), 3)
    (0.538, -1.0)
    """
    apart = abs(serving - challenger) * max(serving + challenger, 2 - serving - challenger)
    return ((serving - label) ** 2 - (challenger - label) ** 2) / apart if apart > _NO_DIFFERENCE else 0.0


@dataclass
class Dependence:
    """How many rows in a row count as one independent one (tau): the variance of means of batches, of 1, 2, 4, ... rows.

    It needs no more than a few numbers a length, and goes on as long as rows come.
    """

    rows: int = 0
    levels: list[list[float]] = field(default_factory=list)  #: of a length: batches, sum, sum of squares, and what the open one holds

    def add(self, value: float) -> None:
        """The next row."""
        self.rows += 1
        for level in self.levels:
            batches, total, square, waits = level
            level[:3] = batches + 1, total + value, square + value * value
            if batches % 2 == 0:
                level[3] = value
                return
            value = (waits + value) / 2
        self.levels.append([1, value, value * value, value])

    def tau(self) -> float:
        """At least 1."""
        found, of_rows = 1.0, self._variance(0)
        for power in range(1, len(self.levels)):
            batches = self.levels[power][0]
            if batches >= FEWEST_BATCHES and of_rows > 0:
                ratio = 2**power * self._variance(power) / of_rows
                found = max(found, ratio * (SAFETY if ratio > _by_chance(batches - 1) else 1.0))
        return found

    def _variance(self, power: int) -> float:
        if power >= len(self.levels) or self.levels[power][0] < 2:
            return 0.0
        batches, total, square, _ = self.levels[power]
        return max((square - total * total / batches) / (batches - 1), 0.0)


def _by_chance(freedom: float) -> float:
    """What a variance of independent means comes to at most, as a multiple of what it is (Wilson and Hilferty)."""
    part = 2 / (9 * freedom)
    return (1 - part + _CHANCE_Z * math.sqrt(part)) ** 3


@dataclass
class Contest:
    """Two models, and the wealth of the one that does not serve.

    Parameters
    ----------
    backtest
        Rows from which it is only learnt how labels hang together, before anything is bet; a quarter as many in front of them are left out.
    serving
        0: the first of the two, 1: the second.
    """

    backtest: int
    serving: int = 0
    dependence: Dependence = field(default_factory=Dependence)
    tau: float = 1.0  #: as of the last look
    #: By stake, before it is tempered.
    wealth: Floats = field(default_factory=lambda: np.zeros(len(STAKES)))
    early: int = 0  #: rows that were not looked at

    def take(self, found: float) -> bool:
        """The next `advantage` of the second model over the first. Whether the challenger has won: it serves, and the other one begins."""
        if found == 0.0:
            return False
        if self.early < self.backtest // _BEGINNING:
            self.early += 1
            return False
        self.dependence.add(found)
        if self.dependence.rows % _LOOKED_AT == 0:
            self.tau = self.dependence.tau()
        if self.dependence.rows <= self.backtest:
            return False
        self.wealth = self.wealth + np.log1p((-found if self.serving else found) * _STAKES)
        if self.wealth.max() < _LOG_ENOUGH * self.tau or self.log_evidence < _LOG_ENOUGH:  # the mean is no more than the largest
            return False
        self.serve(1 - self.serving)
        return True

    def serve(self, which: int) -> None:
        """This one serves; the other has won nothing yet. How labels hang together is known."""
        self.serving, self.wealth = which, np.zeros(len(STAKES))

    @property
    def log_evidence(self) -> float:
        """The log of what the challenger has made of 1."""
        tempered = self.wealth / self.tau
        most = float(tempered.max())
        return most + math.log(float(np.mean(np.exp(tempered - most))))

    def plain(self) -> list[Any]:  # numbers
        """What is remembered."""
        levels = [list(level) for level in self.dependence.levels]
        return [self.serving, self.dependence.rows, levels, self.tau, self.wealth.tolist(), self.early]

    @classmethod
    def of(cls, backtest: int, plain: list[Any]) -> "Contest":
        """What `plain` wrote; what a former release did, who looked at all rows, goes on without its beginning."""
        serving, rows, levels, tau, wealth, *early = plain
        dependence = Dependence(rows, [list(level) for level in levels])
        return cls(backtest, serving, dependence, tau, np.array(wealth), early[0] if early else backtest // _BEGINNING)
