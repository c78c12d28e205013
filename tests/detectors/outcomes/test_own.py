"""A user's own metrics: functions of sums, and columns that add up like the others."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftbus.detectors.outcomes.layout import layout
from driftbus.detectors.outcomes.ledger import Ledger
from driftbus.detectors.outcomes.metrics import realised
from driftbus.detectors.outcomes.own import MOST, TAKEN, Labelled, LabelledRows, OfRow, OwnMetric, columns_of, counted, tried
from driftbus.detectors.outcomes.values import NONE, Integers, values_of_numbers
from driftbus.schemas.stored.outcomes import OutcomeBasis
from driftbus.schemas.unusable import Unusable
from tests.detectors.outcomes.rows import EVERY, NUMBER, VALUES, Told, of_texts, told


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
    return Ledger(lambda version, place: BINARY, lambda bucket, version, place: bucket, lambda version, basis: own)


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
    assert by_text(rows, rows["label"]).tolist() == [[1, 0], [1, 0]]
    numbers = told(NUMBER, values_of_numbers(np.array([1.5])), values_of_numbers(np.array([-2.0])))
    by_number(numbers, numbers["label"])
    assert seen == [Labelled("good", "bad", 0.5), Labelled(None, "good", None), Labelled(1.5, -2.0, None)]


def test_huge_numbers_count_as_the_largest() -> None:
    huge = OwnMetric("huge", lambda sums: 0.0, ("up", "down"), lambda row: [10**30, -(10**30)])
    own = counted(BINARY, [huge])
    assert own is not None
    rows = told(BINARY, np.array([1]), np.array([1]))
    assert own(rows, rows["label"]).tolist() == [[MOST, -MOST, 0]]


def test_columns_have_names_of_their_own() -> None:
    with pytest.raises(Unusable, match="'errors' already"):
        OwnMetric("odd", mean_cost, ("cost", "errors"), cost)


@pytest.mark.parametrize(("columns", "of_row"), [(("cost",), None), ((), cost)])
def test_columns_and_what_fills_them_go_together(columns: tuple[str, ...], of_row: OfRow | None) -> None:
    with pytest.raises(Unusable, match="give both"):
        OwnMetric("odd", mean_cost, columns, of_row)


SAID: list[Any] = [[1], [1, 2, 3], [1, 2.5], [1, None], None, 7]


@pytest.mark.parametrize("said", SAID)
def test_what_is_not_a_whole_number_for_each_column_fails_that_row_alone(said: Any) -> None:
    """And is refused where it is so from the start."""

    def of_row(row: Labelled) -> Any:
        return said if row.outcome == 0 else [3, 4]

    odd = OwnMetric("odd", lambda sums: 0.0, ("one", "two"), of_row)
    own = counted(BINARY, [odd, COST])
    assert own is not None
    rows = told(BINARY, np.array([1, 1]), np.array([1, 0]))
    assert own(rows, rows["label"]).tolist() == [[3, 4, 0, 0, 1, 0], [0, 0, 1, 10, 1, 0]]
    with pytest.raises(Unusable, match="metric odd fails on ordinary rows"):
        tried(odd, OutcomeBasis(task="binary", own=odd.own))


def costs(rows: LabelledRows) -> Integers:
    cost = 10 * ((rows.predicted == 1) & (rows.outcome == 0)) + ((rows.predicted == 0) & (rows.outcome == 1))
    return np.stack((cost, np.ones(len(cost), dtype=np.int64)), axis=1)


def test_a_function_of_many_rows_says_what_one_of_a_row_does() -> None:
    together = OwnMetric("mean cost", mean_cost, ("cost", "decided"), of_rows=costs)
    draw = np.random.default_rng(0)
    rows = told(BINARY, draw.integers(0, 2, 100), draw.integers(0, 3, 100), draw.random(100))
    one, many = counted(BINARY, [COST]), counted(BINARY, [together])
    assert one is not None
    assert many is not None
    assert one(rows, rows["label"]).tolist() == many(rows, rows["label"]).tolist()
    assert many(rows[:0], rows["label"][:0]).shape == (0, 3)
    tried(together, BINARY)


@pytest.mark.parametrize("task", EVERY)
def test_rows_on_which_a_function_of_many_fails_are_the_only_ones(task: str) -> None:
    def of_rows(rows: LabelledRows) -> Integers:
        if np.isnan(rows.score).any():
            raise ZeroDivisionError
        return np.full((len(rows.score), 1), 2**62, dtype=np.uint64)

    basis = EVERY[task]
    own = counted(basis, [OwnMetric("odd", lambda sums: 0.0, ("one",), of_rows=of_rows)])
    assert own is not None
    rows = told(basis, VALUES[task][[0, 1, 0]], VALUES[task][[0, 0, 1]], np.array([0.5, np.nan, 1.0]))
    assert own(rows, rows["label"]).tolist() == [[MOST, 0], [0, 1], [MOST, 0]]


def test_a_function_of_sums_that_fails_is_refused_at_once_and_later_says_nothing() -> None:
    odd = OwnMetric("odd", lambda sums: int(sums["nothing"]))
    with pytest.raises(Unusable, match=r"metric odd fails on ordinary rows: KeyError"):
        tried(odd, OutcomeBasis(task="binary"))
    assert odd.told(layout(BINARY), np.zeros(layout(BINARY).size, dtype=np.int64)) is None


def test_metrics_have_names_of_their_own() -> None:
    with pytest.raises(Unusable, match="driftbus tells one of this name"):
        OwnMetric("accuracy", mean_cost)
    with pytest.raises(Unusable, match="one is there twice"):
        OwnMetric("odd", mean_cost, ("cost", "cost"), cost)
    with pytest.raises(Unusable, match="a function that is given one thing"):
        OwnMetric("odd", lambda: 0.0)  # type: ignore[arg-type,misc]  # what somebody writes
    for basis in EVERY.values():
        plan = layout(basis)
        found = realised(plan, np.zeros(plan.size, dtype=np.int64))
        assert found is not None
        assert found.metrics.keys() <= TAKEN


def test_the_one_in_the_documentation_works() -> None:
    page = (Path(__file__).parents[3] / "docs/labels.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    made: dict[str, Any] = {}
    exec(code, made)
    metric: OwnMetric = made["MEAN_COST"]
    basis = OutcomeBasis(task="binary", own=metric.own)
    tried(metric, basis)
    own = counted(basis, [metric])
    assert own is not None
    rows = told(basis, np.array([0, 1, 1]), np.array([1, 0, 1]))
    plan = layout(basis)
    vector = np.zeros(plan.size, dtype=np.int64)
    plan.take(vector, "own")[:] = own(rows, rows["label"]).sum(axis=0)
    assert metric.told(plan, vector) == pytest.approx(101 / 3)
