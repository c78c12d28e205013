"""What known values do when they become more, or few, or stand in place of others: facts of the world, and of no fault."""

import numpy as np
import pytest

from driftbus.detectors.counting.magnitudes import Magnitudes, cells_of, quantiles
from driftbus.detectors.diagnosis.maps import mixed
from driftbus.detectors.diagnosis.matrices import SHARES

from .made import BASE, ROWS, Change, Columns, case, confirmed, found, replaced, scaled, window, window_of


def commoner(name: str, value: float | str, share: float) -> Change:
    """From the fifth window on so many more rows have a value."""

    def change(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= 4:
            column = columns[name].copy()
            column[draw.random(ROWS) < share] = value
            columns[name] = column

    return change


@pytest.mark.parametrize(("value", "share"), [("D", 0.2), ("D", 0.4), ("C", 0.5)])
def test_a_rare_value_that_becomes_common_is_no_new_request(value: str, share: float) -> None:
    """Rows with it lie outside of the core as often as ever, and there are more of them."""
    said = confirmed(case(world=commoner("town", value, share)))
    assert [(cause, one.features) for cause, one in said.items()] == [("data_drift", ("town",))]


@pytest.mark.parametrize(("value", "share"), [(1.0, 0.4), (1.0, 0.25), (2.0, 0.4), (8.0, 0.3)])
def test_a_number_that_becomes_common_is_no_factor(value: float, share: float) -> None:
    """A factor, or a logarithm, of few values would have made values that nobody has seen."""
    assert not {one.cause for one in found(case(world=commoner("rooms", value, share))).findings} & {
        "feature_recalibration",
        "training_serving_skew",
    }


@pytest.mark.parametrize(("usual", "share"), [(0.92, 0.5), (0.9, 0.4), (0.85, 0.3)])
def test_a_default_of_a_source_is_one_of_a_feature_that_mostly_is_so(usual: float, share: float) -> None:
    """Few of its pairs differ, with one and the same value."""

    def few(columns: Columns, number: int, draw: np.random.Generator) -> None:
        replaced(columns, draw.random(ROWS) < usual, "debt", np.zeros(ROWS))

    def default(columns: Columns, number: int, draw: np.random.Generator) -> None:
        rows = draw.random(ROWS) < share
        for name in ("income", "debt") if number >= 4 else ():
            replaced(columns, rows, name, np.zeros(ROWS))

    made = case(world=few, serving=default)
    made.baseline = [window_of(window(number, world=few)) for number in range(-BASE, 0)]
    said = confirmed(made)
    assert [(cause, sorted(one.features)) for cause, one in said.items()] == [("feature_unavailability", ["debt", "income"])]


def test_zeros_have_quantiles_that_can_be_divided_by() -> None:
    """The cell of 0 holds numbers that are so small that slopes between them are infinite."""
    zeros = Magnitudes(cells_of(np.zeros(1), 4), np.array([100]))
    assert quantiles(zeros, 4, SHARES).tolist() == [0.0] * len(SHARES)
    half = np.where(SHARES > 0.5, SHARES, 0.0)
    assert np.isfinite(mixed(half, 2 * half, [0.1, 0.5, 0.9])).all()


@pytest.mark.parametrize("by", [100.0, 10.0, 0.01])
@pytest.mark.parametrize(("name", "share"), [("rooms", 0.1), ("rooms", 0.2), ("age", 0.1)])
def test_a_factor_of_few_values_that_rolls_out_is_told_from_a_tenth_of_the_rows_on(name: str, by: float, share: float) -> None:
    said = confirmed(case(source=scaled(name, by, share=share)))
    assert [(cause, one.features, one.subtype) for cause, one in said.items()] == [("feature_recalibration", (name,), "rollout")]
