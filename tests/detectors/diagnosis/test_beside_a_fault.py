"""Rows that a fault of one feature makes strange are its consequence, whatever else about them is not sure."""

import numpy as np
import pytest

from driftbus.detectors.diagnosis.evidence import Case

from .made import BASE, ROWS, Columns, case, found, scaled


def _strange(serving_since: int, outliers: dict[int, int], cured: dict[str, float]) -> Case:
    """An income that is 5 % too high since a window, with half as many rows again outside the core; outliers by window as is said,
    of which masking a feature cures a share."""
    made = case(serving=scaled("income", 1.05, since=serving_since))
    for number, one in enumerate([*made.baseline, *made.monitored], start=-BASE):
        one.outliers = outliers[max(first for first in outliers if first <= number)] + 8 * (1 - 2 * (number % 2))
        if number >= serving_since:
            one.cured = {name: int(cured.get(name, 0.0) * one.masked) for name in one.cured}
            for values in one.values.values():
                if values.outside is not None and values.scored is not None:
                    values.outside = np.minimum(values.scored, values.outside * 3 // 2)
    return made


def _causes(made: Case) -> set[str]:
    return {one.cause for one in found(made).findings}


def test_rows_outside_the_core_since_a_fault_and_a_few_more_outliers_later_are_no_new_requests() -> None:
    """Each by itself is not enough: the one is the fault's, the other is not sure."""
    assert _causes(_strange(4, {-BASE: 16, 8: 36}, {})) == {"training_serving_skew"}


def test_outliers_that_are_sure_to_have_come_later_are_new_requests() -> None:
    assert _causes(_strange(4, {-BASE: 16, 8: ROWS // 4}, {})) == {"training_serving_skew", "prediction_label_bias"}


def test_values_are_not_also_out_of_range_where_another_feature_is_at_fault() -> None:
    """Beside a wrong value the right one of another feature is strange; what comes later is not of the fault."""
    assert _causes(_strange(4, {-BASE: 16, 4: ROWS // 4}, {"town": 0.9})) == {"training_serving_skew"}
    assert _causes(_strange(4, {-BASE: 16, 8: ROWS // 4}, {"town": 0.9})) == {"training_serving_skew", "undetermined"}


@pytest.mark.parametrize(("left", "awaits"), [(0.05, None), (0.13, "ood")])
def test_a_drift_behind_a_fault_that_makes_all_rows_strange_awaits_the_comparison_where_masking_it_leaves_more(
    left: float, awaits: str | None
) -> None:
    """No row is in the core any more that could show it; what masking leaves may be new requests, which are not sure yet."""

    def drifted(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= 8:
            columns["town"] = np.where(draw.random(ROWS) < 0.5, "B", columns["town"])

    made = case(serving=scaled("income", 1.05), world=drifted)
    for number, one in enumerate(made.monitored):
        if number >= 4:
            one.outliers, one.masked = one.scored, 64
            one.cured = dict.fromkeys(one.cured, 0) | {"income": round(64 * (1 - (left if number >= 8 else 0.05)))}
            for values in one.values.values():
                values.outside = values.outliers = values.scored
    (drift,) = [one for one in found(made).findings if one.cause == "data_drift"]
    assert (drift.features, drift.awaits) == (("town",), awaits)
