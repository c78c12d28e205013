"""Baselines and steps to test with: ordinary ones, and the degenerate ones that a uniform strategy would miss."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.consumers.reference.outcomes import LOSSES
from driftbus.detectors.concept import Arrivals, Gathering, OutcomeSettings, OutcomeSuite
from driftbus.detectors.episodes.step import State, start, step
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.baseline import OutcomeBaseline

Counts = NDArray[np.int64]
SECONDS = 50
ROWS = (0, 1, 29, 30, 700, 10**7)


def baseline_of(rows: Sequence[int], errors: Sequence[int], tau: float = 1.0) -> OutcomeBaseline:
    """Of a label a second."""
    return OutcomeBaseline(
        model="loans",
        version="3",
        first=0,
        last=1000 * sum(rows),
        rows=tuple(rows),
        errors=tuple(errors),
        tau=round(1000 * tau),
    )


def baseline_of_numbers(losses: Sequence[NDArray[np.float64]], tau: float = 1.0) -> OutcomeBaseline:
    """Of losses in each cell; a label a second."""
    step, cells = numbers(0, losses), len(losses)
    gathering = Gathering("loans", "3", cells, LOSSES, 2.0**-20, wanted=max(int(step.rows.sum()), 1))
    gathering.add(Arrivals(0, 1000 * max(int(step.rows.sum()), 1), step.rows, step.errors, step.losses, step.absolute))
    return gathering.baseline().model_copy(update={"tau": round(1000 * tau)})


def suite_of(baseline: OutcomeBaseline, **settings: Any) -> OutcomeSuite:  # of differing types, by name
    """One false alarm in 100,000 labels, unless it is said otherwise."""
    chosen = OutcomeSettings.model_validate({"budget_seconds": 100_000, **settings})
    return OutcomeSuite(baseline, chosen, application="watch", stream="labels", configuration_hash="sha256:c", reference_hash="sha256:r")


def arrivals(number: int, rows: Sequence[int], errors: Sequence[int]) -> Arrivals:
    """The step of that number."""
    return Arrivals(number * SECONDS * 1000, (number + 1) * SECONDS * 1000, np.array(rows), np.array(errors))


def numbers(number: int, losses: Sequence[NDArray[np.float64]]) -> Arrivals:
    """The step of that number, of losses in each cell in a fixed point of 2^-20."""
    fixed = [np.minimum(np.rint(own * 2.0**20), 2.0**30).astype(np.int64) for own in losses]
    bins = np.stack([np.bincount(np.searchsorted(LOSSES, own, side="right"), minlength=len(LOSSES) + 1) for own in fixed])
    rows, total = np.array([len(own) for own in fixed]), sum(int(own.sum()) for own in fixed)
    return Arrivals(number * SECONDS * 1000, (number + 1) * SECONDS * 1000, rows, np.zeros_like(rows), bins, total)


def folded(tests: OutcomeSuite, steps: Iterable[Arrivals], *, through_bytes: bool = False) -> tuple[State, list[DriftEvent]]:
    """The state behind them, and all events."""
    state, events = start(tests, 0), list[DriftEvent]()
    for one in steps:
        state, new = step(tests, State.decoded(state.encoded()) if through_bytes else state, one.bucket(tests.baseline.large))
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


#: Losses of a cell: none, ordinary, all alike, all zero, nearly none, so large that they are cut.
OF_CELLS = tuple(
    np.asarray(losses, dtype=np.float64)
    for losses in (
        np.zeros(0),
        np.random.default_rng(1).exponential(1.0, 2_000),
        np.full(700, 0.5),
        np.zeros(700),
        np.full(40, 1e-9),
        np.array([1e300] * 600),
        np.array([0.0, 1e300] * 300),
    )
)
losses_of_cells = st.lists(st.sampled_from(OF_CELLS), min_size=1, max_size=4)


@st.composite
def baselines(draw: st.DrawFn) -> OutcomeBaseline:
    """Up to five cells."""
    rows, errors = draw(counts(draw(st.integers(1, 5))))
    return baseline_of(rows, errors, draw(st.sampled_from((1.0, 3.5, 400.0))))
