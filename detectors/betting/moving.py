"""References that move: with the hour of the day or of the week, or with the recent past. The bins stay, their counts change."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Model
from ...schemas.stored.reference import Reference
from ..counting.layout import Signal
from .localised import localised
from .mixture import Bets, compiled
from .seasons import SLOTS, Season, slots_of
from .space import MOVING, Space

Counts = NDArray[np.int64]
#: With fewer values in an hour nobody knows what to expect of a field then, and nothing is bet.
FEWEST_VALUES = 100


@dataclass
class Expected:
    """A reference's counts at one hour: the bets against them, and the share of rows expected in every bin."""

    bets: Bets
    shares: NDArray[np.float64]  #: of the pane's small numbers; of each signal's bins they sum to 1


class Seasonal:
    """One set of bets per hour, compiled when it is first needed. All have the same bets, so what is remembered goes on."""

    def __init__(self, space: Space, reference: Reference, settings: Model, budget_rows: float | None) -> None:
        self._space, self._settings, self._budget_rows = space, settings, budget_rows
        self._season: Season = "week" if len(reference.seasons) == SLOTS["week"] else "day"
        self._counts = [np.asarray(season.counts, dtype=np.int64) for season in reference.seasons]
        self.template = compiled(space, settings, budget_rows, aligned=True)
        self._known: dict[int, Expected] = {}

    def at(self, time: int) -> Expected:
        """What holds in the hour of a time (ms, UTC)."""
        slot = int(slots_of(self._season, np.array([time], dtype=np.int64))[0])
        if slot not in self._known:
            self._known[slot] = at_counts(self._space, self._settings, self._budget_rows, self.template, self._counts[slot])
        return self._known[slot]


def at_counts(space: Space, settings: Model, budget_rows: float | None, template: Bets, counts: Counts) -> Expected:
    """The bets against other counts in a reference's bins; of its pairs, segments and the like the reference itself stays."""
    signals, unknown, shares = list[Signal](), set[tuple[str, str, str]](), np.zeros(space.layout.size)
    for signal in space.signals:
        if signal.group in MOVING:
            own = counts[signal.span]
            shares[signal.span] = own / max(int(own.sum()), 1)
            if own.sum() < FEWEST_VALUES:
                unknown.add(signal.key)
            else:
                signal = replace(signal, profile=localised(signal.profile, own))
        signals.append(signal)
    bets = compiled(replace(space, signals=tuple(signals)), settings, budget_rows, aligned=True)
    return Expected(template.moved(bets, unknown), shares)
