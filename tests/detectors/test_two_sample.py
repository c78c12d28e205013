"""The binned distances agree with scipy on expanded bin values, and stay finite on whatever is counted."""

import math
import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import distance

from driftbus.detectors.effects.two_sample import PSEUDO_COUNT, chi_square, cramer_von_mises, jensen_shannon, kl, ks, psi, wasserstein

Counts = NDArray[np.int64]


@st.composite
def samples(draw: st.DrawFn) -> tuple[Counts, Counts, NDArray[np.float64]]:
    """Two rows of counts, neither empty, and the bins' values."""
    bins = draw(st.integers(1, 12))
    some = st.lists(st.one_of(st.just(0), st.integers(0, 40)), min_size=bins, max_size=bins).filter(any)
    values = draw(st.lists(st.floats(-1e6, 1e6), min_size=bins, max_size=bins, unique=True))
    return np.array(draw(some)), np.array(draw(some)), np.sort(values)


@given(samples())
def test_ks_is_that_of_the_bin_values(drawn: tuple[Counts, Counts, NDArray[np.float64]]) -> None:
    reference, current, values = drawn
    # Twice every row: the distance is the same, and scipy's p-value cannot divide one row by another.
    expected = stats.ks_2samp(np.repeat(values, 2 * reference), np.repeat(values, 2 * current), method="asymp").statistic
    assert math.isclose(ks(reference, current), expected, rel_tol=1e-9, abs_tol=1e-12)


@given(samples())
def test_wasserstein_is_that_of_the_weighted_bin_values(drawn: tuple[Counts, Counts, NDArray[np.float64]]) -> None:
    reference, current, values = drawn
    expected = stats.wasserstein_distance(values, values, reference, current)
    assert math.isclose(wasserstein(reference, current, values), expected, rel_tol=1e-9, abs_tol=1e-9 * float(np.ptp(values)))


@given(st.permutations([0] * 7 + [1] * 5))
def test_cramer_von_mises_is_that_of_samples_without_ties(of: list[int]) -> None:
    current = np.array(of)
    places = np.arange(len(of))
    expected = stats.cramervonmises_2samp(places[current == 0], places[current == 1], method="asymptotic").statistic
    assert math.isclose(cramer_von_mises(1 - current, current), expected, abs_tol=1e-12)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_cramer_von_mises_is_that_of_samples_of_one_size_by_midranks(values: list[int], chance: random.Random) -> None:
    others = [chance.randrange(10) for _ in values]
    expected = stats.cramervonmises_2samp(values, others, method="asymptotic").statistic
    found = cramer_von_mises(np.bincount(values, minlength=10), np.bincount(others, minlength=10))
    assert math.isclose(found, expected, abs_tol=1e-9)


@given(samples())
def test_kl_is_the_relative_entropy(drawn: tuple[Counts, Counts, NDArray[np.float64]]) -> None:
    reference, current, _ = drawn
    expected = stats.entropy(current + PSEUDO_COUNT, reference + PSEUDO_COUNT)
    assert math.isclose(kl(reference, current), expected, rel_tol=1e-9, abs_tol=1e-9)


@given(samples())
def test_jensen_shannon_is_the_distance_to_base_2(drawn: tuple[Counts, Counts, NDArray[np.float64]]) -> None:
    reference, current, _ = drawn
    expected = distance.jensenshannon(reference + PSEUDO_COUNT, current + PSEUDO_COUNT, base=2)
    assert math.isclose(jensen_shannon(reference, current), float(np.nan_to_num(expected)), rel_tol=1e-6, abs_tol=1e-6)


@given(samples())
def test_chi_square_is_that_of_the_contingency_table(drawn: tuple[Counts, Counts, NDArray[np.float64]]) -> None:
    reference, current, _ = drawn
    table = np.array([reference, current])
    expected = stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
    found = chi_square(reference, current)
    assert math.isclose(found.statistic, expected.statistic, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(found.p_value, expected.pvalue, rel_tol=1e-9, abs_tol=1e-12)


@given(samples())
def test_psi_is_the_symmetrised_entropy(drawn: tuple[Counts, Counts, NDArray[np.float64]]) -> None:
    reference, current, _ = drawn
    p, q = reference + PSEUDO_COUNT, current + PSEUDO_COUNT
    assert math.isclose(psi(reference, current), stats.entropy(p, q) + stats.entropy(q, p), rel_tol=1e-9, abs_tol=1e-9)


@given(st.lists(st.tuples(st.sampled_from((0, 1, 10**12)), st.sampled_from((0, 1, 10**12))), max_size=5))
def test_degenerate_counts_are_finite(pairs: list[tuple[int, int]]) -> None:
    reference, current = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    values = np.arange(len(reference), dtype=np.float64)
    chi = chi_square(reference, current)
    without_values = [measure(reference, current) for measure in (ks, psi, jensen_shannon, kl, cramer_von_mises)]
    distances = (*without_values, wasserstein(reference, current, values), *chi)
    assert all(math.isfinite(distance) and distance >= -1e-12 for distance in distances)
    if not reference.any() or not current.any():
        assert distances == (0, 0, 0, 0, 0, 0, 0, 1)
