"""Dependence: what theory says of known processes, in whatever pieces the rows arrive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from driftbus.detectors.bins import bins_of, profile_of
from driftbus.detectors.dependence import BATCHES, Dependence
from driftbus.detectors.scores import scores


def of_process(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    profile = profile_of(column)
    dependence = Dependence(scores(profile).T)
    dependence.add(bins_of(profile, column))
    return list(dependence.tau().tolist())


def autoregressive(phi: float, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(lfilter([1.0], [1.0, -phi], np.random.default_rng(1).normal(size=n)))


def test_independent_rows_have_none() -> None:
    assert of_process(np.random.default_rng(0).normal(size=100_000)) == [1.0] * 4


@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_an_autoregressive_process_has_what_theory_says(phi: float) -> None:
    location, spread, *_ = of_process(autoregressive(phi, 300_000))
    assert location == pytest.approx((1 + phi) / (1 - phi), rel=0.25)
    assert spread == pytest.approx((1 + phi**2) / (1 - phi**2), rel=0.35)


def test_a_counter_has_as_much_as_can_be_seen() -> None:
    assert min(of_process(np.arange(100_000.0))) > 0.8 * BATCHES[-1]


def test_an_outage_shows_in_its_indicator() -> None:
    dependence = Dependence(np.eye(2))
    dependence.add((np.arange(50_000) % 10_000 < 500).astype(np.int64))
    assert dependence.tau() == pytest.approx([500, 500], rel=0.5)


@pytest.mark.parametrize("rows", [0, 1, 100, 5_000])
def test_what_never_changes_has_none(rows: int) -> None:
    dependence = Dependence(np.eye(3))
    dependence.add(np.zeros(rows, dtype=np.int64))
    assert dependence.tau().tolist() == [1.0] * 3


def naive(series: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    taus = [1.0]
    for batch in BATCHES:
        batches = len(series) // batch
        if batches >= 16 and series.var():
            means = series[: batches * batch].reshape(batches, batch).mean(axis=1)
            tau = batch * means.var(ddof=1) / series.var()
            taus += [tau] if tau > 1 + 3 * np.sqrt(2 / batches) else []
    return max(taus)


@settings(deadline=None)
@given(
    seed=st.integers(0, 99), rows=st.sampled_from([0, 7, 127, 128, 600, 2048, 4095, 9000]), cuts=st.lists(st.integers(0, 9000), max_size=5)
)
def test_chunks_change_nothing(seed: int, rows: int, cuts: list[int]) -> None:
    draw = np.random.default_rng(seed)
    codes = np.repeat(draw.integers(0, 5, rows // 10 + 1), 10)[:rows]
    table = draw.normal(size=(5, 3))
    whole, parts = Dependence(table), Dependence(table)
    whole.add(codes)
    for part in np.split(codes, sorted(min(c, rows) for c in cuts)):
        parts.add(part)
    assert parts.tau().tolist() == whole.tau().tolist()
    np.testing.assert_allclose(whole.tau(), [naive(table[codes, s]) for s in range(3)], rtol=1e-9)
