"""Dependence: what theory says of known processes, in whatever pieces the rows arrive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import chi2

from driftbus.detectors.betting.scores import scores
from driftbus.detectors.counting.bins import bins_of, profile_of
from driftbus.detectors.profiling.dependence import Dependence

Floats = NDArray[np.float64]
ROWS = 10_000


def of(column: Floats) -> Dependence:
    profile = profile_of(column)
    dependence = Dependence(scores(profile).T)
    dependence.add(bins_of(profile, column))
    return dependence


def autoregressive(phi: float, n: int) -> Floats:
    return np.asarray(lfilter([1.0], [1.0, -phi], np.random.default_rng(1).normal(size=n)))


def season(cycles: float, amplitude: float, seed: int = 0) -> Floats:
    draw = np.random.default_rng(seed)
    return np.asarray(draw.normal(size=ROWS) + amplitude * np.sin(2 * np.pi * (cycles * np.arange(ROWS) / ROWS + draw.random())))


def test_independent_rows_have_none() -> None:
    assert of(np.random.default_rng(0).normal(size=100_000)).tau().tolist() == [1.0] * 4


@pytest.mark.parametrize("rows", [600, 2_000, ROWS])
def test_chance_shows_in_few_independent_features(rows: int) -> None:
    draw = np.random.default_rng(3)
    found = [of(draw.normal(size=rows)) for _ in range(200)]
    assert sum(one.tau().max() > 1 for one in found) <= 6
    assert not any(one.swing().any() for one in found)


@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_an_autoregressive_process_has_what_theory_says(phi: float) -> None:
    process = of(autoregressive(phi, 300_000))
    location, spread, *_ = process.tau()
    assert location == pytest.approx((1 + phi) / (1 - phi), rel=0.25)
    assert spread == pytest.approx((1 + phi**2) / (1 - phi**2), rel=0.35)
    assert not process.swing().any()


def test_a_counter_has_as_much_as_can_be_seen() -> None:
    assert of(np.arange(100_000.0)).tau().min() > 100_000 / 64


def test_an_outage_shows_in_its_indicator() -> None:
    dependence = Dependence(np.eye(2))
    dependence.add((np.arange(50_000) % 10_000 < 500).astype(np.int64))
    assert dependence.tau() == pytest.approx([500, 500], rel=0.5)


@pytest.mark.parametrize("cycles", [2, 4, 7.5, 20, 100])
@pytest.mark.parametrize("amplitude", [0.3, 1.0])
def test_a_season_has_what_theory_says(cycles: float, amplitude: float) -> None:
    """Of the variance A^2 / 2 + 1 the season has A^2 / 2, and B Var(batch means) / Var is at most .23 of its period."""
    season_ = of(season(cycles, amplitude))
    share = amplitude**2 / 2 / (amplitude**2 / 2 + 1)
    assert season_.tau()[0] == pytest.approx(1 + 0.23 * share * ROWS / cycles, rel=0.35)
    assert not season_.swing().any()


@pytest.mark.parametrize("cycles", [0.5, 0.7, 1, 1.5])
def test_a_season_of_which_too_little_is_seen_is_told(cycles: float) -> None:
    told = [of(season(cycles, 1.0, seed)).swing()[0] for seed in range(20)]
    assert min(told) > 0.5
    assert max(told) < 2.5


def test_a_trend_is_told() -> None:
    rise = np.random.default_rng(0).normal(size=ROWS) + 0.5 * np.arange(ROWS) / ROWS
    assert of(rise).swing()[0] == pytest.approx(0.5, rel=0.2)


@pytest.mark.parametrize("rows", [0, 1, 100, 5_000])
def test_what_never_changes_has_none(rows: int) -> None:
    dependence = Dependence(np.eye(3))
    dependence.add(np.zeros(rows, dtype=np.int64))
    assert dependence.tau().tolist() == [1.0] * 3
    assert dependence.swing().tolist() == [0.0] * 3


def naive(table: Floats, codes: NDArray[np.int64]) -> list[float]:
    """From the formulas, series by series."""
    rows, length = len(codes), 8
    while rows // length >= 1024:
        length *= 4
    taus, powers, slowest = [], [], 16
    for series in table[codes].T:
        tau, batch = 1.0, 8
        while (batches := rows // batch) >= 16:
            of_means = series[: batches * batch].reshape(batches, batch).mean(axis=1).var(ddof=1)
            ratio = batch * of_means / series.var()
            tau = max(tau, ratio if ratio > chi2.isf(1e-3, batches - 1) / (batches - 1) else 1.0)
            batch *= 4
        taus.append(tau)
        powers.append(np.zeros(16))
        if (whole := rows // length) > 64:
            sums = series[: whole * length].reshape(whole, length).sum(axis=1)
            waves = np.exp(2j * np.pi * np.outer(np.arange(1, 33), np.arange(whole)) / whole)
            spectrum = np.abs(waves @ (sums - sums.mean())) ** 2 / (rows * series.var())
            power = powers[-1] = spectrum[:16]
            top = int(np.argmax(power))
            pair = power[top] + max(power[max(top - 1, 0)] * (top > 0), power[min(top + 1, 15)] * (top < 15))
            if top and power[top] > 15 * max(np.median(spectrum) / np.log(2), 1.0) and pair >= 2 / 3 * power.sum():
                slowest = min(slowest, top - 1)
    cycles = np.arange(slowest, 16)
    return [max(tau, float((0.46 * np.maximum(power[cycles], 4) / (cycles + 1)).sum())) for tau, power in zip(taus, powers, strict=True)]


def test_weather_is_no_cycle() -> None:
    """What changes slowly and without a period is left to the batches."""
    draw = np.random.default_rng(5)
    slow = [of(np.asarray(lfilter([1.0], [1.0, -0.99], draw.normal(size=ROWS)))).tau()[0] for _ in range(20)]
    assert max(slow) < 0.46 * ROWS / 10


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
    assert parts.swing().tolist() == whole.swing().tolist()
    np.testing.assert_allclose(whole.tau(), naive(table, codes), rtol=1e-9)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("slow", ["trend", "half a cycle", "a cycle and a half", "a step"])
def test_what_is_left_of_a_slow_movement_is_the_dependence_beside_it(phi: float, slow: str) -> None:
    along = np.linspace(0, 1, 100_000)
    moves = {
        "trend": 6 * along,
        "half a cycle": 3 * np.sin(np.pi * along),
        "a cycle and a half": 3 * np.sin(3 * np.pi * along),
        "a step": 6 * (along > 0.4),
    }
    noise = autoregressive(phi, 100_000)
    swung = of(moves[slow] + noise / noise.std()).swung(1)
    assert swung["swing"] > 1
    assert 1 <= swung["calm_tau"] <= 16 * (1 + phi) / (1 - phi)
    assert swung["calm_tau"] >= 0.3 * (1 + phi) / (1 - phi)


def test_a_calm_series_has_no_other_dependence() -> None:
    assert of(autoregressive(0.5, 30_000)).swung(1) == {"swing": 0.0}
    assert of(np.arange(30_000.0)).swung(1)["calm_tau"] < 50
