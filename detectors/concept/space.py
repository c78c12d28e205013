"""The vector that the lane of outcomes looks at: what was counted of a step, and what the two signals make of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from ..betting.errors import ODDS, Odds, heard
from ..betting.margin import margin
from ..betting.space import Space
from ..counting.bins import bins_of, profile_of
from ..counting.layout import Layout, Signal
from .losses import middles

Counts = NDArray[np.int64]

#: Right answers and errors, in the order of `at_work.ERRORS`; by name the second is the one whose rate is told.
CATEGORIES = ("correct", "errors")
#: Of a huge baseline's losses no more rows are written out to cut bins from.
_MOST_LOSSES = 100_000
ERRORS, RELATION = "(errors)", "(relation)"


@dataclass(frozen=True)
class Places:
    """Where the numbers of a step stand in its vector."""

    rows: slice  #: per cell
    errors: slice
    losses: slice  #: per bin of the loss

    @classmethod
    def of(cls, baseline: OutcomeBaseline) -> "Places":
        """In the order of `Arrivals.bucket`."""
        cells = len(baseline.rows)
        return cls(slice(0, cells), slice(cells, 2 * cells), slice(2 * cells, 2 * cells + len(baseline.losses)))


@dataclass(frozen=True)
class _Derived:
    """What stands in a vector behind what was counted."""

    places: Places
    signal: Signal | None  #: of errors
    bin_of: Counts  #: of every bin of the loss
    odds: Odds
    gains: slice

    def add(self, vector: Counts) -> None:
        """Put it there."""
        rows, errors, losses = vector[self.places.rows], vector[self.places.errors], vector[self.places.losses]
        if self.signal is not None:
            binned = np.zeros(self.signal.size, dtype=np.int64)
            if isinstance(self.signal.profile, NumericProfile):
                np.add.at(binned, self.bin_of, losses)
            else:
                binned[:2] = rows.sum() - errors.sum(), errors.sum()
            vector[self.signal.span] = binned
        vector[self.gains] = self.odds.gains(rows, errors)


def outcome_space(baseline: OutcomeBaseline, budget_rows: float | None, *, relation: bool = True) -> Space:
    """All that is tested of a version's outcomes against this baseline, with one false alarm in so many labels.

    ``relation``: of the relation to the answers, too.

    Inputs may move into any cell, and then it is that one's baseline that counts: of many one is unlucky. So cells are to the margin
    what fields are. (As a single field, 3 of 30 runs told of another relation where hard rows came three times as often.)
    """
    places = Places.of(baseline)
    start, profile = places.losses.stop, _profile(baseline)
    size = start + (0 if profile is None else len(profile.counts))
    gains = size + (1 if baseline.losses else 0)  # behind the sum of the losses
    errors = None if profile is None else Signal(ERRORS, "errors", "row", "errors", profile, start, size - start, slice(start, size))
    odds = Signal(RELATION, "relation", "row", "relation", baseline, gains, len(ODDS), places.rows)
    signals = tuple(one for one, watched in ((errors, True), (odds, relation)) if one is not None and watched)
    bin_of = bins_of(profile, _values(baseline)) if isinstance(profile, NumericProfile) else np.zeros(0, dtype=np.int64)
    unlucky = margin(budget_rows, max(baseline.labelled, 1), int(heard(baseline).sum()))
    derived = _Derived(places, errors, bin_of, Odds(baseline, unlucky), odds.span)
    layout = Layout(signals, size, gains + len(ODDS) - size, (), (), ())
    return Space(layout, signals, (), None, size, gains + len(ODDS), derived=derived)


def _values(baseline: OutcomeBaseline) -> NDArray[np.float64]:
    """What the losses in each bin are taken for, in the unit of the outcome."""
    return middles(baseline.edges) * baseline.unit


def _profile(baseline: OutcomeBaseline) -> NumericProfile | CategoricalProfile | None:
    """Of right and wrong, or of losses; None: nothing was counted."""
    tau = baseline.dependence
    if baseline.losses:
        losses = np.asarray(baseline.losses, dtype=np.float64)
        if not losses.any():
            return None
        behind = np.floor(np.cumsum(losses) * min(1.0, _MOST_LOSSES / losses.sum())).astype(np.int64)
        return profile_of(np.repeat(_values(baseline), np.diff(behind, prepend=0))).model_copy(update={"tau": (tau,) * 4})
    right = baseline.labelled - baseline.wrong
    return CategoricalProfile(categories=CATEGORIES, counts=(right, baseline.wrong, 0), tau=(tau,) * 3)
