"""The mixture adds seconds, multiplies evidence, and never leaves the finite numbers."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftbus.detectors.betting.mixture import Mixture
from driftbus.schemas.stored.reference import Reference

from .worlds import compiled_for, counts_of, numeric_field, panes, reference_of, references

RNG = np.random.default_rng(3)
REFERENCE = reference_of(numeric_field("a", RNG.normal(size=2000)), numeric_field("b", RNG.normal(size=2000)))


def test_seconds_count_only_where_a_signal_had_rows() -> None:
    tests = compiled_for(REFERENCE)
    mixture = Mixture.started(tests.bets, 0)
    counts = counts_of(REFERENCE, {"a": RNG.normal(size=50)}, 50)  # b is null throughout
    ratios, rows = tests.bets.log_ratios(counts)
    mean, before = mixture.update(tests.bets, ratios, rows, 10.0, 10_000)
    assert rows.tolist() == [50, 0, 50, 50]
    assert set(before[tests.bets.of(0)]) == {10.0}
    assert set(before[tests.bets.of(1)]) == {0.0}
    expected = sum(
        weight * (tests.bets.weight[tests.bets.of(s)] * 10 * np.exp(ratios[tests.bets.of(s)])).sum()
        for s, weight in enumerate(tests.bets.signal_weight)
        if rows[s]
    )
    assert mean == pytest.approx(expected)


def test_rows_in_one_bucket_or_in_two_are_the_same_evidence() -> None:
    tests = compiled_for(REFERENCE)
    one, two = (counts_of(REFERENCE, {"a": RNG.normal(size=80), "b": RNG.normal(size=70)}, 80) for _ in range(2))
    apart = tests.bets.log_ratios(one)[0] + tests.bets.log_ratios(two)[0]
    np.testing.assert_allclose(tests.bets.log_ratios(one + two)[0], apart, rtol=1e-9, atol=1e-9)


def test_the_cusum_s_last_zero_is_the_onset() -> None:
    tests = compiled_for(REFERENCE)
    mixture = Mixture.started(tests.bets, 0)
    up = next(k for k, words in enumerate(tests.bets.words) if words == "mean up")
    for number in range(1, 7):
        shift = 2.0 if number > 4 else -0.5
        counts = counts_of(REFERENCE, {"a": RNG.normal(size=200) + shift, "b": RNG.normal(size=200)}, 200)
        mixture.update(tests.bets, *tests.bets.log_ratios(counts), 10.0, number * 10_000)
    assert mixture.onset[up] == 40_000
    mixture.restart(60_000)
    assert not mixture.r.any()
    assert not mixture.cusum.any()
    assert set(mixture.onset.tolist()) == {60_000}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), references())
def test_whatever_is_counted_the_numbers_stay_finite(data: st.DataObject, reference: Reference) -> None:
    tests = compiled_for(reference)
    mixture = Mixture.started(tests.bets, 0)
    for number in range(1, 4):
        ratios, rows = tests.bets.log_ratios(data.draw(panes(reference)))
        mean, _ = mixture.update(tests.bets, ratios, rows, 10.0, number * 10_000)
        assert math.isfinite(mean)
        assert np.isfinite(mixture.r).all()
        assert np.isfinite(mixture.cusum).all()
        if mean >= tests.budget_seconds:
            mixture.restart(number * 10_000)
