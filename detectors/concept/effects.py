"""How much worse a model does, less what two samples of one law would show: in points of accuracy, in parts of the loss."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important
from ...schemas.messages.drift import Effect, Histogram, Statistics
from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.reference import NumericProfile
from ..betting.errors import Odds
from ..counting.layout import Signal
from ..effects import Change, Measure, rounded
from ..effects.counts import CountsMeasure
from .losses import middles
from .settings import Worse
from .space import CATEGORIES, Places

Counts = NDArray[np.int64]
#: The mean of |Z|, Z standard normal; of max(Z, 0) it is half.
_ABSOLUTE_MEAN = math.sqrt(2 / math.pi)


def measure_of(signal: Signal, baseline: OutcomeBaseline, worse: Worse) -> Measure:
    """Of a signal of this lane."""
    if signal.group == "relation":
        return RelationMeasure(signal, baseline, Odds(baseline, 0.0), Places.of(baseline), worse.accuracy)
    if isinstance(signal.profile, NumericProfile):
        counts = CountsMeasure.of(signal, None, Important())
        return LossMeasure(signal, baseline, counts, Places.of(baseline).losses, signal.start + signal.size, worse.loss)
    return ErrorsMeasure(signal, baseline, worse.accuracy)


@dataclass(frozen=True)
class ErrorsMeasure:
    """By how many points the share of errors has grown. That it fell is no effect: nobody need do anything about it."""

    signal: Signal
    baseline: OutcomeBaseline
    important: float

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        right, wrong = vector[self.signal.span][:2].tolist()
        n, n_ref, wrong_ref = right + wrong, self.baseline.labelled, self.baseline.wrong
        if n <= 0 or n_ref <= 0:
            return Change(Effect(), 0.0, 0)
        was, now, p = wrong_ref / n_ref, wrong / n, (wrong_ref + 1) / (n_ref + 2)
        noise = math.sqrt(p * (1 - p) * self.baseline.dependence * (1 / n + 1 / n_ref)) * _ABSOLUTE_MEAN / 2
        return Change(
            Effect(),
            max(now - was - noise, 0.0) / self.important,
            n,
            reference=Histogram(bins=CATEGORIES, counts=(n_ref - wrong_ref, wrong_ref)),
            current=Histogram(counts=(right, wrong)),
            was=Statistics(rows=n_ref, mean=rounded(was)),
            now=Statistics(rows=n, mean=rounded(now)),
        )

    def rows(self, vector: Counts) -> int:
        """Labels counted."""
        return int(vector[self.signal.span].sum())


@dataclass(frozen=True)
class LossMeasure:
    """By what part of itself the mean loss has grown, by the exact sums; and how its distribution has changed."""

    signal: Signal
    baseline: OutcomeBaseline
    counts: CountsMeasure
    losses: slice
    absolute: int  #: where the sum of the losses stands
    important: float

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        change, n = self.counts.on(vector), self.rows(vector)
        reference = np.asarray(self.baseline.losses, dtype=np.int64)
        n_ref, unit = int(reference.sum()), self.baseline.unit
        if n <= 0:
            return change._replace(ratio=0.0)
        was, now = self.baseline.absolute / n_ref, int(vector[self.absolute]) / n
        sd = math.sqrt(float(((middles(self.baseline.edges) - was) ** 2 * (reference / n_ref)).sum()))
        noise = sd * math.sqrt(self.baseline.dependence * (1 / n + 1 / n_ref)) * _ABSOLUTE_MEAN / 2
        return change._replace(
            ratio=max(now - was - noise, 0.0) / max(was, 1.0) / self.important,  # in fixed point 1 is as good as nothing
            was=Statistics(rows=n_ref, mean=rounded(was * unit), sd=rounded(sd * unit)),
            now=Statistics(rows=n, mean=rounded(now * unit)),
        )

    def rows(self, vector: Counts) -> int:
        """Labels counted."""
        return int(vector[self.losses].sum())


@dataclass(frozen=True)
class RelationMeasure:
    """By how many points errors are more, or fewer, than the cells that rows fell into let expect. Either way estimates are wrong.

    Of numbers, errors are large losses.
    """

    signal: Signal
    baseline: OutcomeBaseline
    odds: Odds
    places: Places
    important: float

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space; of cells that the baseline knows."""
        rows, wrong = vector[self.places.rows] * self.odds.heard, int((vector[self.places.errors] * self.odds.heard).sum())
        n = int(rows.sum())
        if n <= 0:
            return Change(Effect(), 0.0, 0)
        share, spread = rows / n, self.odds.p * (1 - self.odds.p) * self.baseline.dependence
        expected = float((share * self.odds.p).sum())
        known = np.maximum(np.asarray(self.baseline.rows), 1)
        noise = math.sqrt(float((spread * (share / n + share * share / known)).sum())) * _ABSOLUTE_MEAN
        was = round(n * expected)
        return Change(
            Effect(),
            max(abs(wrong / n - expected) - noise, 0.0) / self.important,
            n,
            reference=Histogram(bins=CATEGORIES, counts=(n - was, was)),
            current=Histogram(counts=(n - wrong, wrong)),
            was=Statistics(rows=self.baseline.labelled, mean=rounded(expected)),
            now=Statistics(rows=n, mean=rounded(wrong / n)),
        )

    def rows(self, vector: Counts) -> int:
        """Labels in cells that the baseline knows."""
        return int((vector[self.places.rows] * self.odds.heard).sum())
