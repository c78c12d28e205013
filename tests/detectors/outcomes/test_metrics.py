"""Metrics from sums are those of scikit-learn from the rows: to the last digits where sums are exact, within what is said where not."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as sk

from driftbus.detectors.outcomes import ranking
from driftbus.detectors.outcomes.basis import of_categories, of_numbers, summed
from driftbus.detectors.outcomes.confusion import OfClass
from driftbus.detectors.outcomes.counting import LEAST_PROBABILITY
from driftbus.detectors.outcomes.interval import wilson
from driftbus.detectors.outcomes.layout import Layout, layout, products, squares
from driftbus.detectors.outcomes.metrics import Realised, accuracy_within, realised
from driftbus.detectors.outcomes.values import NONE, UNIT, Integers, Rows, values_of_numbers
from driftbus.schemas.stored.outcomes import OutcomeBasis
from tests.detectors.outcomes.rows import BINARY, EVERY, NUMBER, VALUES, many, of_texts, told

#: A score is told in steps of 2^-20, its losses in such of 2^-20 and 2^-30.
STEP = 2.0**-20
every_task = pytest.mark.parametrize("basis", EVERY.values(), ids=EVERY)


def of(basis: OutcomeBasis, rows: Rows) -> tuple[Layout, Integers, Realised]:
    found = layout(basis)
    vector = summed(found, rows)
    told_ = realised(found, vector)
    assert told_ is not None
    return found, vector, told_


def same(found: float | None, expected: float, by: float = 1e-12) -> bool:
    return found is not None and math.isclose(found, expected, rel_tol=1e-12, abs_tol=by)


@st.composite
def binary(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Truths, predictions, and scores on the grid of fixed point: skill from none to all, both outcomes there."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, skill = draw(st.integers(2, 400)), draw(st.sampled_from([0.0, 0.5, 2.0, 20.0]))
    true = (rng.random(n) < draw(st.sampled_from([0.01, 0.3, 0.5, 0.95]))).astype(np.int64)
    true[:2] = 0, 1
    scores = 1 / (1 + np.exp(-(skill * (2 * true - 1) + rng.normal(size=n))))
    scores = np.rint(scores * UNIT) / UNIT
    return true, (scores >= draw(st.sampled_from([0.0, 0.3, 0.5, 1.1]))).astype(np.int64), scores


@given(binary())
@settings(max_examples=40)
def test_binary(drawn: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]) -> None:
    true, predicted, scores = drawn
    found, vector, told_ = of(OutcomeBasis(task="binary"), told(BINARY.model_copy(update={"features": ()}), predicted, true, scores))
    metrics = told_.metrics
    assert same(metrics["accuracy"], sk.accuracy_score(true, predicted))
    assert same(metrics["recall"], sk.recall_score(true, predicted))
    assert same(metrics["f1"], sk.f1_score(true, predicted))
    if predicted.any():
        assert same(metrics["precision"], sk.precision_score(true, predicted))
    else:
        assert metrics["precision"] is None
    clipped = np.clip(scores, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    assert same(metrics["log_loss"], sk.log_loss(true, np.stack((1 - clipped, clipped), axis=1)), STEP)
    assert same(metrics["brier"], sk.brier_score_loss(true, scores), 2.0**-30)
    # By the bins as scores the area is exact; by scores themselves as far off as pairs in one bin allow.
    assert same(metrics["auc"], sk.roc_auc_score(true, np.minimum(np.floor(scores * 64), 63)))
    negative, positive = found.take(vector, "score bins").T
    within = ranking.tied(negative, positive)
    assert within is not None
    assert same(metrics["auc"], sk.roc_auc_score(true, scores), within / 2 + 1e-12)


@given(binary())
@settings(max_examples=40)
def test_average_precision_lies_within_what_ties_allow(
    drawn: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> None:
    true, _, scores = drawn
    scores = scores + np.arange(len(scores)) * 2.0**-52  # no ties among the scores themselves, as all of them are below 1 + 2^-20
    bins = np.minimum(np.floor(scores * 64), 63).astype(np.int64)
    negative, positive = (np.bincount(bins[true == outcome], minlength=64) for outcome in (0, 1))
    within, found = ranking.average_precision_within(negative, positive), ranking.average_precision(negative, positive)
    assert within is not None
    assert found is not None
    assert within[0] - 1e-12 <= sk.average_precision_score(true, scores) <= within[1] + 1e-12
    assert within[0] - 1e-12 <= found <= within[1] + 1e-12


def test_average_precision_is_exact_where_no_bin_has_both_outcomes() -> None:
    bins = np.random.default_rng(3).integers(0, 64, 300)
    true = bins * 37 % 64 > 40
    negative, positive = (np.bincount(bins[true == outcome], minlength=64) for outcome in (False, True))
    order = bins + np.arange(300) / 1_000
    assert same(ranking.average_precision(negative, positive), sk.average_precision_score(true, order))


def test_bins_are_fine_enough_for_scores_that_spread() -> None:
    rng = np.random.default_rng(5)
    true = rng.integers(0, 2, 20_000)
    scores = np.clip(rng.beta(2, 2, 20_000) * 0.7 + 0.3 * true, 0, 1)
    _, _, told_ = of(OutcomeBasis(task="binary"), told(OutcomeBasis(task="binary"), (scores > 0.5).astype(np.int64), true, scores))
    assert same(told_.metrics["auc"], sk.roc_auc_score(true, scores), 2e-4)
    assert same(told_.metrics["average_precision"], sk.average_precision_score(true, scores), 2e-4)


def test_calibration_error() -> None:
    rng = np.random.default_rng(6)
    scores = rng.random(5_000)
    true = (rng.random(5_000) < scores**2).astype(np.int64)
    _, _, told_ = of(OutcomeBasis(task="binary"), told(OutcomeBasis(task="binary"), (scores > 0.4).astype(np.int64), true, scores))
    bins = np.floor(scores * 16).astype(int)
    expected = sum(abs(true[bins == b].mean() - scores[bins == b].mean()) * (bins == b).sum() for b in range(16)) / len(true)
    assert same(told_.metrics["calibration_error"], expected, STEP)


@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 6), st.booleans())
@settings(max_examples=40)
def test_category(seed: int, n: int, classes: int, foreign: bool) -> None:
    rng = np.random.default_rng(seed)
    names = [f"class {place}" for place in range(classes)]
    true = rng.choice(names, n)
    basis = of_categories(true.tolist())
    predicted = np.where(rng.random(n) < 0.6, true, rng.choice([*names, *(["never seen"] if foreign else [])], n))
    scores = np.rint(rng.random(n) * UNIT) / UNIT
    _, _, told_ = of(basis, told(basis, of_texts(predicted.tolist()), of_texts(true.tolist()), scores))
    assert same(told_.metrics["accuracy"], sk.accuracy_score(true, predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is nothing to divide by: it is what `zero_division` is for
        precision, recall, f1, _ = sk.precision_recall_fscore_support(true, predicted, labels=list(basis.classes), zero_division=np.nan)
    expected = [OfClass(*(None if math.isnan(value) else value for value in each)) for each in zip(precision, recall, f1, strict=True)]
    for name, each in zip(basis.classes, expected, strict=True):
        for value, of_sklearn in zip(told_.classes[name], each, strict=True):
            assert value is of_sklearn is None or (of_sklearn is not None and same(value, of_sklearn))
    for metric, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        known = values[~np.isnan(values)]
        assert same(told_.metrics[metric], float(known.mean())) if len(known) else told_.metrics[metric] is None
    right = (true == predicted).astype(int)
    assert same(told_.metrics["confidence_brier"], float(((scores - right) ** 2).mean()), 2.0**-30)
    clipped = np.clip(scores, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    expected_loss = sk.log_loss(right, np.stack((1 - clipped, clipped), axis=1), labels=[0, 1])
    assert same(told_.metrics["confidence_log_loss"], expected_loss, STEP)


@given(st.integers(0, 2**32), st.integers(2, 300), st.sampled_from([1e-9, 1.0, 1e12]), st.sampled_from([0.0, 1e6]))
@settings(max_examples=40)
def test_number(seed: int, n: int, scale: float, centre: float) -> None:
    rng = np.random.default_rng(seed)
    true = scale * (centre + rng.normal(size=n))
    predicted = true + scale * rng.normal(size=n) * rng.choice([1e-3, 0.5, 3.0])
    basis = of_numbers(true, predicted)
    _, _, told_ = of(basis, told(basis, values_of_numbers(predicted), values_of_numbers(true)))
    # Every row's residual is off by half a step of fixed point; 1e6 sd from zero floats themselves have few digits left.
    step = basis.scale * STEP / 2 + 1e-15 * scale * centre
    assert same(told_.metrics["mae"], sk.mean_absolute_error(true, predicted), step)
    assert same(told_.metrics["rmse"], sk.root_mean_squared_error(true, predicted), step)
    assert same(told_.metrics["bias"], float((true - predicted).mean()), step)
    # Sums of squares are off by a step for each row times its root: of the ratio, which is 1 - r2, a few steps.
    r2 = sk.r2_score(true, predicted)
    assert same(told_.metrics["r2"], r2, 8 * (step / basis.scale) * (1 + (1 - r2)))


def test_groups_against_outcomes_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(8)
    n = 3_000
    y, predicted = rng.normal(3, 2, n), rng.normal(3, 2, n)
    rows = told(NUMBER, values_of_numbers(predicted), values_of_numbers(y))
    rows["bins"] = np.stack([rng.integers(0, groups + 1, n) for groups in (3, 5, 1)], axis=1)  # one of them is of no group
    rows["flags"] = rng.integers(0, 2, n)
    found = layout(NUMBER)
    vector = summed(found, rows)
    one_hot = np.concatenate([np.eye(groups + 1)[rows["bins"][:, j]][:, :groups] for j, groups in enumerate((3, 5, 1))], axis=1)
    fixed_y, fixed_r = np.rint((y - 3) / 2 * UNIT), np.rint((y - predicted) / 2 * UNIT)
    assert (products(found, vector) == one_hot.T @ one_hot).all()
    for part, of_ in (("", np.ones(n)), ("inner ", rows["flags"])):
        assert (found.take(vector, f"{part}hy")[:, 0] == (one_hot * of_[:, None]).T @ fixed_y).all()
        assert (found.take(vector, f"{part}hr")[:, 0] == (one_hot * of_[:, None]).T @ fixed_r).all()
        assert found.number(vector, f"{part}rows") == of_.sum()
        assert squares(found.take(vector, f"{part}rr")) == [sum(int(r) ** 2 for r in fixed_r[of_ > 0])]


@every_task
def test_without_rows_nothing_is_known(basis: OutcomeBasis) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    found, vector, told_ = of(basis, told(basis, nothing, nothing))
    assert not vector.any()
    assert set(told_.metrics.values()) == {None}
    assert accuracy_within(found, vector) is None if basis.task != "number" else True


@given(st.data(), st.sampled_from(sorted(EVERY)))
@settings(max_examples=80)
def test_metrics_are_numbers_or_none(data: st.DataObject, task: str) -> None:
    rows = data.draw(many(EVERY[task]))
    _, _, told_ = of(EVERY[task], rows)
    assert all(value is None or math.isfinite(value) for value in told_.metrics.values())
    assert all(value is None or 0 <= value <= 1 for of_one in told_.classes.values() for value in of_one)
    assert told_.labelled == (rows["label"] != NONE).sum()
    bounded = ("accuracy", "precision", "recall", "f1", "auc", "average_precision", "brier", "calibration_error")
    assert all(told_.metrics[name] is None or 0 <= (told_.metrics[name] or 0) <= 1 for name in bounded if name in told_.metrics)


@every_task
def test_what_takes_back_more_than_it_has_says_nothing(basis: OutcomeBasis) -> None:
    rows = told(basis, VALUES[basis.task][:2], VALUES[basis.task][:2])
    found = layout(basis)
    assert realised(found, -summed(found, rows)) is None


def test_one_class_has_no_ranking() -> None:
    _, _, told_ = of(OutcomeBasis(task="binary"), told(OutcomeBasis(task="binary"), np.zeros(5, int), np.zeros(5, int), np.full(5, 0.2)))
    assert told_.metrics["auc"] is told_.metrics["average_precision"] is told_.metrics["f1"] is None
    assert told_.metrics["accuracy"] == 1


def test_a_constant_outcome_has_no_r2() -> None:
    y = np.full(10, 4.0)
    basis = of_numbers(y, y)
    _, _, told_ = of(basis, told(basis, values_of_numbers(y + 1), values_of_numbers(y)))
    assert told_.metrics["r2"] is None
    assert same(told_.metrics["mae"], 1.0, STEP * basis.scale)


def test_r2_far_from_where_the_reference_lay() -> None:
    """Outcomes that differ by a few steps of fixed point, 1,000 sd from the centre: sums that are whole numbers lose no digit."""
    rng = np.random.default_rng(9)
    y = np.asarray(1_000 + rng.integers(0, 8, 500) * STEP, dtype=np.float64)
    predicted = np.asarray(y + rng.integers(-1, 2, 500) * STEP, dtype=np.float64)
    basis = OutcomeBasis(task="number")
    _, _, told_ = of(basis, told(basis, values_of_numbers(predicted), values_of_numbers(y)))
    assert same(told_.metrics["r2"], sk.r2_score(y, predicted), 1e-6)


def test_numbers_that_are_none_are_labelled_but_not_measured() -> None:
    y = values_of_numbers(np.array([1.0, np.nan, np.inf, 2.0, -np.inf]))
    predicted = values_of_numbers(np.array([1.5, 1.0, 1.0, np.nan, 2.0]))
    found, vector, told_ = of(NUMBER, told(NUMBER, predicted, y))
    assert (told_.labelled, found.number(vector, "measured"), told_.clipped) == (5, 1, 0)
    assert told_.metrics["mae"] == 0.5


def test_far_numbers_count_as_nearer_and_are_told() -> None:
    y = values_of_numbers(np.full(1_000, 1.7e308))
    predicted = values_of_numbers(np.full(1_000, -1.7e308))
    _, _, told_ = of(NUMBER, told(NUMBER, predicted, y))
    assert told_.clipped == 1_000
    assert told_.metrics["mae"] == 2.0 * 1_024


def test_sums_of_the_farthest_squares_do_not_overflow() -> None:
    found = layout(NUMBER)
    one = summed(found, told(NUMBER, values_of_numbers(np.full(1, -1.7e308)), values_of_numbers(np.full(1, 1.7e308))))
    many_ = one * (2**32)
    assert squares(found.take(many_, "rr")) == [2**32 * 2**60]
    told_ = realised(found, many_)
    assert told_ is not None
    assert told_.metrics["rmse"] == 2.0 * 1_024


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilson(rows: int, more: int) -> None:
    found = wilson(rows, rows + more)
    expected = stats.binomtest(rows, rows + more).proportion_ci(method="wilson")
    assert found is not None
    assert same(found.low, expected.low)
    assert same(found.high, expected.high)


def test_rows_that_hang_together_say_less() -> None:
    assert wilson(30, 100, tau=10) == wilson(3, 10)
