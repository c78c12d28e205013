"""A number that is one and the same value, also one that was common before."""

import numpy as np
import pytest

from .made import Columns, case, confirmed, replaced

Draw = np.random.Generator


@pytest.mark.parametrize(("name", "value"), [("rooms", 4.0), ("debt", 2.5)])
def test_stuck_at_a_value_also_at_one_that_was_common_and_for_everybody(name: str, value: float) -> None:
    """Of the rooms a fourth were four: online and offline values agree, and training knew the value."""

    def change(columns: Columns, number: int, draw: Draw) -> None:
        if number >= 4:
            columns[name] = np.full(len(columns["age"]), value)

    findings = confirmed(case(source=change))
    assert findings["feature_unavailability"].subtype == "constant"
    assert findings["feature_unavailability"].features == (name,)


def test_a_common_value_that_becomes_commoner_is_the_world() -> None:
    """Eight of ten had two rooms and then all have: a dry month, not a sensor that is stuck."""

    def two(columns: Columns, number: int, draw: Draw) -> None:
        replaced(columns, draw.random(len(columns["age"])) < (1.0 if number >= 4 else 0.8), "rooms", np.full(len(columns["age"]), 2.0))

    dry = case(source=two)
    dry.baseline = dry.monitored[:4] * 4
    dry.monitored = dry.monitored[4:]
    assert "feature_unavailability" not in confirmed(dry)
