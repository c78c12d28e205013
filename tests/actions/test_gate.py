"""The golden gate, from what a model answered on its set to what is said of its version."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest

from driftbus.consumers.intake.copying import Copying
from driftbus.detectors.actions.promoting import AGAIN_AFTER
from driftbus.detectors.golden.fold import Fold, Said
from driftbus.schemas.configuration import Promotion
from driftbus.schemas.messages.action import ActionTick, LedgerFact
from driftbus.schemas.messages.action_version import ActionEvaluation
from driftbus.schemas.messages.golden import FROM_NOTHING, Cause, GoldenEvaluation, GoldenResult

from ..detectors.golden.records import evaluated, request, result, started, written
from .adversary import DAY, HOUR, MODEL
from .adversary_versions import moved
from .promoted import settings
from .test_versions import BARE, START, Told, evaluation, registered, word

GATE = Promotion(**{**BARE, "golden": 0.05})
COPIED = settings("watched", "none", labels={}, models={"m": {"diagnosis": "off", "promotion": {"by": "person"}}})


def copied(one: GoldenEvaluation) -> ActionEvaluation:
    """As the intake writes it to the ledger, of what is asked for when a version is registered."""
    [fact] = Copying(COPIED).feed(0, 0, one)
    assert isinstance(fact, ActionEvaluation)
    return fact.model_copy(update={"model": MODEL, "time": None, "cause": "model"})


def beside(fold: Fold, id_: str, losses: Sequence[int | str], *, parent: str | None = "1", spread: bool = False) -> ActionEvaluation:
    """The test of version 2 that is asked for when it is registered."""
    records: list[Said] = [request(id_, "2", parent=parent, spread=spread), started(id_, 1, "2"), *result(id_, losses, version="2")]
    return copied(written(fold, records)[-1])


def of_parent() -> Fold:
    fold = Fold()
    evaluated(fold, "parent", [100] * 100, version="1")
    return fold


@pytest.mark.parametrize("loss", [106, 150, 900])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_one_that_was_tested_before_it_was_registered_is_compared_with_its_parent(before: int, loss: int) -> None:
    """By a person, or because it was deployed: what is said of it on the ledger may come before its registration, and behind it."""
    for deployed in ([], [moved("deployed", "2", 1, parent="1"), moved("deployed", "1", 2)]):
        fold = of_parent()
        earlier = [copied(evaluated(fold, f"by-hand-{number}", [loss] * 100, version="2")) for number in range(before)]
        first, second = (beside(fold, f"r{spread}", [loss] * 100, spread=spread) for spread in (False, True))
        told = Told(GATE)
        told(*deployed, *earlier)
        assert told(registered()) == ["evaluate 2"]
        assert told(first) == ["refuse 2"]
        assert f"worse by {loss - 100:.1f}%" in told.last.reason
        assert told(second) == []


NOT_THE_GATES: tuple[Cause, ...] = ("person", "slot", "episode", "set")


@pytest.mark.parametrize("cause", NOT_THE_GATES)
@pytest.mark.parametrize("golden", ["a", "b"], ids=["the set in use", "one on which nothing was tested"])
@pytest.mark.parametrize("loss", [50, 100, 900])
def test_only_the_test_beside_its_parent_decides(cause: Cause, golden: str, loss: int) -> None:
    """What others ask for meanwhile may be of a set on which there is nothing to compare with: that let every version through."""
    fold, told = of_parent(), Told(GATE)
    assert told(registered()) == ["evaluate 2"]
    other = copied(evaluated(fold, "other", [loss] * 100, version="2", golden=golden)).model_copy(update={"cause": cause})
    assert told(other) == []
    assert told(beside(fold, "r", [106] * 100)) == ["refuse 2"]


@pytest.mark.parametrize("cause", NOT_THE_GATES)
def test_what_others_ask_for_and_what_fails_of_it_refuses_nothing(cause: Cause) -> None:
    told = Told(GATE)
    assert told(registered()) == ["evaluate 2"]
    for number, after in enumerate(AGAIN_AFTER):
        assert told(evaluation(request=f"f{number}", status="failed", verdict="unknown", asked=told.now, cause=cause), later=1) == []
        assert told(ActionTick(time=0), later=after) == []
    assert told.ledger.candidates["2"].said["evaluate"] == 1


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"cause": "person"}, False),
        ({"cause": "model", "status": "failed", "verdict": "unknown"}, False),
        ({"cause": "slot", "status": "failed", "verdict": "unknown"}, False),
        ({"cause": "model"}, True),
        ({"cause": "slot"}, True),
        ({}, True),
    ],
)
def test_a_set_that_a_person_tries_is_not_what_the_next_version_is_tested_on(fields: dict[str, str], counts: bool) -> None:
    told = Told(GATE)
    told(evaluation("1", "t", golden="sha256:tried", **fields))
    assert told(registered()) == ["evaluate 2"]
    assert told.last.golden == ("sha256:tried" if counts else None)


@pytest.mark.parametrize("loss", [106, 150, 900])
def test_one_whose_evaluation_stands_before_its_registration_is_compared_with_its_parent(loss: int) -> None:
    """The ledger takes them from two topics; the request of the day after finds it tested."""
    fold = of_parent()
    first, second = (beside(fold, f"r{spread}", [loss] * 100, spread=spread) for spread in (False, True))
    again, copy = (beside(fold, f"a{spread}", [loss] * 100, spread=spread) for spread in (False, True))
    said: tuple[LedgerFact, ...] = (registered(), first, second)
    for facts in permutations(said):
        told = Told(GATE)
        told(*facts)
        told(ActionTick(time=0), later=DAY + 1)
        told(again, copy)
        assert told.ledger.candidates["2"].state == "refused", facts


@pytest.mark.parametrize("loss", [80, 100, 104])
def test_one_that_is_no_worse_passes_however_often_it_was_tested_before(loss: int) -> None:
    fold = of_parent()
    evaluated(fold, "by-hand", [loss] * 100, version="2")
    told = Told(GATE)
    told(registered())
    assert told(beside(fold, "r", [loss] * 100)) == ["shadow 2"]
    assert told.last.evidence.change == pytest.approx((loss - 100) / 100)


WRONG, RIGHT = 2**20, 0  #: of 0/1 losses, as they travel


@pytest.mark.parametrize("wrong", [1, 50, 100])
@pytest.mark.parametrize("bound", [0.05, 10.0])
def test_where_its_parent_made_no_error_one_that_makes_any_is_refused(wrong: int, bound: float) -> None:
    fold = Fold()
    evaluated(fold, "parent", [RIGHT] * 100, version="1")
    fact = beside(fold, "r", [RIGHT] * (100 - wrong) + [WRONG] * wrong)
    told = Told(GATE.model_copy(update={"golden": bound}))
    told(registered())
    assert told(fact) == ["refuse 2"]
    assert told.last.reason == "it has a loss on the golden set, where there was none"
    assert told.last.evidence.change == FROM_NOTHING
    assert told(word("promote")) == []
    older = Told(GATE.model_copy(update={"golden": bound}))
    older(registered())
    assert older(fact.model_copy(update={"change": None, "verdict": "worse"})) == ["refuse 2"], "as it stands on topics of older releases"


def of_slices(id_: str, version: str, premium: Sequence[int], others: Sequence[int]) -> GoldenResult:
    """The rows of two slices; the second is everything."""
    losses = np.array([*premium, *others], dtype=np.int64)
    members = np.array([3] * len(premium) + [2] * len(others), dtype=np.int64)
    said = {"request": id_, "model": "m", "version": version, "attempt": 1, "losses": {"brier": losses}, "places": {"brier": 20}}
    return GoldenResult.model_validate({**said, "slices": ("premium", "all"), "members": members})


@pytest.mark.parametrize("premium", [[RIGHT] * 59 + [1], [WRONG] * 60, [3, -1, *[RIGHT] * 58]])
def test_where_its_parent_made_no_error_on_a_slice_one_that_makes_any_is_refused(premium: list[int]) -> None:
    """Though it is better on the whole, and though another slice is worse by less."""
    fold = Fold()
    written(fold, [request("p", "1"), started("p", 1, "1"), of_slices("p", "1", [RIGHT] * 60, [WRONG] * 200 + [RIGHT] * 740)])
    records: list[Said] = [request("r", "2", parent="1"), started("r", 1, "2")]
    [found] = written(fold, [*records, of_slices("r", "2", premium, [WRONG] * 130 + [RIGHT] * 810)])
    assert found.change is not None
    assert found.change < 0
    told = Told(GATE)
    told(registered())
    assert told(copied(found)) == ["refuse 2"]
    assert told.last.evidence.slice == "premium"
    assert told.last.reason == "it has a loss on premium, where there was none"


@pytest.mark.parametrize("losses", [[150] * 100, [101] * 100, [90] * 100])
def test_what_compares_a_version_with_itself_decides_nothing(losses: list[int]) -> None:
    """Its second run, where the first one failed; a person's; one on a schedule."""
    fold = of_parent()
    evaluated(fold, "by-hand", losses, version="2")
    failed = beside(fold, "r", ["timeout"] * 100)
    spread = beside(fold, "s", losses, spread=True)
    person = copied(evaluated(fold, "by-hand-again", losses, version="2"))
    told = Told(GATE)
    assert told(registered(), failed) == ["evaluate 2"]
    assert told(spread, person) == []
    assert told(ActionTick(time=0), later=AGAIN_AFTER[0]) == ["evaluate 2"]
    assert told(beside(fold, "t", losses)) == ["refuse 2" if losses[0] > 105 else "shadow 2"]


@pytest.mark.parametrize("rows", [[RIGHT] * 60, [RIGHT] * 58 + [-1, -2]])
def test_where_nobody_makes_an_error_nothing_speaks_against_it(rows: list[int]) -> None:
    fold = Fold()
    written(fold, [request("p", "1"), started("p", 1, "1"), of_slices("p", "1", [RIGHT] * 60, [RIGHT] * 940)])
    [found] = written(fold, [request("r", "2", parent="1"), started("r", 1, "2"), of_slices("r", "2", rows, [RIGHT] * 940)])
    told = Told(GATE)
    told(registered())
    assert told(copied(found)) == ["shadow 2"]


def runs(told: Told) -> tuple[ActionEvaluation, ActionEvaluation]:
    """The two that fail, of the request that was asked for last."""
    number, asked = told.last.number, told.last.time
    first, second = (evaluation(request=f"r{number}{spread}", status="failed", verdict="unknown", asked=asked) for spread in (False, True))
    return first, second


@pytest.mark.parametrize("hours", [0.2, 1, 3, 6])
@pytest.mark.parametrize("of_both", [False, True])
def test_a_server_that_is_away_for_hours_refuses_nothing(hours: float, of_both: bool) -> None:
    """All that is asked for meanwhile fails at once, in one of its runs or in both; what is asked for behind it counts."""
    told, begun, heard = Told(GATE), START, set[int]()
    told(registered())
    while told.now - begun < hours * HOUR:
        if told.last.number not in heard:
            heard.add(told.last.number)
            told(*runs(told)[: 1 + of_both], later=1)
        told(ActionTick(time=0), later=HOUR // 60)
    for _ in range(8 * 60):
        told(ActionTick(time=0), later=HOUR // 60)
    assert told.last.number not in heard
    assert told.ledger.candidates["2"].state == "evaluating"
    assert told(evaluation(request="well", change=0.0), later=1) == ["shadow 2"]


@pytest.mark.parametrize("late", [0, 1, 2])
def test_what_failed_of_a_former_request_says_nothing_of_the_last(late: int) -> None:
    """Its other run, which took longer."""
    told = Told(GATE)
    told(registered())
    former = []
    for number in range(2):
        first, second = runs(told)
        former.append(second)
        told(first, later=1)
        assert told(ActionTick(time=0), later=AGAIN_AFTER[number]) == ["evaluate 2"]
    assert told(*former[:late], ActionTick(time=0), later=DAY // 2) == []
    assert told(evaluation(request="well", change=0.0), later=1) == ["shadow 2"]


@pytest.mark.parametrize("before", [1, DAY, 400 * DAY])
def test_a_test_that_was_asked_for_before_the_ledger_knew_the_version_counts_when_it_fails(before: int) -> None:
    """Whoever tests what is registered asks for it at once, and as of the time that is said of it."""
    told = Told(GATE)
    told(registered())
    told(*(one.model_copy(update={"asked": told.now - before}) for one in runs(told)), later=1)
    assert told(ActionTick(time=0), later=AGAIN_AFTER[0]) == ["evaluate 2"]


def test_three_requests_that_fail_one_behind_the_other_refuse() -> None:
    told = Told(GATE)
    told(registered())
    for pause in AGAIN_AFTER:
        assert told(*runs(told), later=1) == []
        assert told(ActionTick(time=0), later=pause) == ["evaluate 2"]
    assert told(runs(told)[0], later=1) == ["refuse 2"]
    assert "3 times" in told.last.reason


def test_one_of_which_nobody_says_what_it_came_from_is_compared_with_whatever_was_tested() -> None:
    """And where that is only itself, nothing speaks against it: a person promotes it, or nobody."""
    fold = Fold()
    evaluated(fold, "by-hand", [100] * 100, version="2")
    told = Told(GATE)
    told.ledger.version = "-"
    told(registered(parent=None))
    assert told(beside(fold, "r", [100] * 100, parent=None)) == ["shadow 2"]
