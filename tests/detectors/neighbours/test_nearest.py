"""The five largest products: the same numbers as of a whole sort, however many there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.neighbours.nearest import NEIGHBOURS, largest


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 99, 999, 1_000, 1_001, 1_049, 1_050, 4_321])
@given(seed=st.integers(0, 2**32), distinct=st.integers(1, 3_000))
def test_it_is_the_end_of_a_sort(count: int, seed: int, distinct: int) -> None:
    """With ties, of a few numbers or many; rows that all lie in one group, and negative ones."""
    products = np.random.default_rng(seed).integers(-distinct, distinct, (3, count)).astype(np.float32)
    products[1, -NEIGHBOURS:] = 1 + distinct  # one behind the other
    products[2, :: max(1, count // 50)] = 1 + distinct  # in one group
    assert np.array_equal(np.sort(largest(products), axis=1), np.sort(products, axis=1)[:, -NEIGHBOURS:])
