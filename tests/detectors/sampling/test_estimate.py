"""Estimates from a sample: against formulas of others, and at the edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import t as student
from sklearn.metrics import cohen_kappa_score

from driftbus.detectors.sampling.agreement import agreement
from driftbus.detectors.sampling.estimate import clopper_pearson, hajek, hajek_mean
from driftbus.detectors.sampling.weights import LEAST, MOST, of_scores

PROBABILITIES = st.floats(1e-6, 1.0)


@given(st.lists(st.tuples(st.booleans(), PROBABILITIES), max_size=30))
def test_estimates_are_numbers_within_their_intervals(rows: list[tuple[bool, float]]) -> None:
    found = hajek(np.array([float(right) for right, _ in rows]), np.array([probability for _, probability in rows]))
    assert found.cases == len(rows)
    assert 0 <= found.low <= found.high <= 1
    if rows:
        assert found.low - 1e-9 <= found.share <= found.high + 1e-9
        assert math.isfinite(found.variance)
    else:
        assert math.isnan(found.share)


@given(st.integers(0, 40), st.integers(1, 40))
def test_the_interval_is_that_of_clopper_and_pearson(of: int, rows: int) -> None:
    of = min(of, rows)
    expected = binomtest(of, rows).proportion_ci(0.95)
    np.testing.assert_allclose(clopper_pearson(of, rows), (expected.low, expected.high), atol=1e-9)


def test_all_rows_drawn_leave_nothing_open() -> None:
    found = hajek(np.array([1.0, 0.0, 1.0, 1.0]), np.ones(4))
    assert (found.share, found.low, found.high) == (0.75, 0.75, 0.75)


def test_a_small_uniform_sample_has_about_the_interval_of_a_binomial_one() -> None:
    right = np.repeat([1.0, 0.0], [80, 20])
    found = hajek(right, np.full(100, 0.001))
    expected = clopper_pearson(80, 100)
    np.testing.assert_allclose((found.low, found.high), expected, atol=0.002)


@pytest.mark.parametrize("value", [0.0, 2.5, 1e308])
def test_cases_that_are_all_the_same_say_nothing_of_the_others(value: float) -> None:
    found = hajek_mean(np.full(5, value), np.full(5, 0.1))
    assert found.mean == value
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_few_rows_that_stand_for_all_are_not_taken_for_many() -> None:
    """Thirty right ones that were drawn seldom, and a wrong one that was drawn for sure: of the others one in ten may be wrong."""
    found = hajek(np.repeat([1.0, 0.0], [30, 1]), np.repeat([0.001, 1.0], [30, 1]))
    assert found.effective < 61
    assert found.low < 0.96
    alike = hajek(np.ones(31), np.repeat([0.001, 0.1], [1, 30]))  # the first stands for three in four of all
    assert alike.effective < 2
    assert alike.low < 0.3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=30))
def test_agreement_is_cohens_kappa(pairs: list[tuple[str, str]]) -> None:
    found = agreement(pairs)
    if found.kappa is None:
        assert len({label for pair in pairs for label in pair}) == 1
    else:
        np.testing.assert_allclose(found.kappa, cohen_kappa_score(*zip(*pairs, strict=True)), atol=1e-12)


def test_agreement_of_nobody() -> None:
    assert agreement([]) == (0, None, None)
    assert agreement([("a", "a")]) == (1, 1.0, None)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=20))
def test_weights_of_any_score_are_of_few_classes(scores: list[float]) -> None:
    weights = of_scores(np.array(scores))
    assert set(weights.tolist()) <= {LEAST, 0.225, 0.275, 0.325, 0.375, 0.425, 0.475, MOST}


@given(st.lists(st.tuples(st.floats(0, allow_nan=False, allow_infinity=False), PROBABILITIES), max_size=20))
def test_means_lie_within_their_intervals(rows: list[tuple[float, float]]) -> None:
    found = hajek_mean(np.array([value for value, _ in rows]), np.array([probability for _, probability in rows]))
    assert found.cases == len(rows)
    if not rows:
        assert math.isnan(found.mean)
        return
    assert 0 <= found.mean <= max(value for value, _ in rows)
    if not math.isnan(found.low):
        assert 0 <= found.low <= found.mean <= found.high


def test_a_small_uniform_sample_has_about_students_interval() -> None:
    values = np.random.default_rng(1).exponential(2.0, 60)
    found = hajek_mean(values, np.full(60, 0.001))
    off = float(student.ppf(0.975, 59)) * values.std(ddof=1) / math.sqrt(60)
    np.testing.assert_allclose(found[:3], (values.mean(), values.mean() - off, values.mean() + off), rtol=2e-3)


def test_errors_of_a_weighted_sample_are_covered() -> None:
    """4,000 samples of some 100 of 5,000 rows: the larger its error, the more often a row is drawn."""
    generator = np.random.default_rng(2)
    errors = np.abs(generator.normal(0, 1, 5_000))
    chance = np.minimum(1, (0.5 + errors) / (0.5 + errors).sum() * 100)
    inside, found = 0, []
    for _ in range(4_000):
        some = generator.random(5_000) < chance
        one = hajek_mean(errors[some], chance[some])
        inside += one.low <= errors.mean() <= one.high
        found.append(one.mean)
    assert 0.93 < inside / 4_000 < 0.97
    assert abs(np.mean(found) - errors.mean()) < 2.5 * np.std(found) / math.sqrt(4_000)
