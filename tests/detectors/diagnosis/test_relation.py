"""A relation that changes for a part of the rows, under a model that predicts nearly all of them: residuals are small."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftbus.detectors.diagnosis.evidence import Case

from .made import BASE, ROWS, Change, Columns, case, confirmed, model, nothing, window_of, window_with

Floats = NDArray[np.float64]


def certain(columns: Columns) -> Floats:
    """Outcomes that follow, for nearly all."""
    odds = model(columns)
    return np.asarray(1 / (1 + (1 / odds - 1) ** 20), dtype=np.float64)


def twin(columns: Columns, number: int, draw: np.random.Generator) -> None:
    """Age says what income says."""
    log = np.log(np.asarray(columns["income"], dtype=np.float64)) / 0.65
    columns["age"] = (45 + 9 * log + draw.normal(0, 0.3, ROWS)).clip(18, 90)


def turned(share: float, world: Change) -> Case:
    """Outcomes follow from the reciprocal of income, from the fifth window on, in a share of the rows."""

    def outcomes(columns: Columns, _: Floats, number: int, draw: np.random.Generator) -> Floats:
        usual = (draw.random(ROWS) < certain(columns)).astype(np.float64)
        other = certain({**columns, "income": 1 / np.asarray(columns["income"], dtype=np.float64)})
        rows = draw.random(ROWS) < (share if number >= 4 else 0.0)
        return np.where(rows, (draw.random(ROWS) < other).astype(np.float64), usual)

    def answers(columns: Columns, _: int) -> Floats:
        return certain(columns)

    found = case(world=world, outcomes=outcomes, answers=answers)
    before = [window_with(number, world, nothing, nothing, outcomes, answers) for number in range(-BASE, 0)]
    found.baseline = [window_of(one) for one in before]
    return found


@pytest.mark.parametrize(("share", "world"), [(0.04, nothing), (0.12, twin), (0.1, twin), (0.08, twin)])
def test_few_outcomes_that_turn_are_the_worlds(share: float, world: Change) -> None:
    """By what residuals vary, not outcomes; and whichever of two features that say the same bears it."""
    said = confirmed(turned(share, world))
    assert set(said) == {"feature_drift"}
    assert set(said["feature_drift"].features) <= {"income", "age"}


@pytest.mark.parametrize("world", [nothing, twin])
def test_none_that_turn_are_nothing(world: Change) -> None:
    assert not confirmed(turned(0.0, world))
