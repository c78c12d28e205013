"""Counts as rows again: in reference units, without nulls, repeatable."""

import numpy as np
import pytest

from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.named.interface import WatchedSignal
from driftbus.detectors.named.units import MOST_ROWS, deviations, ranks, rows_of, two_valued

from .worlds import counted, errors, numbers


def test_ranks_are_between_0_and_1_in_the_order_of_the_values() -> None:
    watched = numbers()
    units = ranks(watched)
    assert units[watched.order[[0, -1]]] == pytest.approx([0, 1])
    assert (np.diff(units[watched.order]) >= 0).all()
    assert abs(float((units * watched.counts).sum() / watched.counts.sum()) - 0.5) < 1e-9


@pytest.mark.parametrize("factor", [2.0**-40, 1.0, 2.0**30])
def test_no_unit_of_the_data_shows(factor: float) -> None:
    values = np.random.default_rng(0).lognormal(size=5_000)
    scaled, plain = WatchedSignal("x", profile_of(values * factor)), WatchedSignal("x", profile_of(values))
    assert ranks(scaled).tolist() == ranks(plain).tolist()
    assert deviations(scaled).tolist() == deviations(plain).tolist()


def test_the_rarer_of_two_values_is_the_error() -> None:
    assert two_valued(errors(rate=0.1))[:2].tolist() == [0, 1]
    assert two_valued(errors(rate=0.9))[:2].tolist() == [1, 0]
    assert two_valued(errors(rate=0.5))[:2].tolist() == [0, 1]
    assert np.isnan(two_valued(errors())[2])


def test_few_rows_are_fed_one_by_one_and_many_by_quantiles() -> None:
    watched, rng = numbers(), np.random.default_rng(1)
    few = counted(watched, rng.normal(size=300))
    assert sorted(rows_of(few, ranks(watched), 5)) == sorted(np.repeat(ranks(watched), few))
    many = rows_of(few * 10**9, ranks(watched), 5)
    assert len(many) == MOST_ROWS
    assert abs(np.quantile(many, 0.25) - np.quantile(np.repeat(ranks(watched), few), 0.25)) < 0.02


def test_the_order_is_a_function_of_the_seed() -> None:
    watched = numbers()
    counts = counted(watched, np.random.default_rng(1).normal(size=300))
    first, again, other = (rows_of(counts, ranks(watched), seed).tolist() for seed in (5, 5, 6))
    assert first == again != other
    assert rows_of(np.array([1, 1, 1, 1, 1]), np.arange(5.0), 7).tolist() == [3.0, 4.0, 0.0, 2.0, 1.0]  # in every release of numpy
