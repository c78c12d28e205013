"""Baselines and steps to test with: ordinary ones, and the degenerate ones that a uniform strategy would miss."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.concept import Arrivals, OutcomeSettings, OutcomeSuite
from driftbus.detectors.episodes.step import State, start, step
from driftbus.detectors.outcomes.grid import GRID, bins_on_grid
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.baseline import OutcomeBaseline

Counts = NDArray[np.int64]
SECONDS = 50
ROWS = (0, 1, 29, 30, 700, 10**7)


def baseline_of(rows: Sequence[int], errors: Sequence[int], losses: Counts | None = None, tau: float = 1.0) -> OutcomeBaseline:
    """Of a label a second."""
    return OutcomeBaseline(
        model="loans",
        version="3",
        first=0,
        last=1000 * sum(rows),
        rows=tuple(rows),
        errors=tuple(errors),
        losses=() if losses is None else tuple(losses.tolist()),
        tau=round(1000 * tau),
    )


def suite_of(baseline: OutcomeBaseline, **settings: Any) -> OutcomeSuite:  # of differing types, by name
    """One false alarm in 100,000 labels, unless it is said otherwise."""
    chosen = OutcomeSettings.model_validate({"budget_seconds": 100_000, **settings})
    return OutcomeSuite(baseline, chosen, application="watch", stream="labels", configuration_hash="sha256:c", reference_hash="sha256:r")


def arrivals(number: int, rows: Sequence[int], errors: Sequence[int], losses: Counts | None = None) -> Arrivals:
    """The step of that number."""
    counts = np.zeros(0, dtype=np.int64) if losses is None else losses
    return Arrivals(number * SECONDS * 1000, (number + 1) * SECONDS * 1000, np.array(rows), np.array(errors), counts)


def on_grid(losses: NDArray[np.float64]) -> Counts:
    """Counts of losses in a fixed point of 2^-20."""
    return np.bincount(bins_on_grid(np.rint(losses * 2**20).astype(np.int64)), minlength=GRID)


def folded(tests: OutcomeSuite, steps: Iterable[Arrivals], *, through_bytes: bool = False) -> tuple[State, list[DriftEvent]]:
    """The state behind them, and all events."""
    state, events = start(tests, 0), list[DriftEvent]()
    for one in steps:
        state, new = step(tests, State.decoded(state.encoded()) if through_bytes else state, one.bucket())
        events += new
    return state, events


def coin(rates: Iterable[float], labels: int = 50, seed: int = 1) -> list[Arrivals]:
    """Of one cell: a step for each share of errors."""
    draw = np.random.default_rng(seed)
    return [arrivals(number, [labels], [int(draw.binomial(labels, rate))]) for number, rate in enumerate(rates)]


@st.composite
def counts(draw: st.DrawFn, cells: int) -> tuple[list[int], list[int]]:
    """Rows and errors per cell: none, hardly any, huge; no errors, all wrong, some."""
    rows = draw(st.lists(st.sampled_from(ROWS), min_size=cells, max_size=cells))
    return rows, [draw(st.sampled_from((0, n, n // 10, n // 2))) for n in rows]


@st.composite
def baselines(draw: st.DrawFn) -> OutcomeBaseline:
    """Up to five cells; of numbers in a third of the cases."""
    rows, errors = draw(counts(draw(st.integers(1, 5))))
    losses = None
    if draw(st.integers(0, 2)) == 0:
        losses = np.zeros(GRID, dtype=np.int64)
        losses[draw(st.lists(st.integers(0, GRID - 1), min_size=1, max_size=4))] = max(sum(rows) // 4, 0)
    return baseline_of(rows, errors, losses, draw(st.sampled_from((1.0, 3.5, 400.0))))
