"""Without drift the windowed tests alarm no oftener than their level, in every law, with a reference as finite as the window."""

import numpy as np
import pytest

from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.named.cramer_von_mises import Law
from driftbus.detectors.named.interface import WatchedSignal
from driftbus.detectors.named.windowed import Windowed
from driftbus.schemas.stored.reference import CategoricalProfile

from .levels import LAWS, ROWS, WINDOWED, alarms, rates
from .worlds import counted, settings


@pytest.mark.parametrize(("law", "reference_rows"), [*((law, 1_000) for law in LAWS if law != "normal"), ("heavy-tailed", 10_000)])
def test_levels_hold(law: str, reference_rows: int) -> None:
    measured = rates(law, reference_rows, references=300, windows=20)
    # 60 and 6 alarms are expected; windows that share a reference alarm together, so that twice as many may still be chance.
    too_many = {name: found for name, found in measured.items() if found[0] > 1.5 or found[1] > 3}
    assert not too_many
    assert max(found[0] for found in measured.values()) > 0.4


@pytest.mark.parametrize("name", ["chi_square", "psi", "jensen_shannon", "kl"])
def test_levels_hold_for_categories(name: str) -> None:
    shares = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.03, 0.01, 0.008, 0.002])
    rng, found = np.random.default_rng(0), np.zeros(2)
    for _ in range(250):
        counts = rng.multinomial(5_000, shares)
        watched = WatchedSignal("c", CategoricalProfile(categories=tuple("abcdefghi"), counts=tuple(counts.tolist())))
        found += alarms(name, watched, list(rng.multinomial(ROWS, shares, size=30)))
    assert (found <= (105, 20)).all()  # 75 and 7.5 are expected


@pytest.mark.parametrize("name", WINDOWED)
def test_dependent_rows_do_not_alarm_more(name: str) -> None:
    """AR(1) with coefficient .5, whose means vary as those of a third as many rows."""
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=10_000 + 60 * ROWS)
        series = np.empty_like(noise)
        series[0] = noise[0]
        for row in range(1, len(series)):
            series[row] = 0.5 * series[row - 1] + noise[row]
        profile = profile_of(series[:10_000]).model_copy(update={"tau": (3.0, 1.7, 1.3, 1.2)})
        watched = WatchedSignal("x", profile)
        windows = [counted(watched, rows) for rows in series[10_000:].reshape(60, ROWS)]
        found += int(alarms(name, watched, windows)[0])
    assert found <= 24  # 12 are expected


def test_the_law_is_that_of_cramer_and_von_mises() -> None:
    law = Law.of("x", np.full(64, 100))
    # Anderson & Darling 1952, table 1; a tenth of the level is kept back.
    assert law.quantile(0.001 * 1.1) == pytest.approx(1.16786, rel=0.01)
    assert law.quantile(0.01 * 1.1) == pytest.approx(0.74346, rel=0.02)
    assert law.largest == pytest.approx(1 / np.pi**2, rel=1e-3)
    assert law.factor == pytest.approx(np.sqrt(2), rel=1e-3)


def test_thresholds_fall_with_rows_and_rise_as_levels_fall() -> None:
    rng = np.random.default_rng(0)
    watched = WatchedSignal("x", profile_of(rng.normal(size=10_000)))
    for name in WINDOWED:
        watcher = settings(name).on(watched, 1.0)
        assert isinstance(watcher, Windowed)
        by_level = [watcher.threshold(ROWS, 10.0**-exponent) for exponent in range(1, 13)]
        assert by_level == sorted(by_level)
        if name not in ("cramer_von_mises", "chi_square"):
            by_rows = [watcher.threshold(ROWS * 2**doubled, 1e-7) for doubled in range(6)]
            assert by_rows == sorted(by_rows, reverse=True)
