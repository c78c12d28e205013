"""A short run of the simulation; the long one is a command."""

import pytest

from .reviewed import simulated


@pytest.mark.parametrize("kind", ["weighted", "busy"])
def test_estimates_are_not_biased_and_their_intervals_hold_the_truth(kind: str) -> None:
    found = simulated(kind, 10, 300)
    assert abs(found.bias) < 3 * found.error
    assert abs(found.uniform_bias) < 3.5 * found.uniform_error
    assert 0.92 <= found.covered <= 0.98
