"""Paths by which a cause could be confirmed without its own evidence."""

import copy
from collections.abc import Callable

import numpy as np
import pytest

from driftbus.detectors.counting.magnitudes import Magnitudes, cells_of
from driftbus.detectors.diagnosis.evidence import Case, Values, Window
from driftbus.detectors.diagnosis.finding import Finding
from driftbus.detectors.diagnosis.groups import bin_of
from driftbus.schemas.stored.reference import NumericProfile

from .made import Columns, case, found

Constant = Callable[[Case, Window, int], None]


def _category(made: Case, window: Window, number: int) -> None:
    """All rows of a window have the category of this number."""
    values = copy.deepcopy(window.values["class"])
    values.bins = np.eye(len(values.bins), dtype=np.int64)[number] * values.bins.sum()
    _put(window, "class", values)


def _number(made: Case, window: Window, number: int) -> None:
    [field] = [one for one in made.fields if one.name == "rooms"]
    assert isinstance(field.profile, NumericProfile)
    values, value = copy.deepcopy(window.values["rooms"]), 3.0 + number
    values.bins = np.eye(len(values.bins), dtype=np.int64)[bin_of(field.profile, value)] * values.present
    values.magnitudes = Magnitudes(cells_of(np.array([value]), field.mantissa), np.array([values.present]))
    values.repeated = {value: values.present}
    _put(window, "rooms", values)


def _put(window: Window, name: str, values: Values) -> None:
    window.values, window.counted = {**window.values, name: values}, None


def _lost(made: Case) -> list[Finding]:
    return [one for one in found(made).findings if one.cause == "feature_unavailability"]


@pytest.mark.parametrize("constant", [_category, _number])
@pytest.mark.parametrize("without", [(), ("agreement",)])
def test_a_constant_that_follows_another_is_not_lost(constant: Constant, without: tuple[str, ...]) -> None:
    """The month: in every window one, and then the next one."""
    made = case(without=without)
    for window in made.baseline:
        constant(made, window, 0)
    for number, window in enumerate(made.monitored):
        constant(made, window, number // 6)
    assert not _lost(made)


@pytest.mark.parametrize("constant", [_category, _number])
def test_nobody_knows_without_a_baseline_whether_it_was_always_one(constant: Constant) -> None:
    made = case(without=("agreement",))
    made.standing = False
    for window in made.monitored:
        constant(made, window, 0)
    assert not [one for one in _lost(made) if one.confirmable]


@pytest.mark.parametrize("constant", [_category, _number])
@pytest.mark.parametrize("standing", [True, False])
def test_one_value_in_place_of_all_is_lost(constant: Constant, *, standing: bool) -> None:
    made = case(without=("agreement",))
    made.standing = standing
    for window in made.monitored[6:]:
        constant(made, window, -2)
    [lost] = _lost(made)
    assert (lost.subtype, lost.onset, lost.confirmable) == ("constant", 6, True)


def test_what_pairs_say_of_one_feature_confirms_nothing_of_another() -> None:
    """Two features are in another unit since the same time; of one of them nobody knows whether training has it, too."""

    def scaled(columns: Columns, number: int, draw: np.random.Generator) -> None:
        for name in ("income", "debt"):
            columns[name] = 100 * np.asarray(columns[name], dtype=np.float64)

    made = case(source=scaled)
    for window in (*made.baseline, *made.monitored):
        assert window.agreeing is not None
        window.agreeing = {name: one for name, one in window.agreeing.items() if name != "debt"}
        window.counted = None
    of = {one.features: one for one in found(made).findings if one.cause == "feature_recalibration"}
    assert {features: one.confirmable for features, one in of.items()} == {("income",): True, ("debt",): False}
    assert of["debt",].awaits == "agreement"
