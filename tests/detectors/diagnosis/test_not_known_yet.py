"""What else moved, and nobody knows why without pairs, may be what makes the model wrong; so nothing about the model is confirmed."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from .made import ROWS, Change, Columns, case, confirmed, found, model

Floats = NDArray[np.float64]
SINCE = 4


def anothers(name: str, far: float) -> Change:
    """In serving values are those of other rows, three in ten so many times as large."""

    def serving(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= SINCE:
            times = np.where(draw.random(ROWS) < 0.3, far, 1)
            columns[name] = draw.permutation(np.asarray(columns[name], dtype=np.float64)) * times

    return serving


def worse(columns: Columns, number: int) -> Floats:
    """Of a model that says less than it did."""
    return model(columns) if number < SINCE else 0.5 + 0.3 * (model(columns) - 0.5)


def inverted(columns: Columns, number: int) -> Floats:
    """Of one that says the opposite."""
    return model(columns) if number < SINCE else 1 - model(columns)


@pytest.mark.parametrize("deployed", [(), (SINCE,)])
@pytest.mark.parametrize(("name", "far"), [("income", 3), ("debt", 3), ("debt", 30), ("income", 30)])
def test_no_feature_drift_while_one_is_out_of_range_and_pairs_are_missing(name: str, far: float, deployed: tuple[int, ...]) -> None:
    made = case(serving=anothers(name, far), deployed=deployed)
    assert set(confirmed(made)) == {"training_serving_skew"}
    findings = {one.cause: one for one in found(case(serving=anothers(name, far), deployed=deployed, without=["agreement"])).findings}
    assert findings["undetermined"].features == (name,)
    assert (findings["feature_drift"].awaits, findings["feature_drift"].confirmable) == ("agreement", False)
    assert "agreement" in findings["feature_drift"].missing


@pytest.mark.parametrize("answers", [worse, inverted])
@pytest.mark.parametrize(("name", "far"), [("age", 3), ("age", 30), ("rooms", 3), ("rooms", 30)])
def test_nor_is_a_model_called_broken(name: str, far: float, answers: Callable[[Columns, int], Floats]) -> None:
    """Though a deployment is near: it may have brought the one, the other, or both."""
    made = case(serving=anothers(name, far), answers=answers, deployed=(SINCE,), golden=(), without=["agreement"])
    findings = {one.cause: one for one in found(made).findings}
    assert (findings["model_broken"].awaits, findings["model_broken"].confirmable) == ("agreement", False)
    alone = case(answers=answers, deployed=(SINCE,), golden=(), without=["agreement"])
    assert set(confirmed(alone)) == {"model_broken"}


def follows(name: str, noise: float) -> Change:
    """In serving values have a quarter of their variance in common with those that they should be, as of what changes slowly."""

    def serving(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= SINCE:
            values = np.asarray(columns[name], dtype=np.float64)
            moved = rankdata(values) / ROWS + draw.normal(0, noise, ROWS)
            columns[name] = np.sort(values)[rankdata(moved, "ordinal") - 1]

    return serving


@pytest.mark.parametrize(("name", "noise"), [("income", 0.38), ("age", 0.45), ("debt", 0.43)])
def test_values_that_hardly_follow_await_their_ages(name: str, noise: float) -> None:
    """They are computed otherwise, or old."""
    known, unknown = (
        next(one for one in found(case(serving=follows(name, noise), without=lacks)).findings if one.cause == "training_serving_skew")
        for lacks in ([], ["ages"])
    )
    assert (known.awaits, known.confirmable) == (None, True)
    assert (unknown.awaits, unknown.confirmable) == ("ages", False)


def default_of(name: str) -> Change:
    """In serving a fifth of the rows has a value that is none."""

    def serving(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= SINCE:
            columns[name] = np.where(draw.random(ROWS) < 0.2, -1.0, np.asarray(columns[name], dtype=np.float64))

    return serving


@pytest.mark.parametrize("lacks", [[], ["agreement"]])
@pytest.mark.parametrize("name", ["income", "age", "debt"])
def test_no_new_requests_with_a_fault_of_a_source_of_whose_other_features_nobody_knows(name: str, lacks: list[str]) -> None:
    """Those may have a default, too, that does not show, for many rows have it anyway."""
    made = case(serving=default_of(name), without=lacks)
    for number, one in enumerate(made.monitored):
        if number >= SINCE:
            one.outliers, one.cured = ROWS // 4, dict.fromkeys(one.cured, 0)
    findings = {one.cause: one for one in found(made).findings}
    assert findings["feature_unavailability"].confirmable
    assert findings["prediction_label_bias"].awaits == (lacks[0] if lacks else None)


def others(name: str, share: float) -> Change:
    """In serving some values are those of other rows."""

    def serving(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= SINCE:
            columns[name] = np.where(draw.random(ROWS) < share, draw.permutation(columns[name]), columns[name])

    return serving


@pytest.mark.parametrize(
    ("name", "share", "awaits"), [("town", 0.5, "ages"), ("town", 0.9, "ages"), ("class", 0.5, "ages"), ("age", 0.5, None)]
)
def test_of_categories_that_differ_nobody_knows_without_ages_whether_they_are_old(name: str, share: float, awaits: str | None) -> None:
    """Of numbers that have nothing to do with those that they should be it is known enough."""
    (fault,) = [one for one in found(case(serving=others(name, share), without=["ages"])).findings if one.features == (name,)]
    assert (fault.cause, fault.subtype) == ("feature_unavailability", "stale_or_wrong_entity")
    assert (fault.awaits, fault.confirmable) == (awaits, awaits is None)
