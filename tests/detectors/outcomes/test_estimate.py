"""Estimates without labels: by hand, against what is realised where nothing changed, and on data whose inputs moved."""

import math
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from driftbus.detectors.outcomes.basis import of_categories, of_numbers, summed
from driftbus.detectors.outcomes.counting import Counting
from driftbus.detectors.outcomes.estimate import Completed, Estimate, Estimated
from driftbus.detectors.outcomes.layout import Layout, layout
from driftbus.detectors.outcomes.metrics import realised
from driftbus.detectors.outcomes.target import Target
from driftbus.detectors.outcomes.values import NONE, Rows, values_of_numbers
from driftbus.schemas.stored.outcomes import OutcomeBasis
from tests.detectors.outcomes.rows import EVERY, many, of_texts, told

DATA = Path(__file__).parents[2] / "data"
BINARY = OutcomeBasis(task="binary")
every_task = pytest.mark.parametrize("task", EVERY)


def scored(rng: np.random.Generator, n: int, *, hard: float = 1.0) -> Rows:
    """Scores that tell the truth; of more hard rows more lie near one half."""
    scores = 1 / (1 + np.exp(-rng.normal(size=n) * 3 / hard))
    return told(BINARY, (scores > 0.5).astype(np.int64), (rng.random(n) < scores).astype(np.int64), scores)


def unlabelled(rows: Rows) -> Rows:
    left = rows.copy()
    left["label"] = NONE
    return left


def estimated(found: Layout, reference: Rows, rows: Rows) -> Estimated:
    told_ = Estimate(found, summed(found, reference)).of(summed(found, rows))
    assert told_ is not None
    return told_


def completed(found: Layout, reference: Rows, rows: Rows) -> Completed:
    told_ = Estimate(found, summed(found, reference)).completed(summed(found, rows))
    assert told_ is not None
    return told_


def test_accuracy_by_hand() -> None:
    """Of two cells: 3 of 4 right, and 0 of 1; a third one the reference has never seen."""
    reference = told(BINARY, np.array([1, 1, 1, 1, 0]), np.array([1, 1, 1, 0, 1]), np.array([0.9, 0.9, 0.9, 0.9, 0.1]))
    rows = told(BINARY, np.array([1, 1, 0, 0]), np.full(4, NONE), np.array([0.9, 0.9, 0.1, 0.3]))
    found = estimated(layout(BINARY), reference, rows)
    assert found.rows == 4
    assert found.estimated["accuracy"] == pytest.approx((2 * 4 / 6 + 1 / 3 + 1 / 2) / 4)
    assert found.estimated["precision"] == pytest.approx(4 / 6)
    assert found.estimated["recall"] == pytest.approx(2 * 4 / 6 / (2 * 4 / 6 + 2 / 3 + 1 / 2))
    assert "unchanged" in found.assumes


def test_moved_inputs_are_seen() -> None:
    rng = np.random.default_rng(1)
    found, reference, rows = layout(BINARY), scored(rng, 50_000), scored(rng, 20_000, hard=3)
    told_, known = estimated(found, reference, unlabelled(rows)).estimated, realised(found, summed(found, rows))
    before = realised(found, summed(found, reference))
    assert known is not None
    assert before is not None
    accuracy = {name: each.metrics["accuracy"] or 0.0 for name, each in (("before", before), ("known", known))}
    assert accuracy["before"] - accuracy["known"] > 0.1
    for metric in ("accuracy", "precision", "recall", "f1", "auc"):
        assert told_[metric] == pytest.approx(known.metrics[metric], abs=0.01)


def test_auc_is_that_of_what_is_expected_of_each_bin() -> None:
    rng = np.random.default_rng(2)
    found, reference, rows = layout(BINARY), scored(rng, 5_000), scored(rng, 300)
    told_ = estimated(found, reference, unlabelled(rows)).estimated
    vector = summed(found, reference)
    right, labelled = (found.take(vector, name).reshape(3, 17) for name in ("cell right", "cell labelled"))
    share = (right + 1) / (labelled + 2)
    bins = np.minimum(rows["score"] * 16 // 2**20, 15)
    positive = np.where(rows["value"] == 1, share[1, bins], 1 - share[0, bins])
    # Each row both ways, weighted by how likely it is.
    both, twice = np.repeat([0, 1], len(rows)), np.tile(bins, 2)
    expected = sk.roc_auc_score(both, twice, sample_weight=np.concatenate((1 - positive, positive)))
    assert told_["auc"] == pytest.approx(expected)


@every_task
def test_completed_is_realised_where_all_is_labelled_and_estimated_where_nothing_is(task: str) -> None:
    rng = np.random.default_rng(3)
    if task == "binary":
        basis, rows = BINARY, scored(rng, 2_000)
    elif task == "category":
        texts = rng.choice(["a", "b", "c"], 2_000, p=[0.6, 0.3, 0.1])
        basis = of_categories(texts.tolist())
        predicted = np.where(rng.random(2_000) < 0.7, texts, rng.choice(["a", "b", "c", "never"], 2_000))
        rows = told(basis, of_texts(predicted.tolist()), of_texts(texts.tolist()), rng.random(2_000))
    else:
        y = rng.normal(size=2_000)
        basis = of_numbers(y, y + rng.normal(size=2_000))
        rows = told(basis, values_of_numbers(y + rng.normal(size=2_000)), values_of_numbers(y))
    found = layout(basis)
    known = realised(found, summed(found, rows))
    assert known is not None
    of_all, of_none = completed(found, rows, rows), completed(found, rows, unlabelled(rows))
    assert (of_all.labelled, of_none.labelled, of_all.rows, of_none.rows) == (2_000, 0, 2_000, 2_000)
    ranked = {"auc"}  # from 16 bins, not from 64
    for metric, value in of_all.completed.items():
        assert value == pytest.approx(known.metrics[metric], abs=0.01 if metric in ranked else 1e-9)
    assert of_all.classes == known.classes
    told_ = estimated(found, rows, unlabelled(rows))
    assert of_none.completed == told_.estimated
    assert of_none.classes == told_.classes
    # And on the reference's own rows an estimate is what was realised, but for the rows added to each cell.
    for metric, value in told_.estimated.items():
        assert value == pytest.approx(known.metrics[metric], abs=0.02)


def test_completed_adds_what_is_expected_of_the_others() -> None:
    rng = np.random.default_rng(4)
    found, reference, rows = layout(BINARY), scored(rng, 10_000), scored(rng, 1_000)
    labelled, others = rows[:300], unlabelled(rows[300:])
    known = realised(found, summed(found, labelled))
    assert known is not None
    part = estimated(found, reference, others)
    whole = completed(found, reference, np.concatenate((labelled, others)))
    expected = (300 * (known.metrics["accuracy"] or 0) + 700 * (part.estimated["accuracy"] or 0)) / 1_000
    assert whole.completed["accuracy"] == pytest.approx(expected)
    assert (whole.rows, whole.labelled) == (1_000, 300)


def test_what_expired_has_an_estimate_of_its_own() -> None:
    found = layout(BINARY)
    rng = np.random.default_rng(5)
    reference, hard = scored(rng, 20_000), unlabelled(scored(rng, 500, hard=10))
    flat = np.zeros(found.size + 1, dtype=np.int64)
    Counting(found).in_cells("cell expired", Target(flat, np.zeros(len(hard), dtype=np.int64), found.size), hard)
    by = Estimate(found, summed(found, reference))
    told_, as_predicted = by.of(flat[:-1], "expired"), by.of(summed(found, hard))
    assert told_ == as_predicted
    assert by.of(flat[:-1], "predicted") is None


def test_a_number_has_a_guess() -> None:
    rng = np.random.default_rng(6)
    predicted = rng.uniform(0, 10, 20_000)
    y = predicted + rng.normal(size=20_000) * (1 + predicted)
    basis = of_numbers(y, predicted)
    found, high = layout(basis), predicted > 7
    reference = told(basis, values_of_numbers(predicted), values_of_numbers(y))
    told_ = estimated(found, reference, unlabelled(reference[high]))
    assert told_.estimated["mae"] == pytest.approx(np.abs(y - predicted)[high].mean(), rel=0.02)
    assert "guess" in told_.assumes


def test_predictions_that_are_no_numbers_have_no_guess() -> None:
    basis = EVERY["number"]
    found = layout(basis)
    reference = told(basis, values_of_numbers(np.zeros(5)), values_of_numbers(np.ones(5)))
    rows = told(basis, values_of_numbers(np.array([np.nan, np.inf, 0.0])), np.full(3, NONE))
    assert estimated(found, reference, rows).rows == 1
    assert Estimate(found, summed(found, reference)).of(summed(found, rows[:2])) is None


@every_task
def test_nothing_is_estimated_of_nothing_or_by_nothing(task: str) -> None:
    basis, found = EVERY[task], layout(EVERY[task])
    values = (
        np.ones(3, dtype=np.int64) if task == "binary" else of_texts(["bee"] * 3) if task == "category" else np.zeros(3, dtype=np.int64)
    )
    nothing, rows = np.zeros(found.size, dtype=np.int64), summed(found, told(basis, values, values))
    assert Estimate(found, rows).of(nothing) is None
    assert Estimate(found, rows).completed(nothing) is None
    assert Estimate(found, nothing).of(rows) is None
    assert Estimate(found, nothing).completed(rows) is None
    assert Estimate(found, rows).of(-rows) is None
    with pytest.raises(ValueError, match="whole rows"):
        Estimate(found, -rows)


@given(st.data(), st.sampled_from(sorted(EVERY)))
@settings(max_examples=100)
def test_estimates_are_numbers_or_none(data: st.DataObject, task: str) -> None:
    found = layout(EVERY[task])
    reference, rows = (summed(found, data.draw(many(EVERY[task]))) for _ in range(2))
    by = Estimate(found, reference)
    for told_ in (by.of(rows), by.of(rows, "unlabelled")):
        assert told_ is None or all(value is None or math.isfinite(value) for value in told_.estimated.values())
        assert told_ is None or task == "number" or 0 <= (told_.estimated["accuracy"] or 0) <= 1
    both = by.completed(rows)
    assert both is None or all(value is None or math.isfinite(value) for value in both.completed.values())


def loans(name: str) -> Rows:
    """NannyML's car loans (Apache-2.0)."""
    with duckdb.connect() as sql:
        table = sql.execute(f"select score, prediction, repaid from '{DATA}/car_loan_{name}.parquet'").fetchnumpy()
    prediction, repaid = (np.asarray(table[column], dtype=np.int64) for column in ("prediction", "repaid"))
    return told(BINARY, prediction, repaid, np.asarray(table["score"]) / 100)


def metric_by_part(found: Layout, rows: Rows, by: Estimate | None, metric: str) -> NDArray[np.float64]:
    values = []
    for start in range(0, len(rows), 5_000):
        part = rows[start : start + 5_000]
        of = realised(found, summed(found, part)) if by is None else by.of(summed(found, unlabelled(part)))
        assert of is not None
        values.append((of.estimated if isinstance(of, Estimated) else of.metrics)[metric])
    return np.array(values, dtype=np.float64)


def test_car_loans() -> None:
    """Within .01 of what is realised in every 5,000 rows, without a label of theirs; the inputs move at row 25,000."""
    found = layout(BINARY)
    by = Estimate(found, summed(found, loans("reference")))
    analysis = loans("analysis")
    known, told_ = (metric_by_part(found, analysis, how, "accuracy") for how in (None, by))
    assert len(known) == 10
    assert np.abs(told_ - known).max() < 0.01
    assert told_[:5].mean() - told_[5:].mean() > 0.02
