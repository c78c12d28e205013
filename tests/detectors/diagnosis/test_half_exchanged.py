"""Columns that are exchanged in a part of the rows, and nobody has pairs: told as that from the first whole window on."""

import numpy as np
import pytest

from .made import ROWS, Columns, case, found

SINCE = 4


@pytest.mark.parametrize("share", [0.33, 0.5])
@pytest.mark.parametrize("windows", [2, 3, 5])
def test_what_lies_between_two_columns_values_decides_nothing(share: float, windows: int) -> None:
    """Of half and half the median is of either, by chance: for it the exchange was taken for new requests."""

    def exchanged(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= SINCE:
            rows = draw.random(ROWS) < share
            age, debt = columns["age"], columns["debt"]
            columns["age"], columns["debt"] = np.where(rows, debt, age), np.where(rows, age, debt)

    here = case(serving=exchanged, without=("agreement",))
    here.monitored = here.monitored[: SINCE + windows]
    told = found(here).findings
    assert [(one.cause, one.exchanged) for one in told] == [("training_serving_skew", {"age": "debt", "debt": "age"})]
    [size] = (piece.value for piece in told[0].evidence if piece.name == "share_of_rows")
    assert size == pytest.approx(share, abs=0.06)
