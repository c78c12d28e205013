"""False alarms and delays of a rule over all references and runs, and the threshold that gives the false alarms wanted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from . import streams
from .rules import First, Rule
from .streams import HORIZON, NORMAL, REFERENCES, RUNS, TARGET, Change, Law

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: The search for a threshold: so many halvings on so many references, until the logarithm is so close to its target; then so many steps on
#: all of them, until it is so near.
STEPS, FEW, CLOSE, REFINEMENTS, NEAR = 12, 6, 0.1, 5, 0.01


@dataclass(frozen=True)
class World:
    """What is watched: how many features, of which law, seen in how many references and runs each."""

    features: int = 1
    law: Law = NORMAL
    references: int = REFERENCES
    runs: int = RUNS
    unit: float = 1.0
    errors: float | None = None  #: the share of errors instead of values
    horizon: int = HORIZON

    def of(self, references: int) -> "World":
        """The first of its references only."""
        return replace(self, references=references)

    def reference(self, number: int) -> Floats:
        """Its rows, [feature, row]."""
        return self._seen(np.stack([streams.reference(number, self.law, f) for f in range(self.features)]))

    def quiet(self, number: int) -> Floats:
        """Streams in which nothing changes, [run, feature, row]."""
        return self._seen(np.stack([streams.quiet(number, self.runs, self.law, f, self.horizon) for f in range(self.features)], axis=1))

    def changed(self, number: int, change: Change) -> tuple[Floats, Integers]:
        """Streams whose first feature changes, and the quiet rows before."""
        rows, starts = streams.changed(number, change, self.runs, self.horizon)
        others = [streams.quiet(number, self.runs, self.law, f, rows.shape[1]) for f in range(1, self.features)]
        return self._seen(np.stack([rows, *others], axis=1)), starts

    def _seen(self, rows: Floats) -> Floats:
        if self.errors is None:
            return rows * self.unit if self.unit != 1.0 else rows
        return (rows > streams.quantile(1 - self.errors)).astype(np.float64)


@dataclass(frozen=True)
class Runs:
    """Rows to the first alarm, [reference, run]; 0 where there was none."""

    rows: Integers
    longest: int  #: how long the runs without an alarm were

    def by_reference(self) -> Floats:
        """Rows per alarm of each reference: all that were watched over all alarms, so that unfinished runs count as what they are."""
        watched = np.where(self.rows > 0, self.rows, self.longest).sum(axis=1)
        return np.asarray(watched / np.maximum((self.rows > 0).sum(axis=1), 1), dtype=np.float64)

    def in_panes(self, pane: int) -> "Runs":
        """The same runs, each up to the end of its alarm's pane."""
        return Runs(-(-self.rows // pane) * pane, self.longest)

    @property
    def arl(self) -> float:
        """Mean rows to a false alarm."""
        return float(self.by_reference().mean())


def end_of_pane(row: int, pane: int) -> int:
    """How many rows have passed when the pane of this row ends."""
    return (row // pane + 1) * pane


@lru_cache(maxsize=20 * REFERENCES)
def prepared(rule: Rule, world: World, number: int) -> First:
    """A rule that knows one reference."""
    return rule.of(world.reference(number))


def quiet_runs(tuned_rules: Sequence[tuple[Rule, float]], world: World) -> list[Runs]:
    """Rows to a false alarm of every rule at its threshold."""
    found = np.zeros((len(tuned_rules), world.references, world.runs), dtype=np.int64)
    for number in range(world.references):
        streams_ = world.quiet(number)
        for place, (rule, threshold) in enumerate(tuned_rules):
            first = prepared(rule, world, number)
            for run, rows in enumerate(streams_):
                at = first(rows, threshold)
                found[place, number, run] = at + 1 if at < rows.shape[1] else 0
    return [Runs(each, world.horizon) for each in found]


@dataclass(frozen=True)
class Delays:
    """Rows from the change to the end of the alarm's pane, [reference, run]; 0 where a false alarm came first."""

    rows: Integers
    never: int  #: runs without any alarm within the horizon, counted with its length

    def by_reference(self) -> Floats:
        """Mean of each reference; NaN where a false alarm came first in all of its runs."""
        kept = (self.rows > 0).sum(axis=1)
        return np.asarray(np.where(kept > 0, self.rows.sum(axis=1) / np.maximum(kept, 1), np.nan), dtype=np.float64)

    @property
    def alarms(self) -> int:
        """How many were found."""
        return int((self.rows > 0).sum()) - self.never


def delays(tuned_rules: Sequence[tuple[Rule, float]], world: World, change: Change, pane: int) -> list[dict[int, Delays]]:
    """The delays of every rule at its threshold, row by row and by panes; of a rule that takes panes itself by these only."""
    found = [{each: np.zeros((world.references, world.runs), np.int64) for each in panes(rule, pane)} for rule, _ in tuned_rules]
    never = [0] * len(tuned_rules)
    for number in range(world.references):
        streams_, starts = world.changed(number, change)
        for place, (rule, threshold) in enumerate(tuned_rules):
            first = prepared(rule, world, number)
            for run, (rows, start) in enumerate(zip(streams_, starts, strict=True)):
                length = rows.shape[1] // rule.pane * rule.pane
                at = first(rows[:, :length], threshold)
                # A pane that holds the change may alarm on what came before it; which, only its end tells.
                if (at if rule.pane == 1 else at + 1) >= start + (rule.pane > 1):
                    never[place] += at == length
                    for each, rows_to_alarm in found[place].items():
                        rows_to_alarm[number, run] = end_of_pane(min(at, length - 1), each) - start
    return [{each: Delays(rows, never[place]) for each, rows in by_pane.items()} for place, by_pane in enumerate(found)]


def panes(rule: Rule, pane: int) -> tuple[int, ...]:
    """At which panes' ends its alarms are counted."""
    return (rule.pane,) if rule.pane > 1 else (1, pane)


def tuned(rule: Rule, world: World, target: float = TARGET) -> tuple[float, Runs]:
    """The threshold with about so many rows per false alarm, and the runs at it.

    Halving on a few references finds the neighbourhood; on all of them log(rows per false alarm) is nearly a straight line there.
    """
    few = replace(world, references=min(FEW, world.references))
    to, back = (math.log, math.exp) if rule.low > 0 else (float, float)
    low, high = to(rule.low), to(rule.high)
    seen: list[tuple[float, float]] = []
    for _ in range(STEPS):
        middle = (low + high) / 2
        gap = math.log(quiet_runs([(rule, back(middle))], few)[0].arl / target)
        seen.append((middle, gap))
        if abs(gap) < CLOSE and len(seen) > 1:
            break
        low, high = (middle, high) if gap < 0 else (low, middle)
    near = sorted(seen, key=lambda one: abs(one[1]))[:2]
    slope = (near[1][1] - near[0][1]) / (near[1][0] - near[0][0])
    at, best = near[0][0], None
    for _ in range(REFINEMENTS):
        (runs,) = quiet_runs([(rule, back(at))], world)
        gap = math.log(runs.arl / target)
        if best is None or abs(gap) < abs(best[0]):
            best = gap, back(at), runs
        if abs(gap) < NEAR or slope <= 0:
            break
        at = min(max(at - gap / slope, to(rule.low)), to(rule.high))
    assert best is not None
    return best[1], best[2]
