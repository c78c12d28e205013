"""How far records bring a partition's time: against the rule word by word, and what it is for, simulated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.consumers.streams.high_water import NEWEST, still_ahead, waters

LEAD = 1_000
HOUR = 3_600_000


def by_the_rule(high_water: int, ahead: tuple[int, ...], times: list[int], ends: list[bool], lead: int) -> list[int]:
    newest, found = list(ahead), []
    for time, end in zip(times, ends, strict=True):
        newest = [*newest, time][-NEWEST:]
        if len(newest) == NEWEST:
            high_water = max(high_water, min(newest))
        if end or time <= high_water + lead:
            high_water = max(high_water, time)
        found.append(high_water)
    return found


def waters_of(times: list[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    times = np.asarray(times, dtype=np.int64)
    return waters(int(times[0]), (), times, np.zeros(len(times), dtype=bool), LEAD)


_steps = st.lists(st.tuples(st.sampled_from((0, 1, 3, 4, 9, 30, 500)), st.sampled_from((0, 0, 0, 0, -2, -40, 25, 90, 5000))), max_size=300)


@settings(max_examples=500)
@given(steps=_steps, ends=st.sets(st.integers(0, 300), max_size=3), stop=st.integers(0, 300))
def test_any_records_raise_it_as_the_rule_says(steps: list[tuple[int, int]], ends: set[int], stop: int) -> None:
    times = (np.cumsum([0, *(step for step, _ in steps)])[1:] + np.array([error for _, error in steps], dtype=np.int64)).tolist()
    closing = [place in ends for place in range(len(times))]
    expected = by_the_rule(0, (), times, closing, 4)
    times_of, ends_of = np.array(times, dtype=np.int64), np.array(closing, dtype=bool)
    assert waters(0, (), times_of, ends_of, 4).tolist() == expected
    stop = min(stop, len(times))  # what a successor knows is enough
    water = expected[stop - 1] if stop else 0
    ahead = still_ahead((), times[:stop], water)
    assert waters(water, ahead, times_of[stop:], ends_of[stop:], 4).tolist() == expected[stop:]
    if stop:  # also where the last record comes once more, as behind a cut in front of it
        ahead = still_ahead((), times[: stop - 1], water)
        assert waters(water, ahead, times_of[stop - 1 :], ends_of[stop - 1 :], 4).tolist() == expected[stop - 1 :]


@pytest.mark.parametrize("ahead", [LEAD + 1, 600_000, 50 * 60_000])
@pytest.mark.parametrize("batch", [1, 2, 3, NEWEST - 1])
def test_a_batch_of_a_clock_that_goes_ahead_raises_nothing(ahead: int, batch: int) -> None:
    times = np.arange(0, 100_000, 100)
    times[500 : 500 + batch] += ahead
    right = np.arange(0, 100_000, 100)
    assert (waters_of(times) <= right).all()
    assert waters_of(times)[-1] == right[-1]


@pytest.mark.parametrize("gap", [LEAD + 1, 60_000, 50 * 60_000, 30 * HOUR])
def test_a_real_jump_is_believed_with_the_fifth_record(gap: int) -> None:
    times = np.concatenate((np.arange(0, 10_000, 100), 10_000 + gap + np.arange(0, 10_000, 100)))
    found = waters_of(times)
    assert found[100 + NEWEST - 2] == 9_900
    assert found[100 + NEWEST - 1] == times[100 + NEWEST - 1]
    assert found[-1] == times[-1]


@pytest.mark.parametrize("every", [1_500, 60_000, HOUR])
def test_sparse_records_are_four_behind(every: int) -> None:
    times = np.arange(0, 300 * every, every)
    assert waters_of(times)[NEWEST:].tolist() == times[1 : -NEWEST + 1].tolist()


def test_one_producer_of_five_that_is_ahead_gets_through_once_in_thousands() -> None:
    """Of a partition of many producers, so many runs of 1,000 records believe the one that is 50 minutes ahead."""
    random = np.random.default_rng(1)
    believed = {}
    for share in (0.02, 0.1, 0.2):
        runs = 300
        wrong = random.random((runs, 1_000)) < share
        wrong[:, 0] = False
        times = np.arange(0, 10_000, 10) + wrong * (50 * 60_000)
        believed[share] = sum(bool((waters_of(one) > 10_000).any()) for one in times) / runs
    assert believed[0.02] == 0
    assert believed[0.1] < 0.03
    assert 0.1 < believed[0.2] < 0.4  # 1 - exp(-1000 s^5 (1 - s)) is .23
