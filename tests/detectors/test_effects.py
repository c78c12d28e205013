"""Effects: scipy's distances less their no-drift mean, in groups a reader understands, finite whatever is counted."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import QUANTILES
from driftbus.detectors.effects import Measure
from driftbus.detectors.effects.counts import grouped
from driftbus.detectors.episodes.step import Suite
from driftbus.schemas.messages.drift import Statistics
from driftbus.schemas.stored.reference import NumericProfile, Reference

from .worlds import categorical_field, compiled_for, counts_of, numeric_field, panes, reference_of, references

RNG = np.random.default_rng(11)
VALUES = RNG.normal(50, 4, size=10_000)
REFERENCE = reference_of(numeric_field("amount", VALUES), categorical_field("colour", (6000, 3000, *[50] * 20)))


def _measure(tests: Suite, name: str, of: str = "values") -> Measure:
    return next(m for m in tests.measures if m.signal.name == name and m.signal.of == of)


def _counts(amount: NDArray[np.float64]) -> NDArray[np.int64]:
    return counts_of(REFERENCE, {"amount": amount}, len(amount))


def test_ks_and_wasserstein_are_scipys_less_their_no_drift_mean() -> None:
    measure, profile = _measure(compiled_for(REFERENCE), "amount"), REFERENCE.fields[0].values
    assert isinstance(profile, NumericProfile)
    counts = _counts(RNG.normal(52, 4, size=800))
    change, own = measure.on(counts), np.maximum(counts[measure.signal.span], 0)
    values, noise = np.array(profile.values), 1 / 800 + 1 / 10_000
    ks = stats.ks_2samp(np.repeat(values, profile.counts), np.repeat(values, own), method="asymp").statistic
    assert change.effect.ks == pytest.approx(ks - 0.87 * math.sqrt(noise), rel=1e-5)
    apart = stats.wasserstein_distance(values, values, profile.counts, own) / profile.sd
    x = np.linspace(-8, 8, 4001)
    width = np.trapezoid(np.sqrt(stats.norm.cdf(x) * stats.norm.sf(x)), x)
    assert change.effect.wasserstein_sd == pytest.approx(apart - math.sqrt(2 / math.pi * noise) * width, rel=0.01)
    assert change.effect.wasserstein_sd == pytest.approx(0.45, abs=0.08)
    assert change.ratio > 1


def test_without_a_change_effects_are_near_zero() -> None:
    measure = _measure(compiled_for(REFERENCE), "amount")
    changes = [measure.on(_counts(RNG.normal(50, 4, size=500))) for _ in range(200)]
    for part in ("ks", "psi", "wasserstein_sd", "unseen"):
        assert np.mean([getattr(change.effect, part) for change in changes]) < 0.01, part
    assert np.mean([change.ratio >= 1 for change in changes]) < 0.01


def test_rows_beyond_the_reference_are_unseen() -> None:
    change = _measure(compiled_for(REFERENCE), "amount").on(_counts(np.append(RNG.normal(50, 4, size=900), np.full(100, 1e6))))
    assert change.effect.unseen == pytest.approx(0.1, abs=0.002)
    assert change.ratio > 2.5


def test_more_nulls_are_seen_in_the_availability() -> None:
    counts = counts_of(REFERENCE, {"amount": RNG.normal(50, 4, size=900)}, 1000)
    change = _measure(compiled_for(REFERENCE), "amount", "availability").on(counts)
    assert change.effect.nulls == (0.0, 0.1)
    assert change.ratio == pytest.approx(5)


def test_groups_are_about_ten_and_named() -> None:
    tests = compiled_for(REFERENCE)
    _, labels = grouped(_measure(tests, "amount").signal)
    assert labels[0] == f"< {VALUES.min():.6g}"
    assert labels[11] == f"> {VALUES.max():.6g}"
    assert 12 <= len(labels) <= 13
    reference = _measure(tests, "amount").on(_counts(VALUES)).reference
    assert sum(reference.counts) == 10_000
    assert all(900 < count < 1100 for count in reference.counts[1:11])
    colour = _measure(tests, "colour").on(_counts(VALUES)).reference
    assert colour.bins == (
        "c0",
        "c1",
        "c2",
        "c3",
        "c4",
        "c5",
        "c6",
        "c7",
        "14 rarer ones",
        "other values",
    )
    assert colour.counts == (6000, 3000, 50, 50, 50, 50, 50, 50, 700, 0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), references())
def test_every_effect_is_finite_and_every_row_in_a_group(data: st.DataObject, reference: Reference) -> None:
    tests = compiled_for(reference)
    counts = data.draw(panes(reference))
    for measure in tests.measures:
        change, own = measure.on(counts), np.maximum(counts[measure.signal.span], 0)
        parts = (change.effect.ks, change.effect.psi, change.effect.wasserstein_sd, change.effect.unseen, *(change.effect.nulls or ()))
        assert all(part is None or (math.isfinite(part) and part >= 0) for part in parts)
        assert math.isfinite(change.ratio)
        assert sum(change.current.counts) == own.sum() == change.rows
        assert len(change.current.counts) == len(change.reference.bins)


@pytest.mark.parametrize("values", [VALUES[:4000] + 1, np.round(VALUES[:4000]), np.full(600, 50.0)])
def test_statistics_are_numpys_as_far_as_counts_can_tell(values: NDArray[np.float64]) -> None:
    counting = Counting(REFERENCE)
    counts, sums = counting.count(values[:, None], [["c0"] * len(values)])
    tests = compiled_for(REFERENCE)
    change = _measure(tests, "amount").on(tests.space.vector(counts, sums, (), None))
    now, was = change.now, change.was
    assert was is not None
    assert now is not None
    assert was.rows == 10_000
    assert was.mean == pytest.approx(VALUES.mean(), rel=1e-5)
    assert was.median == pytest.approx(np.median(VALUES), rel=1e-3)
    assert (now.rows, now.nulls) == (len(values), 0)
    assert now.mean == pytest.approx(values.mean(), rel=1e-5)
    assert now.sd == pytest.approx(values.std(), rel=2e-3, abs=0.05)
    assert now.quantiles[2:-2] == pytest.approx(np.quantile(values, QUANTILES[2:-2]), abs=0.6)
    distinct = len(np.unique(values))
    assert now.distinct is None or now.distinct == pytest.approx(distinct, abs=2, rel=0.3)
    assert distinct > 60 or now.distinct is not None
    assert _measure(tests, "colour").on(tests.space.vector(counts, sums, (), None)).now == Statistics(rows=len(values), nulls=0, distinct=1)
