"""Losses as whole numbers: those of scikit-learn's definitions, none for what is no answer, and nothing that overflows."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftbus.detectors.golden.judging import Compared, compared, counts_of, joined, spread_of, status_of, verdict_of
from driftbus.detectors.golden.losses import MOST_LOSS, Target, fixed, losses_of, metrics
from driftbus.schemas.integers import Integers
from driftbus.schemas.messages.golden import INVALID, MILLION, GoldenResult
from driftbus.schemas.stored.golden import MOST_ROWS, GoldenRow, Loss, golden_set

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324, 1.0])
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def target(loss: Loss, labels: list[float | str], classes: tuple[str, ...] = ()) -> Target:
    rows = [GoldenRow(id=f"{number:06}", features={}, label=label) for number, label in enumerate(labels)]
    return Target.of(golden_set("m", loss, rows, classes))


def lost(of: Target, answers: list[Any]) -> dict[str, Integers]:
    return losses_of(of, np.arange(len(answers)), answers)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_numbers_lose_their_distance(pairs: list[tuple[float, float]]) -> None:
    of = target("absolute", [label for label, _ in pairs])
    found = lost(of, [answer for _, answer in pairs])
    largest = max((abs(label) for label, _ in pairs), default=0)
    for (label, answer), absolute, squared in zip(pairs, found["absolute"].tolist(), found["squared"].tolist(), strict=True):
        capped = MOST_LOSS in (absolute, squared)
        assert capped or math.isclose(math.ldexp(absolute, -of.places), abs(label - answer), abs_tol=2.0**-of.places)
        assert capped or math.isclose(
            math.ldexp(squared, -of.places_of("squared")), (label - answer) ** 2, rel_tol=1e-6, abs_tol=1e-6 * largest**2 + 1e-9
        )


@given(st.sampled_from(["absolute", "squared"]), st.lists(numbers, min_size=1, max_size=20), st.data())
def test_whatever_numbers_there_are_sums_stay_exact(loss: Loss, labels: list[float], data: st.DataObject) -> None:
    answers = data.draw(st.lists(numbers | anything, min_size=len(labels), max_size=len(labels)))
    of = target(loss, list(labels))
    for name, units in lost(of, answers).items():
        assert units.dtype == np.int64
        assert ((units == INVALID) | ((units >= 0) & (units <= MOST_LOSS))).all()
        answered = units[units >= 0]
        told = metrics({name: (int(answered.sum()), of.places_of(name))}, len(answered))
        assert all(math.isfinite(value) for value in told.values())
    assert MOST_LOSS * MOST_ROWS < 2**63


@given(st.sampled_from(["zero_one", "log_loss", "brier"]), st.lists(anything, min_size=1, max_size=10))
def test_whatever_is_answered_loses_something_known_or_is_none(loss: Loss, answers: list[Any]) -> None:
    of = target(loss, ["no", "yes"] * len(answers))
    for units in lost(of, answers).values():
        assert ((units == INVALID) | ((units >= 0) & (units <= MOST_LOSS))).all()


def test_probabilities() -> None:
    of = target("log_loss", ["no", "yes", "yes", "yes", "no"])
    found = lost(of, [0.25, 0.25, [0.25, 0.75], {"no": 0.25, "yes": 0.75}, 1.0])
    assert [math.ldexp(one, -20) for one in found["brier"].tolist()] == [0.0625, 0.5625, 0.0625, 0.0625, 1.0]
    told = [math.ldexp(one, -20) for one in found["log_loss"].tolist()]
    assert told == pytest.approx([-math.log(p) for p in (0.75, 0.25, 0.75, 0.75, 1e-15)], abs=1e-5)
    assert (found["zero_one"] >> 20).tolist() == [0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    "answer", [None, "yes", True, -0.1, 1.1, math.nan, math.inf, [0.5], [0.5, 0.6], {"perhaps": 1.0}, {"yes": 0.5}, 10**400]
)
def test_what_is_no_probability(answer: object) -> None:
    assert lost(target("brier", ["no", "yes"]), [answer])["brier"].tolist() == [INVALID]


def test_several_classes() -> None:
    of = target("brier", ["a", "b", "c"])
    found = lost(of, [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], 0.5])
    assert found["brier"].tolist() == [0, round((0.25 + 0.5625 + 0.0625) * 2**20), INVALID]


@pytest.mark.parametrize(
    ("answer", "loss"), [("1", 0), (1, 0), (1.0, 0), (True, 0), ("0", 1), ("of nobody", 1), (7, 1), (None, -3), ([1], -3), (math.nan, -3)]
)
def test_classes_are_texts_however_they_are_written(answer: object, loss: int) -> None:
    [found] = lost(target("zero_one", ["1", "0"]), [answer])["zero_one"].tolist()
    assert found == (loss << 20 if loss >= 0 else INVALID)


def test_a_loss_beyond_all_bounds_is_the_largest() -> None:
    assert fixed(np.array([1e300, math.inf]), 60).tolist() == [MOST_LOSS] * 2
    assert not metrics({"squared": (0, 0)}, 0)


losses = st.lists(st.integers(-3, 50) | st.just(MOST_LOSS), max_size=60).map(lambda found: np.array(found, dtype=np.int64))


@given(losses)
def test_counts_and_status(units: Integers) -> None:
    counts = counts_of(units)
    assert sum(counts.values()) == len(units)
    expected = counts["answered"] * 100 >= 95 * len(units) and len(units)
    assert status_of(units) == ("failed" if not expected else "complete" if counts["answered"] == len(units) else "partial")


@given(st.integers(0, 2**62), st.integers(-(2**62), 2**62), st.integers(0, MILLION), st.none() | st.integers(0, 1_000 * MILLION))
def test_a_verdict_is_symmetric_and_grows_with_the_change(was: int, change: int, tolerance: int, spread: int | None) -> None:
    other = {"better": "worse", "worse": "better", "same": "same"}
    found = verdict_of(Compared(1, was, change), tolerance, spread)
    assert verdict_of(Compared(1, was, -change), tolerance, spread) == other[found]
    if found != "same":
        assert verdict_of(Compared(1, was, 2 * change), tolerance, spread) == found
    assert spread_of(Compared(1, was, change)) >= 0


@given(losses, st.data())
def test_rows_that_are_missing_change_nothing_of_the_others(units: Integers, data: st.DataObject) -> None:
    """Whichever time out, the same model is as it was."""
    gone = data.draw(st.lists(st.booleans(), min_size=len(units), max_size=len(units)))
    found = compared(np.where(gone, -1, units), units)
    assert found is None or (found.change, found.relative or 0.0) == (0, 0.0)


def test_records_that_do_not_fit_together_are_none() -> None:
    def one(chunk: int, *names: str) -> GoldenResult:
        return GoldenResult(
            request="e", model="m", version="1", attempt=1, chunk=chunk, losses=dict.fromkeys(names, np.zeros(3, dtype=np.int64))
        )

    assert len(joined([one(0, "brier"), one(1, "brier")]).primary) == 6
    with pytest.raises(ValueError, match="do not fit together"):
        joined([one(0, "brier"), one(1, "log_loss")])
