"""What is expected of known rows: how their flags hang together, seen though most rows were left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftbus.detectors.familiarity.known import Flags, cells, tau

Rows = NDArray[np.int64]


def flags_of(rates: NDArray[np.float64], seed: int = 1) -> Flags:
    """A tenth of those at .05 are at .005."""
    u = np.random.default_rng(seed).random(len(rates))
    return (u < rates).astype(np.uint8) + (u < rates / 10)


def told(flags: Flags, held_out: Rows, *, timed: bool = True, sample: int = 1, numbers: Rows | None = None) -> tuple[float, float]:
    return tau(lambda rows: flags[rows], held_out, np.arange(len(flags)) if numbers is None else numbers, timed=timed, sample=sample)


def drawn(rows: int, number: int) -> Rows:
    """Of the newest half."""
    return np.sort(np.random.default_rng(2).choice(np.arange(rows // 2, rows), number, replace=False))


def test_rows_that_know_nothing_of_each_other() -> None:
    flags = flags_of(np.full(100_000, 0.05))
    assert told(flags, drawn(len(flags), 5_000)) == (1.0, 1.0)


def test_short_bursts_are_seen_though_one_row_in_ten_is_held_out() -> None:
    flags = flags_of(np.repeat(np.where(np.random.default_rng(3).random(20_000) < 0.1, 0.4, 0.01), 5))
    held_out = drawn(len(flags), 5_000)
    assert told(flags, held_out, timed=False)[1] < 1.5, "among others only"
    assert told(flags, held_out)[1] > 1.8


@pytest.mark.parametrize("period", [500, 5_000, 25_000])
def test_a_day_is_seen_whose_rows_are_fewer_than_those_looked_at_or_more(period: int) -> None:
    flags = flags_of(0.05 * (1 + np.sin(2 * np.pi * np.arange(100_000) / period)))
    far, unlike = told(flags, drawn(len(flags), 5_000))
    assert unlike > period / 200
    assert far >= 1 + (unlike - 1) / 4 - 1e-9, "too few are flagged at .005 to show it themselves"


def test_of_a_sample_less_hangs_together() -> None:
    flags = flags_of(0.05 * (1 + np.sin(2 * np.pi * np.arange(100_000) / 5_000)))
    held_out = drawn(len(flags), 5_000)
    all_, some = told(flags, held_out), told(flags, held_out, sample=8)
    assert some == pytest.approx(tuple(1 + (one - 1) / 8 for one in all_))
    numbered = told(flags, held_out, numbers=8 * np.arange(len(flags)), sample=8)
    assert numbered == pytest.approx(all_, rel=0.02), "one of eight rows was looked at, and one of eight is scored"


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.booleans(), st.integers(1, 100))
def test_any_flags(given_: list[int], timed: bool, sample: int) -> None:
    flags = np.array(given_, dtype=np.uint8)
    found = told(flags, np.arange(len(flags)), timed=timed, sample=sample)
    assert all(1 <= one < 1e6 for one in found)
    assert sum(cells(flags)) == len(flags) - given_.count(3)
