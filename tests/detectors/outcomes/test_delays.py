"""Quantiles of delays from counts: near those of the delays themselves, and none of nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.outcomes.delays import DELAY_BINS, bins_of, covering, quantile

YEAR = 365 * 86_400_000
#: From where bins begin to where they end.
DELAYS = st.lists(st.integers(1_024, 2**36 - 1), min_size=1, max_size=60)
SHARES = st.sampled_from((0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0))


def counted(delays: list[int]) -> np.ndarray:
    return np.bincount(bins_of(np.array(delays, dtype=np.int64)), minlength=DELAY_BINS)


def of_rows(delays: list[int], share: float) -> int:
    """The smallest delay within which so large a share came."""
    return sorted(delays)[max(int(np.ceil(share * len(delays) - 1e-9)), 1) - 1]


@given(DELAYS, SHARES)
def test_a_quantile_lies_in_the_bin_of_the_row(delays: list[int], share: float) -> None:
    found, expected = quantile(counted(delays), share), of_rows(delays, share)
    assert found is not None
    assert abs(found - expected) <= expected / 8 + 1


@given(st.integers(1_024, 2**36 - 1), st.integers(1, 2**40))
def test_a_median_is_within_a_sixteenth(delay: int, rows: int) -> None:
    """The worst case: all rows have one delay."""
    found = quantile(counted([delay]) * rows, 0.5)
    assert found is not None
    assert abs(found - delay) <= delay / 16 + delay / 8 * (rows == 1) + 1


@given(DELAYS, SHARES)
def test_what_covers_a_share_covers_it(delays: list[int], share: float) -> None:
    found = covering(counted(delays), share)
    if found is None:
        assert bins_of(np.array([of_rows(delays, share)])) == DELAY_BINS - 1
    else:
        assert np.mean(np.array(delays) < found) >= share
        assert found <= of_rows(delays, share) * 9 / 8 + 1


@given(DELAYS, DELAYS, SHARES)
def test_counts_add_up(some: list[int], others: list[int], share: float) -> None:
    assert quantile(counted(some) + counted(others), share) == quantile(counted(some + others), share)


@given(DELAYS)
def test_quantiles_do_not_fall(delays: list[int]) -> None:
    found = [quantile(counted(delays), share) or 0 for share in (0.0, 0.1, 0.5, 0.8, 0.99, 1.0)]
    assert found == sorted(found)


@given(st.lists(st.integers(-(2**62), 2**62), max_size=40))
def test_every_delay_has_a_bin_and_longer_ones_no_earlier(delays: list[int]) -> None:
    found = bins_of(np.array(sorted(delays), dtype=np.int64))
    assert ((found >= 0) & (found < DELAY_BINS)).all()
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("counts", [np.zeros(0, dtype=np.int64), np.zeros(DELAY_BINS, dtype=np.int64)])
def test_nothing_has_no_quantile(counts: np.ndarray) -> None:
    assert quantile(counts, 0.5) is None
    assert covering(counts, 0.99) is None


def test_ends() -> None:
    assert quantile(counted([0, -7, 1_000]), 0.5) == 0
    assert covering(counted([0]), 0.99) == 1_024
    assert quantile(counted([5 * YEAR]), 0.5) == 2**36
    assert covering(counted([5 * YEAR]), 0.5) is None
    assert 2 * YEAR < 2**36
