"""Units that shift zero, and distances that cannot exceed one."""

import numpy as np
import pytest

from driftbus.detectors.diagnosis.conversion import _explained
from driftbus.detectors.diagnosis.maps import CONVERSIONS
from driftbus.detectors.diagnosis.matrices import SHARES
from driftbus.detectors.diagnosis.shifts import _beyond

from .made import Floats

OLD = 38 + 12 * (SHARES - 0.5) / 0.4
USUAL = 0.8


@pytest.mark.parametrize("called", CONVERSIONS)
def test_every_conversion_is_told_by_what_it_is_whatever_the_weather_does(called: str) -> None:
    a, b = CONVERSIONS[called]
    for warmer in (-4, 0, 4):
        assert _explained(a * (OLD + warmer) + b, OLD, a, b, USUAL)


@pytest.mark.parametrize("warmer", [0, 15, 25, 40])
def test_no_season_is_a_conversion(warmer: float) -> None:
    assert not any(_explained(OLD + warmer, OLD, a, b, USUAL) for a, b in CONVERSIONS.values())


@pytest.mark.parametrize("usual", [0.1, 0.4, USUAL])
@pytest.mark.parametrize(
    "old",
    [1000 * OLD, OLD, 60 + 50 * (SHARES - 0.5), 30 * (1 + SHARES) ** 3, np.exp(4 + 1.25 * (SHARES - 0.5))],
    ids=lambda old: f"{old[10]:g}",
)
def test_a_factor_alone_is_no_conversion(old: Floats, usual: float) -> None:
    """However much values vary from window to window: amounts of which there are a fourth are no temperatures."""
    for factor in np.arange(0.1, 6, 0.05):
        assert not any(_explained(factor * old, old, a, b, usual) for a, b in CONVERSIONS.values()), factor


def test_a_threshold_of_a_share_stays_within_reach() -> None:
    found = [_beyond(own, 1.5) for own in np.arange(0, 1, 0.05).tolist()]
    assert found == sorted(found)
    assert max(found) < 1
