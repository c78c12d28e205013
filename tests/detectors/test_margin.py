"""The budget in seconds and rows, and the margin that follows from it."""

import pytest

from driftbus.detectors.betting.margin import LEAST, MOST, budget, margin
from driftbus.schemas.configuration import Model

from .worlds import categorical_field, reference_of

REFERENCE = reference_of(categorical_field("colour", (900, 100)))


def test_rows_become_seconds_at_the_rate_and_back() -> None:
    assert budget(REFERENCE, Model.model_validate({"false_alarms": "1 per 1000 rows", "rate": 4})) == (250, 1000)
    assert budget(REFERENCE, Model.model_validate({"false_alarms": "1 per 1h", "rate": 4})) == (3600, 14_400)
    assert budget(REFERENCE, Model.model_validate({"false_alarms": "1 per 1h"})) == (3600, None)


def test_the_reference_s_own_rate_serves_where_none_is_set() -> None:
    timed = REFERENCE.model_copy(update={"first": 0, "last": 500_000})
    assert budget(timed, Model.model_validate({"false_alarms": "1 per 1000 rows"})) == (500, 1000)


def test_rows_without_a_rate_say_what_to_set() -> None:
    with pytest.raises(ValueError, match=r"models\.fraud\.rate"):
        budget(REFERENCE, Model.model_validate({"false_alarms": "1 per 1000 rows"}))


def test_the_margin_keeps_within_its_bounds() -> None:
    assert margin(10, 1000) == LEAST
    assert margin(1e12, 1000) == margin(None, 1000) == MOST
    assert margin(1e6, 10_000) == pytest.approx(2.0)
