"""Ours, as the product computes it, over many runs at once.

A bet's log ratio is linear in a pane's counts, so all that a row can say is one line of a table per bin; the table is read out of the
product's own bets, and `detectors.step` is not otherwise rewritten than as R <- (R + d) E. A test holds this fold against it.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.betting.scores import scores
from driftbus.detectors.counting.bins import bins_of, profile_of
from driftbus.detectors.episodes.step import Suite
from driftbus.detectors.profiling.dependence import Dependence
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField, Reference

from .compiling import COMPILED, compiled
from .streams import TARGET

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Rows whose bins are looked up at once: few at first, since most runs behind a change are short.
BLOCKS = (4_000, 16_000)


def profiled(rows: Floats) -> NumericProfile:
    """The profile that the product builds of a reference's rows in the order of their time, taus included."""
    profile = profile_of(rows)
    dependence = Dependence(scores(profile).T)
    dependence.add(bins_of(profile, rows))
    location, spread, skew, tails = dependence.tau().tolist()
    return profile.model_copy(update={"tau": (location, spread, skew, tails)})


def numeric(name: str, rows: Floats) -> ProfiledField:
    """A numeric feature whose reference has these rows."""
    return ProfiledField(name=name, type="numeric", values=profiled(rows), availability=AvailabilityProfile(counts=(len(rows), 0, 0, 0)))


def boolean(name: str, rows: Floats) -> ProfiledField:
    """A field that is 0 or 1."""
    ones = int(rows.sum())
    values = CategoricalProfile(categories=("0", "1"), counts=(len(rows) - ones, ones, 0), boolean=True)
    return ProfiledField(name=name, type="boolean", values=values, availability=AvailabilityProfile(counts=(len(rows), 0, 0, 0)))


def reference_of(*fields: ProfiledField) -> Reference:
    """Of these fields."""
    return Reference(model="scoreboard", version="1", rows=sum(fields[0].availability.counts), fields=fields)


def suite_of(reference: Reference, direction: str) -> Suite:
    """The product's tests, at a budget of one false alarm per 10,000 rows, a row a second, on changes in this direction."""
    features = {"*": {"direction": direction}}
    settings = Model.model_validate({"false_alarms": f"1 per {TARGET} rows", "rate": 1, "features": features})
    return Suite(reference, settings, application="scoreboard", stream="-", configuration_hash="-", reference_hash="-")


@partial(compiled, any_order=True)
def bet(state: Floats, start: Floats, factors: Floats) -> float:
    """One step of every bet, (state + start) x factor, in place; the sum behind it."""
    if not COMPILED:
        state += start
        state *= factors
        return float(state.sum())
    total = 0.0
    for k in range(len(state)):
        state[k] = (state[k] + start[k]) * factors[k]
        total += state[k]
    return total


@compiled
def fold(
    state: Floats, start: Floats, start_of_null: Floats, factors: Floats, logs: Floats, codes: Integers, threshold: float, pane: int
) -> int:
    """The row of the first alarm, else their number. ``state`` is the weighted R of each feature's bets, ``codes`` a line of the table."""
    features, length = codes.shape
    for end in range(pane, length + 1, pane):
        mean = 0.0
        for f in range(features):
            if pane == 1:
                code = codes[f, end - 1]
                mean += bet(state[f], start_of_null[f] if code < 0 else start[f], factors[f, code])
            else:
                nulls, total = 0, np.zeros(state.shape[1])
                for t in range(end - pane, end):
                    total += logs[f, codes[f, t]]
                    nulls += codes[f, t] < 0
                rows = pane * (start_of_null[f] if nulls == pane else start[f])
                mean += bet(state[f], rows, np.exp(np.minimum(total, 600.0)))
        if mean >= threshold:
            return end - 1
    return int(length)


class Ours:
    """One model's tests, ready to be folded over runs.

    The tables have one line per bin of a feature's values, and a last one for null; features with fewer bins or bets are filled with 0.
    """

    def __init__(self, tests: Suite) -> None:
        layout, bets, wide = tests.layout, tests.bets, np.zeros(tests.layout.wide, dtype=np.int64)
        one_row_each = np.eye(layout.size, dtype=np.int64)
        ratios = np.stack([bets.log_ratios(tests.space.vector(line, wide, (), None))[0] for line in one_row_each])
        names = np.array([signal.name for signal in bets.signals])[bets.owner]
        of_values = np.array([signal.of == "values" for signal in bets.signals])[bets.owner]
        values = [signal for signal in layout.signals if signal.of == "values"]
        lines, most = max(signal.size for signal in values), max(int((names == signal.name).sum()) for signal in values)
        self._profiles = [signal.field.values for signal in values if signal.field is not None]
        self._logs = np.zeros((len(values), lines + 1, most))
        self._start, self._start_of_null = np.zeros((2, len(values), most))
        for f, signal in enumerate(values):
            own = names == signal.name
            available = layout.find(signal.name, "availability")
            assert available is not None
            self._logs[f, : signal.size, : own.sum()] = (ratios[signal.span] + ratios[available.start])[:, own]
            self._logs[f, -1, : own.sum()] = ratios[available.start + 1, own]
            self._start[f, : own.sum()] = bets.joint_weight[own]
            self._start_of_null[f, : own.sum()] = np.where(of_values, 0.0, bets.joint_weight)[own]
        self._factors = np.exp(self._logs)

    def codes(self, rows: Floats) -> Integers:
        """Of rows [feature, row]: the bin, or -1 for null."""
        return np.stack([_codes(profile, column) for profile, column in zip(self._profiles, rows, strict=True)])

    def first(self, rows: Floats, threshold: float, pane: int = 1) -> int:
        """The row of the first alarm in rows [feature, row], else their number: alarm when M >= threshold, once per pane."""
        state, begin = np.zeros_like(self._start), 0
        for size in (*BLOCKS, rows.shape[1]):
            end = min(begin + size // pane * pane, rows.shape[1])
            at = fold(state, self._start, self._start_of_null, self._factors, self._logs, self.codes(rows[:, begin:end]), threshold, pane)
            if at < end - begin:
                return int(begin + at)
            begin = end
        return int(rows.shape[1])


def _codes(profile: object, rows: Floats) -> Integers:
    present = np.isfinite(rows)
    filled = np.where(present, rows, 0.0)
    return np.where(present, bins_of(profile, filled) if isinstance(profile, NumericProfile) else filled.astype(np.int64), -1)
