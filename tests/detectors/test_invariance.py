"""What is not there changes nothing else, and a unit is a unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.consumers.decode.interface import MARKS
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.episodes.step import Bucket, Suite, start, step
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField, Reference

from .worlds import MONTH, SECONDS, compiled_for

ROWS, BUCKETS = 200, 40
ABSENT = [float(np.array(mark, dtype=np.uint64).view(np.float64)) for mark in MARKS]


def _reference(columns: NDArray[np.float64]) -> Reference:
    there = AvailabilityProfile(counts=(len(columns), 0, 0, 0))
    fields = (
        ProfiledField(name=f"f{place}", type="numeric", values=profile_of(column), availability=there)
        for place, column in enumerate(columns.T)
    )
    return Reference(model="fraud", version="1", rows=len(columns), fields=tuple(fields))


def _world(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reference rows, and those behind it: the first of three features shifts on the way, the second is rounded, the third heavy-tailed."""
    draw = np.random.default_rng(seed)
    quiet, live = (
        np.stack([draw.normal(3, 2, n), np.round(draw.normal(size=n), 1), draw.standard_t(2, n)], axis=1) for n in (5_000, 8_000)
    )
    live[live.shape[0] // 2 :, 0] += draw.choice([0.0, 0.6, 2.0])
    return quiet, live


def _events(quiet: NDArray[np.float64], live: NDArray[np.float64]) -> tuple[Suite, list[DriftEvent]]:
    reference = _reference(quiet)
    tests, counting = compiled_for(reference, MONTH.model_copy(update={"rate": ROWS / SECONDS})), Counting(reference)
    state, found = start(tests, 0), list[DriftEvent]()
    for number in range(BUCKETS):
        counts, sums = counting.count(live[number * ROWS : (number + 1) * ROWS], [])
        ends = number * SECONDS * 1000, (number + 1) * SECONDS * 1000
        found += step(tests, state, Bucket(*ends, ROWS, 0, counts, sums, True, False))[1]
    return tests, found


def _decisions(events: list[DriftEvent]) -> list[object]:
    return [(e.status, e.bucket, e.onset, e.severity, [(s.name, s.of, s.change, s.rows, s.current) for s in e.signals]) for e in events]


@pytest.mark.parametrize("seed", range(100))
def test_a_unit_changes_no_decision(seed: int) -> None:
    quiet, live = _world(seed)
    draw = np.random.default_rng([seed, 1])
    of_two, by = 2.0 ** draw.integers(-40, 40, 3), np.exp(draw.normal(0, 5, 3))
    tests, events = _events(quiet, live)
    again, scaled = _events(quiet * of_two, live * of_two)
    for one, other in ((tests.bets._slope, again.bets._slope), (tests.bets._intercept, again.bets._intercept)):
        np.testing.assert_array_equal(one, other)
    assert _decisions(scaled) == _decisions(events)
    assert [[s.effect for s in e.signals] for e in scaled] == [[s.effect for s in e.signals] for e in events]
    assert [[s.log_evidence for s in e.signals] for e in scaled] == [[s.log_evidence for s in e.signals] for e in events]
    assert [[s.now.distinct for s in e.signals if s.now] for e in scaled] == [[s.now.distinct for s in e.signals if s.now] for e in events]
    assert _decisions(_events(quiet * by, live * by)[1]) == _decisions(events)


@given(st.integers(0, 999), st.integers(0, 2), st.sampled_from(ABSENT))
def test_what_is_absent_changes_no_other_signal(row: int, column: int, absent: float) -> None:
    quiet, live = _world(3)
    counting, rows = Counting(_reference(quiet)), live[:1_000]
    with_it = rows.copy()
    with_it[row, column] = absent
    one, other = (np.concatenate(counting.count(each, [])) for each in (rows, with_it))
    for signal in counting.layout.signals:
        same = signal.name != f"f{column}"
        assert np.array_equal(one[signal.span], other[signal.span]) == same, signal.key
