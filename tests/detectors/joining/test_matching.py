"""Single rules of the join, and input that is as odd as the types allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.detectors.joining import ANY, LABEL, NONE, Happening, prediction
from driftbus.detectors.joining.matching import Matching

from ...oracle import labels as oracle
from .logs import MODELS, PLACES, Event, Every, fold, fold_by_oracle, joiner

TILING = Every(10)
LARGEST = 2**63 - 1


def matching(wait: int = 100, early: int = 0, bins: int = 0, maturity: int | None = None) -> Matching:
    return Matching(wait, early, TILING, bins, maturity)


def predictions(*ids: int, model: int = 0, version: int = 0, about: int = 10, bins: int = 0) -> np.ndarray:
    made = np.zeros(len(ids), prediction(bins))
    made["hi"], made["lo"], made["model"], made["version"], made["about"] = ids, 7, model, version, about
    return made


def labels(*ids: int, value: int = 1, model: int = ANY, revision: int = 0, about: int = 10) -> np.ndarray:
    made = np.zeros(len(ids), LABEL)
    made["hi"], made["lo"], made["value"], made["model"], made["revision"], made["about"] = ids, 7, value, model, revision, about
    return made


NO_PREDICTIONS, NO_LABELS = predictions(), labels()


def told(happenings: list[Happening]) -> dict[str, list[tuple[int, int, int]]]:
    """Id, outcome, and outcome before, of each kind."""
    return {h.what: list(zip(h.rows["hi"].tolist(), h.rows["label"].tolist(), h.before.tolist(), strict=True)) for h in happenings}


def test_a_step_takes_its_predictions_before_its_labels() -> None:
    happened = matching().step(10, predictions(1, 2, 1), labels(2, 3))
    assert told(happened) == {
        "predicted": [(1, NONE, NONE), (2, NONE, NONE)],
        "duplicate": [(1, NONE, NONE)],
        "changed": [(2, 1, NONE)],
        "first": [(2, 1, NONE)],
    }


def test_of_several_labels_in_a_step_only_the_net_change_is_told() -> None:
    join = matching()
    join.step(10, predictions(1, 2, 3), labels(1, 2, 3, value=5))
    mixed = np.concatenate((labels(1, value=6), labels(2, value=8), labels(1, 2, value=5), labels(3, value=9), labels(3, value=NONE)))
    assert told(join.step(20, NO_PREDICTIONS, mixed)) == {"changed": [(3, NONE, 5)]}
    assert told(join.step(30, NO_PREDICTIONS, labels(3, value=5))) == {"changed": [(3, 5, NONE)]}, "set again, and not first any more"


def test_what_is_set_and_taken_back_in_a_step_was_never_known() -> None:
    join = matching()
    assert "first" not in told(join.step(10, predictions(1), np.concatenate((labels(1), labels(1, value=NONE)))))
    assert told(join.step(20, NO_PREDICTIONS, labels(1, value=3))) == {"changed": [(1, 3, NONE)], "first": [(1, 3, NONE)]}


def test_with_a_maturity_what_is_known_then_is_the_first_outcome() -> None:
    """Of 1 a correction came, 2 was taken back, 3 came too late, and 4 in the step in which it is due: all spans end before that."""
    join = matching(early=50, maturity=20)
    assert set(told(join.step(10, predictions(1, 2, 3, 4), labels(1, 2)))) == {"predicted", "changed"}
    assert set(told(join.step(30, NO_PREDICTIONS, np.concatenate((labels(1, value=0), labels(2, value=NONE)))))) == {"changed"}
    assert join.ripen(30) == []
    assert join.due() == 40
    due, first = join.ripen(40)
    assert told([due])["due"] == [(1, 0, NONE), (2, NONE, NONE), (3, NONE, NONE), (4, NONE, NONE)]
    assert told([first])["first"] == [(1, 0, NONE)]
    assert first.rows["delay"].tolist() == [0], "how long the first label took, not the correction"
    assert set(told(join.step(40, NO_PREDICTIONS, labels(2, 3, 4)))) == {"changed"}
    assert join.ripen(50) == []


def test_what_is_due_in_the_step_in_which_it_leaves_is_told_before() -> None:
    join = matching(wait=20, maturity=20)
    join.step(10, predictions(1), labels(1))
    assert [happening.what for happening in join.ripen(40)] == ["due", "first"]
    assert not len(join.expire(40).expired.rows)
    assert join.kept == 0
    assert join.due() is None


def test_the_delay_is_from_the_predictions_own_bucket_to_the_step() -> None:
    join = matching(early=50)
    join.step(10, predictions(1, about=10), labels(2))
    (_, _, early) = join.step(20, predictions(2, about=20), NO_LABELS)
    assert early.rows["delay"].tolist() == [0], "known with the prediction"
    (_, first) = join.step(70, NO_PREDICTIONS, labels(1, about=60))
    assert first.rows["delay"].tolist() == [60]


def test_the_users_own_order_goes_before_arrival() -> None:
    join = matching()
    join.step(10, predictions(1), np.concatenate((labels(1, value=4, revision=2), labels(1, value=3, revision=1))))
    assert told(join.step(20, NO_PREDICTIONS, labels(1, value=3, revision=1))) == {}
    assert told(join.step(30, NO_PREDICTIONS, labels(1, value=2, revision=2))) == {"changed": [(1, 2, 4)]}


def test_a_label_is_for_every_version_and_for_the_model_that_it_names() -> None:
    join = matching(early=50)
    rows = np.concatenate((predictions(1, model=0, version=0), predictions(1, model=0, version=1), predictions(1, model=1, version=2)))
    (_, changed, _) = join.step(10, rows, labels(1, model=0))
    assert changed.rows["version"].tolist() == [0, 1]
    (changed, _) = join.step(20, NO_PREDICTIONS, labels(1, value=2, model=1))
    assert changed.rows["version"].tolist() == [2], "the only one of that model"
    (_, changed, _) = join.step(30, predictions(1, model=1, version=3), NO_LABELS)
    assert told([changed]) == {"changed": [(1, 2, NONE)]}, "the label of the other model is not for it"


def test_a_label_waits_for_another_version_though_it_was_matched() -> None:
    join = matching(early=30)
    join.step(10, predictions(1), labels(1))
    assert "first" in told(join.step(40, predictions(1, version=1), NO_LABELS))
    assert len(join.expire(50).unmatched.about) == 0
    assert "first" not in told(join.step(50, predictions(1, version=2), NO_LABELS))


def test_unmatched_labels_are_all_told_each_with_its_bucket_and_model() -> None:
    join = matching(early=10)
    join.step(10, NO_PREDICTIONS, np.concatenate((labels(1, 1, 1), labels(1, about=5), labels(1, model=1), labels(2))))
    join.step(20, predictions(2), NO_LABELS)
    assert join.due() == 30
    about, model = join.expire(30).unmatched
    assert sorted(zip(about.tolist(), model.tolist(), strict=True)) == [(5, ANY), (10, 1), (10, ANY), (10, ANY), (10, ANY)]
    assert join.due() == 130, "the prediction"


def test_what_is_due_leaves_in_its_bucket_and_in_no_other() -> None:
    join = matching(wait=50)
    join.step(10, predictions(1, 2), labels(1))
    join.step(20, predictions(3), NO_LABELS)
    assert join.due() == 20, "the label"
    join.expire(20)
    assert join.due() == 70
    assert len(join.expire(60).expired.rows) == 0
    assert told([join.expire(70).expired]) == {"expired": [(2, NONE, NONE)]}
    assert join.due() == 80
    join.expire(80)
    assert join.due() is None


def test_what_was_taken_back_expires_too() -> None:
    join = matching(wait=20)
    join.step(10, predictions(1), labels(1))
    join.step(20, NO_PREDICTIONS, labels(1, value=NONE))
    assert len(join.expire(40).expired.rows) == 1


def test_an_id_that_never_changes_is_two_rows() -> None:
    """However often it comes, in however many steps; and it goes, with all its memory, when it comes no more."""
    join, counted = matching(wait=1_000), 0
    many = predictions(*[1] * 10_000)
    for step in range(10, 1_010, 10):
        join.expire(step)
        counted += sum(len(h.rows) for h in join.step(step, many, NO_LABELS) if h.what == "predicted")
        assert join.kept <= 2
    assert counted == 1
    size = join.nbytes
    for step in range(1_010, 30_000, 90):
        join.expire(step)
        join.step(step, predictions(1), NO_LABELS)
        assert join.kept <= 2
    assert join.nbytes == size
    join.expire(31_100)
    join.expire(32_200)
    assert join.kept == 0


def test_labels_of_an_id_that_never_changes_are_a_row_a_step() -> None:
    join, unmatched = matching(early=100), 0
    for step in range(10, 1_010, 10):
        unmatched += len(join.expire(step).unmatched.about)
        join.step(step, NO_PREDICTIONS, labels(*[1] * 1_000))
        assert join.kept <= 11
    assert unmatched + len(join.expire(1_110).unmatched.about) == 100 * 1_000


@pytest.mark.parametrize("bins", [0, 1, 20])
def test_a_row_is_told_as_it_came(bins: int) -> None:
    draw = np.random.default_rng(bins)
    came = np.frombuffer(draw.bytes(prediction(bins).itemsize * 500), prediction(bins)).copy()
    came["about"] = draw.choice([10, 20, 70], 500)
    join = matching(bins=bins)
    (new,) = join.step(70, came, NO_LABELS)
    for rows in (new.rows, join.expire(180).expired.rows):
        assert (rows["label"] == NONE).all()
        for name in came.dtype.names or ():
            np.testing.assert_array_equal(rows[name][np.argsort(rows["hi"])], came[name][np.argsort(came["hi"])])


IDS = st.sampled_from(["a", "b", "c"])
ABOUT = st.sampled_from([10, 500, -70])
PREDICTED = st.builds(
    oracle.Prediction, IDS, st.just("m"), st.sampled_from(["1", "2"]), st.sampled_from(PLACES[1:]), ABOUT, st.integers(0, 1), st.just(0)
)
VALUES = st.sampled_from([None, 0, 1, LARGEST, -LARGEST])
LABELLED = st.builds(oracle.Label, IDS, VALUES, ABOUT, st.sampled_from(["", *MODELS]), st.sampled_from([0, 1, LARGEST, -LARGEST - 1]))
STEPS = st.lists(st.tuples(st.integers(1, 8), st.lists(PREDICTED, max_size=5), st.lists(LABELLED, max_size=5)), max_size=8)


@settings(max_examples=60)
@given(steps=STEPS, wait=st.sampled_from([0, 10, 40]), early=st.sampled_from([0, 10, 30]), end=st.integers(0, 200))
def test_whatever_comes(steps: list[tuple[int, list[oracle.Prediction], list[oracle.Label]]], wait: int, early: int, end: int) -> None:
    join, step, events = oracle.Join(TILING, Every(20), Every(20), wait, early), 100, []
    for further, new, labelled in steps:
        step += 10 * further
        events.append(Event("take", step, tuple(new), tuple(labelled)))
    events.append(Event("ended", step + end))
    assert fold(joiner(join), events) == fold_by_oracle(oracle.Joiner(join), events)


def test_the_order_of_what_is_told_does_not_depend_on_the_past() -> None:
    """What is copied row by row is the same after a restart."""
    draw = np.random.default_rng(0)
    ids = draw.permutation(3_000)
    old, new = matching(wait=40), matching(wait=40)
    for step in range(10, 60, 10):
        old.expire(step)
        old.step(step, predictions(*range(step * 10_000, step * 10_000 + 3_000)), NO_LABELS)
    for join in (old, new):
        join.expire(60)
        join.step(60, predictions(*ids), labels(*ids[:10]))
    ordered = draw.permutation(ids[10:])
    orders = [[h.rows["hi"].tolist() for h in join.step(70, NO_PREDICTIONS, labels(*ordered))] for join in (old, new)]
    assert orders[0] == orders[1] == [ids[10:].tolist()] * 2
