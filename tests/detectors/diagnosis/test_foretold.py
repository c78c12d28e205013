"""Values that are missing in such rows as always lacked them are the population's; in others they are lost."""

import numpy as np
import pytest

from .made import ROWS, Columns, confirmed, replaced, world_of

SINCE = 4


def _lacking(columns: Columns, number: int, draw: np.random.Generator) -> None:
    """Of who is of the low class a third has no income."""
    low = columns["class"] == "low"
    replaced(columns, low & (draw.random(ROWS) < 0.33), "income", np.full(ROWS, np.nan))


def _more_of_them(columns: Columns, number: int, draw: np.random.Generator) -> None:
    if number >= SINCE:
        columns["class"] = np.where(draw.random(ROWS) < 0.4, "low", columns["class"]).astype(object)
    _lacking(columns, number, draw)


def _lost(columns: Columns, number: int, draw: np.random.Generator) -> None:
    _lacking(columns, number, draw)
    if number >= SINCE:
        replaced(columns, draw.random(ROWS) < 0.15, "income", np.full(ROWS, np.nan))


def test_more_rows_of_those_that_always_lacked_it_are_the_population() -> None:
    found = confirmed(world_of(_more_of_them))
    assert "feature_unavailability" not in found
    assert "income" in found["data_drift"].features
    [piece] = (one for one in found["data_drift"].evidence if one.name == "null_rate_foretold")
    assert piece.feature == "class"


@pytest.mark.parametrize("more", [False, True])
def test_in_any_rows_they_are_lost(more: bool) -> None:
    """Also where more of those come that always lacked it, if these are the smaller part."""

    def change(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if more and number >= SINCE:
            columns["class"] = np.where(draw.random(ROWS) < 0.1, "low", columns["class"]).astype(object)
        _lost(columns, number, draw)

    assert confirmed(world_of(change))["feature_unavailability"].features == ("income",)
