"""Which of two models predicts better: a bet on the difference of their squared errors, tempered by how labels hang together.

One that does not serve bets on being better. What a row can win is bounded before its label is known, so that nothing must be assumed of
how large differences are. By chance a stake becomes twenty times itself in one run of twenty, however long it is looked at: a challenger
that gets there serves, and the other one bets.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from ...schemas.messages.contest import STAKES

#: A challenger that has so many times what it began with serves.
ENOUGH = 20.0
#: Of the rows so far a batch is at most this part: of fewer batches the variance of the means is luck.
FEWEST_BATCHES = 6
#: Where batches that follow one another are alike, longer ones than were seen would differ more: by how much, the two longest lengths tell
#: of which there are batches enough, of more than two rows; of a window, which has few, more are asked for.
_SHORTEST, _LONGEST, _ENOUGH_BATCHES, _OF_A_WINDOW = 2, 2, 12, 24
#: They are taken for alike by so many standard errors more than they were found, and by no more than so much.
_MARGIN_Z, _MOST_ALIKE = 2.0, 0.97
#: A window is a quarter of a backtest. Of so many of the newest that are over the largest tau counts, so many times: of one it is known by
#: few batches.
_QUARTERS, _WINDOWS, OF_WINDOWS = 4, 4, 8.0
#: Rows after which tau is looked at again. It falls by no more than half in a fifth of a backtest: where it is low for a moment, that is
#: luck more often than not, and who bets for long meets many such moments.
_LOOKED_AT, _HALVED_IN = 64, 5
_LOG_ENOUGH = math.log(ENOUGH)
#: Below it two predictions are one: nothing is bet on their difference; and so are advantages, of whose variance that is all.
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

    def tau(self, enough: int) -> float:
        """At least 1; where there are as many as ``enough`` batches of a length, what lengths that were not seen would add counts too."""
        found, of_rows = 1.0, self._variance(0)
        if of_rows <= _NO_DIFFERENCE:
            return found
        ratios = [(1 << power) * self._variance(power) / of_rows for power in range(self._lengths)]
        known = [power for power in range(_SHORTEST, self._lengths - 1) if self.levels[power][0] >= enough and ratios[power] > 0]
        for power in known[-_LONGEST:]:
            alike = _at_most(ratios[power + 1] / ratios[power] - 1, self.levels[power][0])
            found = max(found, ratios[power] * (1 + alike) / (1 - alike))
        return max(found, *ratios)

    @property
    def _lengths(self) -> int:
        """Of which there are batches enough."""
        return sum(level[0] >= FEWEST_BATCHES for level in self.levels)

    def plain(self) -> tuple[int, list[list[float]]]:
        """What is remembered."""
        return self.rows, [list(level) for level in self.levels]

    @classmethod
    def of(cls, rows: int, levels: list[list[float]]) -> "Dependence":
        """What `plain` wrote."""
        return cls(rows, [list(level) for level in levels])

    def _variance(self, power: int) -> float:
        if power >= len(self.levels) or self.levels[power][0] < 2:
            return 0.0
        batches, total, square, _ = self.levels[power]
        return max((square - total * total / batches) / (batches - 1), 0.0)


def _at_most(alike: float, batches: float) -> float:
    """How much batches in a row are alike, at most: of few the correlation is found too small (Kendall), and not exactly."""
    likely = min(alike + max(1 + 3 * alike, 0.0) / batches, _MOST_ALIKE)
    error = math.sqrt((1 - min(max(likely, -0.9), 0.9) ** 2) / batches)
    return min(max(likely + _MARGIN_Z * error, 0.0), _MOST_ALIKE)


def _log_mean(wealth: list[float], tau: float) -> float:
    tempered = [one / tau for one in wealth]
    most = max(tempered)
    return most + math.log(sum(math.exp(one - most) for one in tempered) / len(tempered))


def _won(wealth: list[float], tau: float) -> bool:
    return max(wealth) >= _LOG_ENOUGH * tau and _log_mean(wealth, tau) >= _LOG_ENOUGH  # the mean is no more than the largest


@dataclass
class Contest:
    """Two models, and the wealth of the one that does not serve.

    The challenger bets twice, and either bet can win. All that it gained is tempered by how all rows hang together. But a lead that comes,
    goes or grows is a swing of long batches for ever; so what it gained since the open window began is tempered by the windows that were
    over before: no gain by a tau of its own window, within which a long swing looks steady.

    The first window is not looked at: who begins with nothing is far behind whoever learns faster, and that would count for ever as a
    swing. (Tau of the flights was 34 with it, and is 14.)

    Parameters
    ----------
    backtest
        Rows before anybody wins; a window in front of them is left out.
    serving
        0: the first of the two, 1: the second.
    """

    backtest: int
    serving: int = 0
    dependence: Dependence = field(default_factory=Dependence)
    tau: float = 1.0  #: as of the last look
    #: By stake, before it is tempered.
    wealth: list[float] = field(default_factory=lambda: [0.0] * len(STAKES))
    early: int = 0  #: rows that were not looked at
    recent: list[float] = field(default_factory=lambda: [0.0] * len(STAKES))  #: of the wealth, what was gained since the open window began
    window: Dependence = field(default_factory=Dependence)  #: the open one
    windows: list[float] = field(default_factory=list)  #: tau of the newest that are over

    def take(self, found: float) -> bool:
        """The next `advantage` of the second model over the first. Whether the challenger has won: it serves, and the other one begins."""
        if found == 0.0:
            return False
        if self.early < self.backtest // _QUARTERS:
            self.early += 1
            return False
        self._look(found)
        gained = -found if self.serving else found
        gains = [math.log1p(gained * stake) for stake in STAKES]
        self.wealth = [wealth + gain for wealth, gain in zip(self.wealth, gains, strict=True)]
        self.recent = [wealth + gain for wealth, gain in zip(self.recent, gains, strict=True)]
        if self.dependence.rows <= self.backtest or not any(_won(*bet) for bet in self._bets):
            return False
        self.serve(1 - self.serving)
        return True

    def _look(self, found: float) -> None:
        if self.backtest and self.window.rows >= self.backtest // _QUARTERS:
            self.windows = [*self.windows[1 - _WINDOWS :], self.window.tau(_OF_A_WINDOW)]
            self.window, self.recent = Dependence(), [0.0] * len(STAKES)
        for dependence in (self.dependence, self.window):
            dependence.add(found)
        if self.dependence.rows % _LOOKED_AT == 0:
            kept = 0.5 ** (_LOOKED_AT * _HALVED_IN / self.backtest) if self.backtest else 0.0
            self.tau = max(self.dependence.tau(_ENOUGH_BATCHES), kept * self.tau)

    def serve(self, which: int) -> None:
        """This one serves; the other has won nothing yet. How labels hang together is known."""
        self.serving, self.wealth, self.recent = which, [0.0] * len(STAKES), [0.0] * len(STAKES)

    @property
    def _bets(self) -> list[tuple[list[float], float]]:
        """Wealth by stake, and the tau that tempers it."""
        later = [(self.recent, OF_WINDOWS * max(self.windows))] if self.windows else []
        return [(self.wealth, self.tau), *later]

    @property
    def log_evidence(self) -> float:
        """The log of what the challenger has made of 1, in the better of its bets."""
        return max(_log_mean(*bet) for bet in self._bets)

    def plain(self) -> list[Any]:  # numbers
        """What is remembered."""
        all_rows, open_window = self.dependence.plain(), self.window.plain()
        return [self.serving, *all_rows, self.tau, list(self.wealth), self.early, *open_window, self.windows, list(self.recent)]

    @classmethod
    def of(cls, backtest: int, plain: list[Any]) -> "Contest":
        """What `plain` wrote; what a former release did, who knew no windows, longer ones, or looked at all rows, goes on without."""
        serving, rows, levels, tau, wealth, *later = plain
        unknown: list[Any] = [backtest // _QUARTERS, 0, [], [], [0.0] * len(STAKES)]
        early, window_rows, window_levels, windows, recent = [*later, *unknown[len(later) :]]
        all_rows, window = Dependence.of(rows, levels), Dependence.of(window_rows, window_levels)
        return cls(backtest, serving, all_rows, tau, list(wealth), early, list(recent), window, list(windows))
