"""The rules by which versions come to serve, each in the smallest ledger that breaks a simpler form of it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from driftbus.detectors.actions.promoting import AGAIN_AFTER
from driftbus.detectors.actions.state import Ledger
from driftbus.detectors.actions.step import Said, step
from driftbus.schemas.configuration import Policy, Promotion
from driftbus.schemas.messages.action import ActionModel, ActionObserved, ActionRequest, ActionTick, LedgerFact
from driftbus.schemas.messages.action_version import ActionEvaluation, ActionVersion
from driftbus.schemas.messages.contest import UNIT
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.promotion import Promotion as Step
from driftbus.schemas.messages.retrain import RetrainRequest

from .adversary import APPLICATION, DAY, HOUR, MODEL, incident
from .adversary_versions import LENGTH, contest, moved

START = 10**12 // LENGTH * LENGTH
HAND = {"hand": Policy(when="person", cooldown=0, per_day=9)}
#: Of a shadow of a day; nothing is asked of a golden set.
BARE: dict[str, Any] = {"golden": None, "shadow": DAY, "within": 30 * DAY}


@dataclass
class Told:
    """A ledger that is told facts, one at a time, and what it says of versions."""

    settings: Promotion
    ledger: Ledger = field(default_factory=Ledger)
    now: int = START
    said: list[Said] = field(default_factory=list)
    places: int = 0

    def __post_init__(self) -> None:
        self(moved("promoted", "1", 0))

    def __call__(self, *facts: LedgerFact, later: int = 0) -> list[str]:
        """The steps that versions come to by these."""
        self.now += later
        new = [one for fact in facts for one in step(APPLICATION, MODEL, self.ledger, self.now, fact, HAND, self.settings)]
        self.said += new
        return [f"{one.step} {one.version}" for one in new if isinstance(one, Step)]

    def contest(self, version: str, other: str, *, ahead: float, days: int, since: int | None = None) -> list[str]:
        """`version` is so much ahead on so many days from now, or from then on, and these are over."""
        start = -(-(self.now if since is None else since) // LENGTH) * LENGTH
        self.places += 1
        self.now = max(self.now, start + days * LENGTH)
        low = sorted((version, other))[0]
        return self(contest(version, other, self.places, start, ahead=ahead if version == low else -ahead, days=days))

    @property
    def last(self) -> Step:
        """The last step."""
        return next(one for one in reversed(self.said) if isinstance(one, Step))

    def job(self) -> str:
        """One that was asked for, and is over."""
        self(ActionRequest(model=MODEL, policy="hand", request=f"r{self.now}", by="ann"))
        name = next(one.job for one in reversed(self.said) if isinstance(one, RetrainRequest))
        self(ActionObserved(model=MODEL, job=name, state="succeeded"))
        return name


def registered(version: str = "2", **fields: Any) -> ActionModel:
    return moved("registered", version, 0, **{"parent": "1", **fields})


def evaluation(version: str = "2", request: str = "e1", **fields: Any) -> ActionEvaluation:
    said = {"status": "complete", "verdict": "same", **fields}
    return ActionEvaluation.model_validate({"model": MODEL, "version": version, "request": request, **said})


def word(kind: Any, version: str = "2", time: int | None = None) -> ActionVersion:
    return ActionVersion(model=MODEL, kind=kind, version=version, by="ann", time=time)


def shadowed(**settings: Any) -> Told:
    told = Told(Promotion(**{**BARE, **settings}))
    assert told(registered()) == ["shadow 2"]
    return told


def promoted() -> Told:
    told = shadowed()
    assert told.contest("2", "1", ahead=0.2, days=21) == ["promote 2"]
    told(moved("promoted", "2", 1, parent="1"))
    return told


def test_one_that_is_better_on_three_clean_weeks_is_promoted() -> None:
    told = shadowed()
    assert told.contest("2", "1", ahead=0.2, days=20) == [], "a day is missing"
    assert told.contest("2", "1", ahead=0.2, days=1) == ["promote 2"]
    assert told.last.evidence.days == 21
    assert told.last.evidence.rows == 21 * 200
    assert (told.last.parent, told.last.by) == ("1", None)


def test_one_that_is_no_better_is_not_and_in_the_end_it_is_refused() -> None:
    told = shadowed()
    assert told.contest("2", "1", ahead=0.0, days=25) == []
    assert told(ActionTick(time=told.now), later=31 * DAY) == ["refuse 2"]
    assert "nothing was decided in time" in told.last.reason


def test_one_that_wins_often_and_loses_more_is_not_promoted() -> None:
    """What a row can win is a part of what it could: of small differences it may be much, of a large one little."""
    told = shadowed()
    fact = contest("1", "2", 1, -(-told.now // LENGTH) * LENGTH, ahead=-0.2, days=25)
    dearer = tuple(day.model_copy(update={"gained": 300 * UNIT}) for day in fact.days)
    assert told(fact.model_copy(update={"days": dearer}), ActionTick(time=0), later=2 * DAY) == []


def test_what_was_predicted_before_it_was_in_shadow_says_nothing() -> None:
    """It may have been trained on it."""
    told = shadowed()
    assert told.contest("2", "1", ahead=0.2, days=30, since=START - 30 * LENGTH) == []


def test_days_of_a_fault_do_not_count_though_it_is_found_later() -> None:
    told = shadowed()
    begins = told.now
    told.contest("2", "1", ahead=0.2, days=20)
    fault = incident("a" * 32, 1, told.now, decision="forbid", onset=begins + 2 * LENGTH + 1, run=begins + 4 * LENGTH)
    told(fault, fault.model_copy(update={"revision": 2, "status": "resolved", "decision": "hold"}))
    assert told.contest("2", "1", ahead=0.2, days=2) == [], "two days were the fault's"
    assert told.contest("2", "1", ahead=0.2, days=1) == ["promote 2"]


def test_nothing_is_promoted_while_a_fault_forbids_it() -> None:
    told = shadowed()
    fault = incident("a" * 32, 1, told.now, decision="forbid", onset=told.now - HOUR)
    told(fault)
    since = told.now + LENGTH
    assert told(word("promote")) == []
    resolved = fault.model_copy(update={"revision": 2, "status": "resolved", "decision": "hold", "run": since})
    assert told(resolved) == ["promote 2"], "what was said is kept"
    assert told.last.by == "ann"


@pytest.mark.parametrize(
    ("found", "steps"),
    [
        ({"change": 0.04}, ["shadow 2"]),
        ({"change": 0.06}, ["refuse 2"]),
        ({"change": -0.1, "slice": "night", "slice_change": 0.06}, ["refuse 2"]),
        ({"verdict": "first"}, ["shadow 2"]),
    ],
)
def test_one_that_loses_on_the_golden_set_or_a_slice_of_it_is_refused(found: dict[str, Any], steps: list[str]) -> None:
    told = Told(Promotion(**{**BARE, "golden": 0.05}))
    assert told(registered()) == ["evaluate 2"]
    assert told(evaluation("1", "e0", change=0.9)) == [], "that is another version"
    assert told(evaluation(**found)) == steps


def test_an_evaluation_that_fails_or_never_comes_is_asked_for_again_and_at_last_refused() -> None:
    told = Told(Promotion(**{**BARE, "golden": 0.05}))
    told(registered())
    failed = evaluation(status="failed", verdict="unknown")
    assert told(failed, failed) == []
    assert told(ActionTick(time=0), later=AGAIN_AFTER[0]) == ["evaluate 2"], "said twice it failed once"
    assert told(ActionTick(time=0), later=DAY + 1) == ["evaluate 2"]
    assert told.last.number == 3
    assert told(ActionTick(time=0), later=DAY + 1) == ["refuse 2"]
    assert told(evaluation(request="late", change=0.0), word("promote")) == [], "it never serves"


def test_a_job_that_ran_twice_promotes_once() -> None:
    told = shadowed(by="person")
    told(registered("3", job="j1"))
    assert told(registered("4", job="j1")) == ["refuse 4"]
    assert "version 3" in told.last.reason
    assert told(word("promote", "3"), word("promote", "4")) == ["promote 3"]


def test_what_a_person_refuses_never_serves() -> None:
    told = shadowed()
    assert told(word("refuse")) == ["refuse 2"]
    assert told.last.by == "ann"
    assert told(word("promote")) == []
    assert told.contest("2", "1", ahead=0.2, days=25) == []


def test_a_word_on_a_version_counts_once_however_late_it_is_said_again() -> None:
    told = Told(Promotion(**BARE))
    early = word("promote", time=START)
    told(early)  # nobody knows the version yet
    told(registered())
    assert told(early) == [], "it was said before, of nothing"
    assert told(word("promote", time=START + 1)) == ["promote 2"]


def test_a_version_whose_data_a_later_found_fault_touches_is_held() -> None:
    told = Told(Promotion(**BARE))
    job = told.job()
    told(registered(job=job))
    fault = incident("a" * 32, 1, told.now + HOUR, decision="forbid", onset=told.now - HOUR)
    assert told(fault, later=HOUR) == ["held 2"]
    assert told(word("promote")) == []
    resolved = fault.model_copy(update={"revision": 2, "status": "resolved", "decision": "hold"})
    assert told(resolved, word("promote", time=1)) == [], "for ever: its data are what they are"


@pytest.mark.parametrize(("earlier", "steps"), [(0, []), (HOUR, ["held 2"])])
def test_a_fault_that_was_left_out_holds_nothing_unless_it_began_before_that(earlier: int, steps: list[str]) -> None:
    told = Told(Promotion(**BARE))
    fault = incident("a" * 32, 1, told.now, decision="forbid", onset=told.now - HOUR)
    told(fault, fault.model_copy(update={"revision": 2, "status": "resolved", "decision": "hold"}))
    job = told.job()
    told(registered(job=job))
    assert told(fault.model_copy(update={"revision": 3, "onset": fault.onset - earlier, "status": "resolved", "decision": "hold"})) == steps


def test_one_that_serves_is_not_held_but_it_is_said() -> None:
    told = Told(Promotion(**{**BARE, "by": "person"}))
    job = told.job()
    told(registered(job=job), word("promote"), moved("promoted", "2", 1, parent="1", job=job))
    fault = incident("a" * 32, 1, told.now + HOUR, decision="forbid", onset=told.now - HOUR)
    assert told(fault, fault, later=HOUR) == ["held 2"]
    assert told.last.reason.startswith("it serves")


def test_the_parent_wins_its_place_back_by_the_same_test() -> None:
    told = promoted()
    assert told.contest("1", "2", ahead=0.2, days=6) == [], "of so few days nobody knows how they hang together"
    assert told.contest("1", "2", ahead=0.2, days=6) == ["roll_back 2"]
    assert told.last.parent == "1"
    told(moved("rolled_back", "2", 1, parent="1"))
    assert told.ledger.version == "1"
    assert told(word("promote")) == [], "it has had its turn"


def test_what_it_lost_before_it_served_does_not_roll_it_back() -> None:
    told = promoted()
    assert told.contest("1", "2", ahead=0.9, days=12, since=told.now - 12 * LENGTH) == []


def test_after_the_watch_only_a_person_rolls_back() -> None:
    told = promoted()
    assert told(ActionTick(time=0), later=2 * DAY) == ["retire 2"]
    assert told.last.parent == "1"
    assert told.contest("1", "2", ahead=0.2, days=20) == []
    assert told(word("roll_back")) == ["roll_back 2"]


def test_a_word_to_roll_back_is_kept_until_it_serves() -> None:
    told = shadowed()
    assert told(word("promote"), word("roll_back")) == ["promote 2"]
    assert told(moved("promoted", "2", 1, parent="1")) == ["roll_back 2"]
    assert told.last.by == "ann"


def test_a_promotion_that_is_said_again_brings_nothing_back() -> None:
    told = promoted()
    told(moved("rolled_back", "2", 1, parent="1"), moved("promoted", "2", 1, parent="1"))
    assert told.ledger.version == "1"


def test_where_another_serves_meanwhile_the_comparison_begins_anew() -> None:
    told = shadowed()
    told.contest("2", "1", ahead=0.2, days=20)
    told(moved("promoted", "9", 0))
    assert told.contest("2", "1", ahead=0.2, days=5) == [], "it is not what serves"
    assert told.contest("2", "9", ahead=0.2, days=21) == ["promote 2"]
    assert told.last.parent == "9"


def test_one_at_a_time() -> None:
    told = shadowed(by="person")
    told(registered("3"))
    assert told(word("promote"), word("promote", "3")) == ["promote 2"]
    assert told(moved("promoted", "2", 1, parent="1")) == ["promote 3"]
    assert told(moved("promoted", "3", 1, parent="2")) == ["retire 2"], "of its parent nobody asks any more"
    told.said.pop()
    assert told.last.parent == "2"


def test_no_job_starts_while_a_version_is_looked_at() -> None:
    ask = [ActionRequest(model=MODEL, policy="hand", request=f"r{number}", by="ann") for number in range(3)]
    told = shadowed()
    told(ask[0])
    assert not any(isinstance(one, RetrainRequest) for one in told.said)
    told(word("refuse"))
    assert [one.state for one in told.said if isinstance(one, JobStatus)] == ["requested"], "it was put off"
    free = shadowed(hold=False)
    free(ask[1])
    assert any(isinstance(one, RetrainRequest) for one in free.said)


def test_a_version_that_answers_in_shadow_does_not_serve_though_it_is_deployed() -> None:
    told = shadowed()
    told(moved("deployed", "2", 1))
    assert told.ledger.version == "1"


def test_a_request_says_what_the_ledger_knows_of_the_version_in_force() -> None:
    told = Told(Promotion(**{**BARE, "by": "person"}))
    told(registered(reference="sha256:" + "a" * 64), word("promote"), moved("promoted", "2", 1, parent="1"))
    told(evaluation("2", golden="sha256:" + "b" * 64))
    told.job()
    request = next(one for one in told.said if isinstance(one, RetrainRequest))
    assert request.reference == "sha256:" + "a" * 64
    assert request.golden is not None
    assert request.golden.hash == "sha256:" + "b" * 64
