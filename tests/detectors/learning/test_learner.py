"""The learner: what it serves, what it learns from, and what a hold takes back."""

import msgspec
import numpy as np
import pytest

from driftbus.detectors.learning.candidates import FAST, Candidate, Features, Kind
from driftbus.detectors.learning.learner import Change, Learner, Settings
from driftbus.detectors.learning.state import Foreign

HOUR = 3_600_000


class World:
    """Predictions, each labelled an hour later; in half of its time the inputs mean the opposite."""

    def __init__(self, seed: int = 0) -> None:
        self._draw = np.random.default_rng(seed)
        self.changes: list[Change] = []

    def features(self) -> Features:
        return {"amount": float(self._draw.normal()), "country": ("DE", "FR", "IT")[int(self._draw.integers(3))], "new": None}

    def play(self, learner: Learner, first: int, hours: int, *, flipped: float = 0.0, reviewed: float = 0.0) -> list[float]:
        """A row a minute. The losses of what is served."""
        lost = []
        for hour in range(first, first + hours):
            rows = [self.features() for _ in range(60)]
            said = [learner.predicted(hour * HOUR + place, f"{hour}/{place}", row) for place, row in enumerate(rows)]
            for place, (row, scores) in enumerate(zip(rows, said, strict=True)):
                amount = row["amount"]
                assert scores is not None
                assert isinstance(amount, float)
                label = bool(self._draw.random() < 1 / (1 + np.exp(-2 * amount)))
                given, at = label ^ bool(self._draw.random() < flipped), (hour + 1) * HOUR + place
                self.changes += learner.labelled(at, f"{hour}/{place}", given).changes
                if self._draw.random() < reviewed:
                    self.changes += learner.labelled(at, f"{hour}/{place}", label, reviewed=True).changes
                lost.append(float(-np.log(scores.served if label else 1 - scores.served)))
        return lost


def settings(kind: Kind = "logistic") -> Settings:
    return Settings(kind=kind, wait=6 * HOUR, backtest=500, every=6 * HOUR)


def test_it_learns() -> None:
    world, learner = World(), Learner(settings())
    assert np.mean(world.play(learner, 0, 10)) > np.mean(world.play(learner, 10, 60)[-600:])


def test_the_fast_one_serves_once_it_is_better() -> None:
    world, learner = World(), Learner(settings())
    assert learner.serving == 0
    world.play(learner, 0, 60)
    assert learner.serving == 1
    assert [change.what for change in world.changes] == ["serves"]


def test_labels_that_reviewers_deny_are_unlearnt_and_it_holds_until_they_agree() -> None:
    world, learner = World(), Learner(settings())
    world.play(learner, 0, 40, reviewed=0.2)
    world.changes.clear()
    world.play(learner, 40, 20, flipped=0.5, reviewed=0.2)
    held = world.changes[0]
    assert (held.what, held.serving) == ("held", 0)
    assert held.since is not None
    assert 38 * HOUR <= held.since <= 60 * HOUR
    world.changes.clear()
    world.play(learner, 60, 30, reviewed=0.2)
    assert [change.what for change in world.changes][:1] == ["released"]
    assert not learner.held


def test_a_hold_takes_it_back_to_before_the_onset() -> None:
    world, learner = World(), Learner(settings())
    world.play(learner, 0, 24)
    before = learner.score({"amount": 1.0})
    world.play(learner, 24, 5, flipped=1.0)
    worse = learner.score({"amount": 1.0})
    assert worse.fast < before.fast
    (change,) = learner.hold(30 * HOUR, "incident", 24 * HOUR)
    assert change == Change("held", 0, "held by incident", 24 * HOUR)
    assert abs(learner.score({"amount": 1.0}).fast - before.fast) < 0.02
    assert learner.hold(30 * HOUR, "incident", 25 * HOUR) == ()
    learnt = learner.rows["learnt"]
    world.play(learner, 31, 2)
    assert learner.rows["learnt"] == learnt
    assert learner.release(40 * HOUR, "somebody") == ()
    assert [one.what for one in learner.release(40 * HOUR, "incident")] == ["released"]
    world.play(learner, 41, 1)
    assert learner.rows["learnt"] > learnt


def test_while_held_it_learns_from_reviewers_alone() -> None:
    learner = Learner(settings()._replace(backtest=0))
    learner.hold(0, "incident", 0)
    for row in range(4):
        learner.predicted(1, str(row), {"amount": 1.0})
    learner.labelled(2, "0", True)
    learner.labelled(2, "1", True, reviewed=True)
    assert learner.rows["learnt"] == 1


def test_one_that_is_held_while_it_is_young_goes_on_as_the_anchor_does() -> None:
    """It stood still at what it had learnt in six hours: .04 worse than one that learns a third of wrong labels."""
    lost = []
    for held in (True, False):
        world, learner = World(5), Learner(settings())
        world.play(learner, 0, 6)
        if held:
            (change,) = learner.hold(6 * HOUR, "incident", 6 * HOUR)
            assert change == Change("held", 0, "held by incident", None)
        lost.append(np.mean(world.play(learner, 6, 80, flipped=0.3)))
        assert learner.held == held
        assert learner.serving == 0
    assert lost[0] == pytest.approx(lost[1], abs=0.01)


def test_who_served_before_it_was_held_serves_when_it_goes_on() -> None:
    world, learner = World(), Learner(settings())
    world.play(learner, 0, 60)
    learner.hold(60 * HOUR, "incident", 58 * HOUR)
    assert learner.serving == 0
    assert [(one.what, one.serving) for one in learner.release(61 * HOUR, "incident")] == [("released", 1)]
    learner.hold(62 * HOUR, "another", 1 * HOUR)
    assert [(one.what, one.serving) for one in learner.release(63 * HOUR, "another")] == [("released", 0)]


def test_what_a_former_release_wrote_is_grown() -> None:
    world, learner = World(), Learner(settings())
    world.play(learner, 0, 2)
    plain = msgspec.msgpack.decode(learner.written())
    plain[0:] = [*plain[:6], [past[:2] for past in plain[6]]]
    former = Learner.read(settings(), msgspec.msgpack.encode(plain))
    former.hold(3 * HOUR, "incident", 3 * HOUR)
    learnt = former.rows["learnt"]
    world.play(former, 3, 2)
    assert former.rows["learnt"] == learnt


def test_a_prediction_counts_once_and_so_do_its_labels() -> None:
    learner = Learner(settings())
    assert learner.predicted(0, "a", {"amount": 1.0}) is not None
    assert learner.predicted(0, "a", {"amount": 2.0}) is None
    assert learner.labelled(1, "a", True).compared is not None
    assert learner.labelled(1, "a", False).compared is None
    assert learner.labelled(1, "b", True).compared is None
    assert learner.rows == {"scored": 1, "compared": 1, "learnt": 1, "expired": 0}


def test_what_waits_longer_than_it_may_leaves() -> None:
    learner = Learner(settings())
    learner.predicted(0, "a", {"amount": 1.0})
    assert learner.labelled(6 * HOUR + 1, "a", True).compared is None
    assert learner.rows["expired"] == 1


@pytest.mark.parametrize("kind", ["logistic", "tree", "forest"])
def test_written_down_it_goes_on_to_the_last_digit(kind: Kind) -> None:
    world, learner = World(3), Learner(settings(kind))
    world.play(learner, 0, 15, flipped=0.1, reviewed=0.1)
    content = learner.written()
    other = Learner.read(settings(kind), content)
    assert other.written() == content
    for one in (learner, other):
        World(4).play(one, 16, 5, flipped=0.6, reviewed=0.5)
        one.hold(21 * HOUR, "incident", 17 * HOUR)
    assert other.written() == learner.written()


@pytest.mark.parametrize("odd", [{"amount": float("nan")}, {"amount": 1e300}, {"amount": True}, {}, {"\udc80": "\udc80"}, {"amount": "x"}])
def test_odd_rows_are_scored_and_learnt_from(odd: dict[str, float | str | bool | None]) -> None:
    learner = Learner(settings())
    for row in range(20):
        learner.predicted(0, str(row), odd if row % 2 else {"amount": float(row)})
        learner.labelled(1, str(row), row > 9)
    assert 0 < learner.score(odd).slow < 1
    assert 0 < learner.score({"amount": 1.0}).fast < 1


@pytest.mark.parametrize("kind", ["logistic", "tree", "forest"])
@pytest.mark.parametrize("wild", [1e16, -1e155, 1e308, True])
def test_wild_values_do_not_undo_what_was_learnt(kind: Kind, wild: float) -> None:
    """Neither at once nor for as many rows again: it is still known which values are large."""
    candidate = Candidate(kind, FAST, seed=7)
    for row in range(900):
        if row in (300, 301, 302):
            candidate.learn({"amount": wild}, label=bool(row % 2))
        candidate.learn({"amount": row % 10.0}, row % 10 > 4)
    assert candidate.score({"amount": 9.0}) > 0.7 > 0.3 > candidate.score({"amount": 0.0})


@pytest.mark.parametrize("wild", [1e308, -1e308])
def test_a_wild_first_value_makes_no_number_of_none(wild: float) -> None:
    candidate = Candidate("logistic", FAST, seed=7)
    for row in range(50):
        candidate.learn({"amount": row % 10.0 if row else wild, "other": row % 10.0}, row % 10 > 4)
    assert candidate.score({"amount": 1.0, "other": 9.0}) > 0.55 > 0.45 > candidate.score({"amount": 1.0, "other": 0.0})


def test_the_state_of_another_kind_is_refused() -> None:
    with pytest.raises(Foreign):
        Learner.read(settings("tree"), Learner(settings("logistic")).written())
