"""The rules by which jobs are asked for, each in the smallest ledger that breaks a simpler form of it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from driftbus.detectors.actions.state import REMEMBERED_FOR, Ledger
from driftbus.detectors.actions.step import Said, step
from driftbus.schemas.configuration import Policy
from driftbus.schemas.messages.action import (
    ActionCoincidence,
    ActionDue,
    ActionLabels,
    ActionModel,
    ActionObserved,
    ActionReach,
    ActionRequest,
    ActionTick,
    ActionWord,
    LedgerFact,
)
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.promotion import Promotion
from driftbus.schemas.messages.retrain import RetrainRequest, Source

from .adversary import APPLICATION, DAY, HOUR, MINUTE, MODEL, episode, incident

START = 10**12
A, B = "a" * 32, "b" * 32


@dataclass
class Told:
    """A ledger that is told facts, one at a time, and what it says."""

    own: dict[str, Policy]
    ledger: Ledger = field(default_factory=Ledger)
    now: int = START
    said: list[Said] = field(default_factory=list)

    def __call__(self, *facts: LedgerFact, later: int = 0) -> list[str]:
        """The states that jobs come to by these, ``later`` ms after what was told before."""
        self.now += later
        new = [one for fact in facts for one in step(APPLICATION, MODEL, self.ledger, self.now, fact, self.own)]
        self.said += new
        return [one.state for one in new if isinstance(one, JobStatus)]

    def tick(self, later: int) -> list[str]:
        return self(ActionTick(time=self.now + later), later=later)

    @property
    def job(self) -> str:
        """The last one."""
        return next(one.job for one in reversed(self.said) if not isinstance(one, Promotion))

    @property
    def request(self) -> RetrainRequest:
        """The last one."""
        return next(one for one in reversed(self.said) if isinstance(one, RetrainRequest))

    def seen(self, state: Any, job: str = "") -> list[str]:
        return self(ActionObserved(model=MODEL, job=job or self.job, state=state, by="trainer"))

    def word(self, kind: Any) -> list[str]:
        return self(ActionWord(model=MODEL, kind=kind, job=self.job, by="ann"))


def told(**own: dict[str, Any]) -> Told:
    """By these policies; without a cooldown where none is written."""
    return Told({name: Policy.model_validate({"cooldown": 0, "per_day": 100, **one}) for name, one in own.items()})


def due(instant: int) -> ActionDue:
    return ActionDue(model=MODEL, policy="weekly", instant=instant)


def asked(request: str, **fields: Any) -> ActionRequest:
    return ActionRequest(model=MODEL, policy="hand", request=request, **fields)


CAUSE, HAND = {"when": "cause"}, {"when": "person"}
WEEKLY = {"when": "schedule", "cron": "0 3 * * 0"}


def test_a_confirmed_cause_that_the_gate_allows_starts_one_job() -> None:
    one = told(cause=CAUSE)
    assert one(incident(A, 1, START, status="suspected", decision="hold")) == []
    assert one(incident(A, 2, START, decision="hold")) == []
    assert one(incident(A, 3, START, cause="model_broken")) == []
    assert one(incident(A, 4, START)) == ["requested"]
    assert one(incident(A, 5, START), incident(A, 4, START)) == []
    assert one.request.trigger.id == A
    assert one.seen("started") == ["started"]
    assert one.seen("succeeded") == ["succeeded"]
    assert one.tick(30 * DAY) == []


def test_the_successor_of_a_job_comes_with_the_fact_that_ended_it() -> None:
    """With wishes before transitions it came with the next fact, whatever that was: repeated, an old one would have decided something."""
    one = told(cause=CAUSE)
    one(incident(A, 1, START))
    first = one.job
    failed = ActionObserved(model=MODEL, job=first, state="failed")
    assert one(failed) == ["failed", "requested"]
    assert one.request.attempt == 2
    assert one(failed, incident(A, 1, START)) == []


def test_an_opening_that_comes_after_the_resolution_starts_nothing() -> None:
    one = told(worse={"when": "performance", "worse_than": 0.1})
    assert one(episode("e", 2, START, status="resolved")) == []
    assert one(episode("e", 1, START, status="opened")) == []
    assert one(episode("f", 1, START, worse=0.05), episode("f", 2, START, worse=0.2)) == ["requested"]


def test_an_approval_that_comes_too_early_is_kept() -> None:
    """Refused, it would have worked when clicked again."""
    one = told(cause=CAUSE | {"approval": True, "cooldown": DAY})
    assert one(incident(A, 1, START)) == ["awaiting_approval"]
    one.ledger.last_end = START - HOUR
    assert one.word("approve") == []
    assert one.tick(22 * HOUR) == []
    assert one.tick(HOUR) == ["requested"]
    assert one.request.approved_by == "ann"


def test_what_nobody_approves_expires_and_what_is_rejected_is_settled() -> None:
    one = told(cause=CAUSE | {"approval": True})
    assert one(incident(A, 1, START)) == ["awaiting_approval"]
    assert one.tick(8 * DAY) == ["expired"]
    assert one(incident(B, 1, one.now)) == ["awaiting_approval"]
    assert one.word("reject") == ["rejected"]
    assert one(incident(B, 2, one.now)) == []


def test_what_awaits_approval_ends_with_its_cause() -> None:
    one = told(cause=CAUSE | {"approval": True})
    one(incident(A, 1, START))
    assert one(incident(A, 2, START, status="resolved", decision="hold")) == ["superseded"]


def test_a_fault_stops_every_trigger_and_wishes_wait() -> None:
    one = told(cause=CAUSE, weekly=WEEKLY, hand=HAND)
    one(due(START - DAY))
    assert one(incident(B, 1, START, decision="forbid", cause="feature_unavailability")) == []
    assert one(incident(A, 1, START), due(START), asked("m")) == []
    assert one.tick(DAY) == []
    assert one(incident(B, 2, one.now, status="resolved", decision="hold")) == ["requested"]
    assert one.seen("succeeded") == ["succeeded", "requested"]
    assert one.seen("succeeded") == ["succeeded", "requested"]


def test_a_person_overrides_by_name_alone() -> None:
    one = told(hand=HAND)
    one(incident(B, 1, START, decision="forbid", cause="feature_unavailability"))
    assert one(asked("m", override=True)) == []
    assert one(asked("n", override=True, by="ann")) == ["requested"]
    assert one.request.overridden_by == "ann"
    assert one.tick(MINUTE) == [], "it goes on"


@pytest.mark.parametrize("started", [False, True])
def test_a_fault_that_is_confirmed_meanwhile_cancels_and_the_wish_comes_back(started: bool) -> None:
    one = told(weekly=WEEKLY)
    one(due(START - DAY))
    one(due(START))
    if started:
        one.seen("started")
    assert one(incident(B, 1, START, decision="forbid", cause="feature_unavailability")) == ["cancelling"]
    assert one.seen("cancelled") == ["cancelled"]
    assert one(incident(B, 2, START, status="resolved", decision="hold")) == ["requested"]


def test_of_what_is_cancelled_the_launcher_has_the_last_word_until_it_is_lost() -> None:
    one = told(cause=CAUSE)
    one(incident(A, 1, START))
    assert one.word("cancel") == ["cancelling"]
    assert one.seen("succeeded") == ["succeeded"]
    one(incident(B, 1, START))
    one.word("cancel")
    assert one.tick(HOUR) == []
    assert one.tick(MINUTE) == ["lost"], "and as a person cancelled it, nothing comes after it"


def test_a_job_of_which_nothing_is_heard_is_cancelled() -> None:
    one = told(cause=CAUSE)
    one(incident(A, 1, START))
    assert one.tick(11 * MINUTE) == ["cancelling"]
    assert one.seen("cancelled") == ["cancelled", "requested"]
    one.seen("started")
    assert one.tick(7 * HOUR) == ["cancelling"]


def test_limits_put_off_and_drop_nothing() -> None:
    one = told(hand=HAND | {"per_day": 2, "cooldown": HOUR})
    assert one(asked("1")) == ["requested"]
    assert one(asked("2"), asked("3"), asked("1")) == []
    assert one.seen("succeeded") == ["succeeded"]
    assert one.tick(HOUR) == ["requested"]
    assert one.seen("succeeded") == ["succeeded"]
    assert one.tick(2 * HOUR) == []
    assert one.tick(DAY) == ["requested"]


def test_a_dry_run_counts_as_a_run() -> None:
    one = told(hand=HAND | {"dry_run": True, "per_day": 1})
    assert one(asked("1")) == ["dry_run"]
    assert one(asked("2")) == []
    assert one.tick(DAY) == ["dry_run"]
    assert not any(isinstance(said, RetrainRequest) for said in one.said)


def test_of_missed_instants_the_latest_counts_and_the_first_of_all_begins_the_schedule() -> None:
    one = told(weekly=WEEKLY)
    assert one(due(START)) == []
    assert one(due(START)) == []
    assert one(incident(B, 1, START, decision="forbid", cause="feature_unavailability")) == []
    assert one(due(START + 7 * DAY), due(START + 14 * DAY), due(START + 7 * DAY), later=14 * DAY) == []
    assert one(incident(B, 2, START, status="resolved", decision="hold")) == ["requested"]
    assert one.request.trigger.id == str(START + 14 * DAY)
    assert one.seen("succeeded") == ["succeeded"]


def test_labels_count_from_the_last_launch() -> None:
    def labels(total: int) -> ActionLabels:
        return ActionLabels(model=MODEL, total=total)

    one = told(labels={"when": "labels", "new_labels": 100}, hand=HAND)
    assert one(labels(99)) == []
    assert one(labels(150), labels(120)) == ["requested"]
    assert one.seen("failed") == ["failed", "requested"], "a further attempt, though no label is new"
    assert one.seen("succeeded") == ["succeeded"]
    assert one(labels(200), asked("m")) == ["requested"]
    one.seen("succeeded")
    assert one(labels(299)) == []
    assert one(labels(300)) == ["requested"]


def test_rejected_labels_are_asked_about_again_when_there_are_new_ones() -> None:
    one = told(labels={"when": "labels", "new_labels": 100, "approval": True})
    assert one(ActionLabels(model=MODEL, total=100)) == ["awaiting_approval"]
    assert one.word("reject") == ["rejected"]
    assert one(ActionLabels(model=MODEL, total=199)) == []
    assert one(ActionLabels(model=MODEL, total=200)) == ["awaiting_approval"]


def test_an_event_asks_when_it_has_settled_and_one_from_before_the_ledger_never_does() -> None:
    def release(name: str, time: int) -> ActionCoincidence:
        return ActionCoincidence(model=MODEL, of="release", ref=name, fact_id=name, time=time)

    one = told(release={"when": "event", "settle": "7d"})
    one.tick(0)
    assert one(release("old", START - 1), release("new", START)) == []
    assert one.tick(7 * DAY - 1) == []
    assert one.tick(1) == ["requested"]
    assert one.request.trigger.id == "new"
    one.seen("succeeded")
    assert one(release("new", START)) == []
    one.tick(REMEMBERED_FOR)
    assert one(release("new", START)) == [], "it was forgotten, and is too old"


def test_an_event_before_anybody_knows_what_time_it_is_counts_if_it_is_behind_the_beginning() -> None:
    """With a record clock the topic of models may be read first: nothing in it says where the data begin."""

    def release(name: str, time: int | None) -> ActionCoincidence:
        return ActionCoincidence(model=MODEL, of="release", ref=name, fact_id=name, time=time)

    one = told(release={"when": "event", "settle": "7d"})
    one.now = 0
    assert one(release("old", START - DAY), release("new", START + DAY), release("no time", None)) == []
    one.now = START
    assert one(ActionLabels(model=MODEL, total=1)) == []
    assert one.tick(8 * DAY) == ["requested"]
    assert one.request.trigger.id == "new"
    one.seen("succeeded")
    assert one.tick(8 * DAY) == []


def test_what_was_so_before_the_ledger_began_asks_once_what_became_of_it_is_known() -> None:
    """An intake that begins beside topics of months copies incidents that are long over, revision by revision."""
    one = told(cause=CAUSE)
    one.tick(0)
    assert one(incident(A, 1, START - 30 * DAY), incident(A, 2, START - 29 * DAY, status="resolved", decision="hold")) == []
    assert one(incident(B, 1, START - DAY)) == []
    assert one.tick(10 * MINUTE) == ["requested"]
    assert one.request.trigger.id == B


def test_nothing_starts_for_a_version_that_is_retired() -> None:
    def event(kind: Any, version: str) -> ActionModel:
        return ActionModel(model=MODEL, event=kind, version=version, fact_id=f"{kind}/{version}", job="j", parent="0")

    one = told(cause=CAUSE, hand=HAND)
    one(event("promoted", "1"), event("retired", "1"))
    assert one(incident(A, 1, START), asked("m")) == []
    assert one(event("promoted", "2")) == ["requested"]
    assert (one.request.version, one.request.trigger.kind) == ("2", "person")
    assert one.request.parent is not None
    assert one.request.parent.job == "j"


def test_the_data_are_those_of_the_deciding_fact_without_any_window_of_a_fault() -> None:
    one = told(cause=CAUSE | {"data": {"window": "30d"}})
    source = Source(topic="scored", topic_id="t", partition=0, offsets=(3, 90))
    one(ActionReach(model=MODEL, time=START, sources=(source,)))
    one(incident(B, 1, START, decision="forbid", cause="feature_unavailability", features=("amount",), onset=START - DAY))
    one(incident(B, 2, START, status="resolved", decision="hold", features=("amount",), onset=START - DAY, run=START - HOUR))
    one(incident(A, 1, START, training={"use_from": START - 5 * DAY, "exclude": [[START - 2 * DAY, None]], "recompute": ["age"]}))
    data = one.request.data
    assert data.sources == (source,)
    assert [(part.since, part.until) for part in data.include] == [(START - 5 * DAY, START)]
    assert [(part.since, part.until, part.incident) for part in data.exclude] == [
        (START - 2 * DAY, None, A),
        (START - DAY, START - HOUR, B),
    ]
    assert data.policy.recompute == ("age",)
