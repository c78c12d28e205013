"""Columns that are exchanged in a part of the rows, and nobody has pairs: told as that from the first whole window on."""

from functools import partial

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


@pytest.mark.parametrize("beside", [("age", "rooms"), ("age", "town"), ("rooms", "town"), ("age", "rooms", "town")])
def test_beside_larger_drifts_a_likeness_may_be_chance(beside: tuple[str, ...]) -> None:
    """Over 300 hours of a drift of many features two came near a mixture of each other's values, three times, and it was confirmed."""

    def alike(columns: Columns, number: int, draw: np.random.Generator, factor: float = 1.25) -> None:
        if number >= SINCE:
            rows = draw.random(ROWS) < 0.4
            income, debt = columns["income"], columns["debt"]
            columns["income"], columns["debt"] = factor * np.where(rows, debt, income), np.where(rows, income, debt)

    def drifted(columns: Columns, number: int, draw: np.random.Generator, factor: float = 1.25) -> None:
        alike(columns, number, draw, factor)
        for name in beside if number >= SINCE else ():
            if name == "town":
                columns[name] = np.array(["A", "B", "C", "D"], dtype=object)[draw.choice(4, ROWS, p=[0.05, 0.05, 0.1, 0.8])]
            else:
                columns[name] = columns[name] + draw.normal(-20 if name == "age" else 20, 2, ROWS)

    for source, sure in ((alike, True), (drifted, False), (partial(drifted, factor=1.0), True)):
        [told] = [one for one in found(case(source=source)).findings if one.exchanged]
        assert told.confirmable == sure
        assert sorted(piece.feature or "" for piece in told.evidence if piece.name == "shifts_more") == sorted(
            beside if source is not alike else ()
        )


@pytest.mark.parametrize("beside", [(), ("age",), ("age", "rooms"), ("age", "rooms", "income")])
def test_beside_larger_drifts_names_that_only_the_other_one_had_are_no_chance(beside: tuple[str, ...]) -> None:
    """No population makes them, whatever else drifts; a release lies at its beginning."""

    def exchanged(columns: Columns, number: int, draw: np.random.Generator) -> None:
        if number >= SINCE:
            rows = draw.random(ROWS) < 0.4
            kind, town = columns["class"], columns["town"]
            columns["class"], columns["town"] = np.where(rows, town, kind), np.where(rows, kind, town)

    def drifted(columns: Columns, number: int, draw: np.random.Generator) -> None:
        for name in beside if number >= SINCE else ():
            columns[name] = columns[name] + draw.normal(20, 2, ROWS)

    [told] = [
        one for one in found(case(serving=exchanged, source=drifted, without=("agreement",), deployed=(SINCE,))).findings if one.exchanged
    ]
    assert told.exchanged == {"class": "town", "town": "class"}
    assert told.confirmable
