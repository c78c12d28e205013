"""One value that takes over: a sensor that is stuck, a default value that suddenly dominates, even where it is an ordinary value."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.detectors.counting import Counting
from driftbus.detectors.episodes.step import Bucket, Suite, start, step
from driftbus.schemas.messages.drift import DriftEvent

from .worlds import SECONDS, compiled_for, numeric_field, reference_of

ROWS, OTHERS = 100, 4
#: Buckets before anything changes.
QUIET = 20
LAWS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda draw, rows: draw.normal(size=rows),
    "ages": lambda draw, rows: draw.integers(18, 60, rows).astype(np.float64),
    "mostly zero": lambda draw, rows: np.where(draw.random(rows) < 0.6, 0.0, draw.exponential(5, rows)),
    "skewed": lambda draw, rows: draw.lognormal(3, 1, rows),
}
every_law = pytest.mark.parametrize("law", LAWS)


@cache
def watched(law: str) -> tuple[Suite, Counting]:
    draw = np.random.default_rng(3)
    others = [numeric_field(f"other {number}", draw.normal(size=10_000)) for number in range(OTHERS)]
    reference = reference_of(numeric_field("x", LAWS[law](draw, 10_000)), *others)
    return compiled_for(reference), Counting(reference)


def first_event(law: str, value: float, share: float, within: int) -> DriftEvent | None:
    """What is said when this share of the rows takes one value, within so many buckets."""
    tests, counting = watched(law)
    draw, state = np.random.default_rng(5), start(tests, 0)
    for number in range(QUIET + within):
        values = LAWS[law](draw, ROWS)
        if number >= QUIET:
            values[draw.random(ROWS) < share] = value
        counts, sums = counting.count(np.column_stack([values, draw.normal(size=(ROWS, OTHERS))]), [])
        begin = number * SECONDS * 1000
        state, events = step(tests, state, Bucket(begin, begin + SECONDS * 1000, ROWS, 0, counts, sums, True, False))
        if events:
            assert number >= QUIET
            return events[0]
    return None


def ordinary(law: str, rank: float = 0.7) -> float:
    """A value in the midst of the others."""
    return float(np.quantile(LAWS[law](np.random.default_rng(6), 999), rank, method="nearest"))


@every_law
def test_a_stuck_sensor_is_told_in_its_first_bucket(law: str) -> None:
    event = first_event(law, ordinary(law), share=1.0, within=1)
    assert event is not None
    assert event.severity == "major"
    (signal,) = event.signals
    assert (signal.name, signal.of) == ("x", "values")
    assert "near" in signal.change


@every_law
def test_an_ordinary_value_that_a_fifth_of_the_rows_takes_is_told(law: str) -> None:
    event = first_event(law, ordinary(law), share=0.2, within=5)
    assert event is not None
    assert [signal.name for signal in event.signals] == ["x"]
    assert "near" in event.signals[0].change


@every_law
def test_a_value_beyond_all_others_is_told(law: str) -> None:
    event = first_event(law, 9_999.0, share=0.02, within=8)
    assert event is not None
    assert event.signals[0].change == "new mass above maximum"
    assert event.signals[0].effect.unseen
