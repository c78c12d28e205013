"""A user's own metrics: functions of sums, and columns that add up like the others."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from driftbus.detectors.outcomes.layout import layout
from driftbus.detectors.outcomes.ledger import Ledger
from driftbus.detectors.outcomes.own import MOST, Labelled, OfRow, OwnMetric, columns_of, counted
from driftbus.detectors.outcomes.values import NONE, Integers, values_of_numbers
from driftbus.schemas.stored.outcomes import OutcomeBasis
from driftbus.schemas.unusable import Unusable
from tests.detectors.outcomes.rows import NUMBER, Told, of_texts, told


def cost(row: Labelled) -> Sequence[int]:
    """A loan that was not repaid costs ten times what a refused one would have brought."""
    return [10 * (row.predicted == 1 and row.outcome == 0) + (row.predicted == 0 and row.outcome == 1), 1]


def mean_cost(sums: Mapping[str, Integers | int]) -> float:
    return int(sums["cost"]) / int(sums["decided"])


COST = OwnMetric("mean cost", mean_cost, ("cost", "decided"), cost)
BINARY = OutcomeBasis(task="binary", own=columns_of([COST]))


def ledger() -> Ledger:
    own = counted(BINARY, [COST])
    assert own is not None
    return Ledger(lambda version, place: BINARY, lambda bucket: bucket, {0: own})


def test_columns_add_up_and_are_taken_back() -> None:
    rows = told(BINARY, np.array([1, 0, 1]), np.array([0, 1, 1]), np.array([0.9, 0.1, 0.8]))
    found, none = ledger(), np.full(3, NONE)
    found.add(0, Told("changed", rows, none))
    (sums,) = found.revisions()
    assert COST.told(layout(BINARY), sums.vector) == pytest.approx(11 / 3)
    back = rows.copy()
    back["label"] = NONE
    found.add(1, Told("changed", back, rows["label"].copy()))
    (again,) = found.revisions()
    assert not (sums.vector + again.vector).any()


def test_what_divides_by_zero_is_not_known() -> None:
    found = layout(BINARY)
    assert COST.told(found, np.zeros(found.size, dtype=np.int64)) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_not_known(value: float | None) -> None:
    found = layout(BINARY)
    assert OwnMetric("odd", lambda sums: value).told(found, np.zeros(found.size, dtype=np.int64)) is None


def test_a_metric_may_need_no_more_than_there_is() -> None:
    missed = OwnMetric("missed", lambda sums: float(np.asarray(sums["confusion"])[1, 0]))
    assert columns_of([missed]) == ()
    assert counted(BINARY, [missed]) is None
    rows = told(BINARY, np.array([1, 0, 0]), np.array([1, 1, 0]))
    found = ledger()
    found.add(0, Told("changed", rows, np.full(3, NONE)))
    assert missed.told(layout(BINARY), found.revisions()[0].vector) == 1


def test_rows_are_what_a_reader_would_say() -> None:
    seen: list[Labelled] = []

    def look(row: Labelled) -> Sequence[int]:
        seen.append(row)
        return [1]

    looking = OwnMetric("seen", lambda sums: 0.0, ("seen",), look)
    texts = OutcomeBasis(task="category", classes=("good", "bad"), own=("seen",))
    by_text, by_number = counted(texts, [looking]), counted(NUMBER, [looking])
    assert by_text is not None
    assert by_number is not None
    rows = told(texts, of_texts(["good", "foreign"]), of_texts(["bad", "good"]), np.array([0.5, np.nan]))
    assert by_text(rows, rows["label"]).tolist() == [[1], [1]]
    numbers = told(NUMBER, values_of_numbers(np.array([1.5])), values_of_numbers(np.array([-2.0])))
    by_number(numbers, numbers["label"])
    assert seen == [Labelled("good", "bad", 0.5), Labelled(None, "good", None), Labelled(1.5, -2.0, None)]


def test_huge_numbers_count_as_the_largest() -> None:
    huge = OwnMetric("huge", lambda sums: 0.0, ("up", "down"), lambda row: [10**30, -(10**30)])
    own = counted(BINARY, [huge])
    assert own is not None
    rows = told(BINARY, np.array([1]), np.array([1]))
    assert own(rows, rows["label"]).tolist() == [[MOST, -MOST]]


def test_columns_have_names_of_their_own() -> None:
    with pytest.raises(Unusable, match="'errors' already"):
        OwnMetric("odd", mean_cost, ("cost", "errors"), cost)


@pytest.mark.parametrize(("columns", "of_row"), [(("cost",), None), ((), cost)])
def test_columns_and_what_fills_them_go_together(columns: tuple[str, ...], of_row: OfRow | None) -> None:
    with pytest.raises(Unusable, match="give both"):
        OwnMetric("odd", mean_cost, columns, of_row)


@pytest.mark.parametrize("said", [[1], [1, 2, 3], [1, 2.5], [1, None]])
def test_what_is_not_a_whole_number_for_each_column_is_refused(said: list[int]) -> None:
    own = counted(BINARY, [OwnMetric("odd", lambda sums: 0.0, ("one", "two"), lambda row: said)])
    assert own is not None
    rows = told(BINARY, np.array([1]), np.array([1]))
    with pytest.raises(Unusable, match="its columns are one, two"):
        own(rows, rows["label"])
