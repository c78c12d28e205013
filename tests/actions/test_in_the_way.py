"""What stands in the way of a job, and in its data: for how long a fault does, and what an attempt is."""

from typing import Any

import pytest

from driftbus.schemas.configuration import Policy
from driftbus.schemas.messages.action import ActionCoincidence, ActionLabels, ActionModel, ActionReach, ActionTick, LedgerFact
from driftbus.schemas.messages.retrain import Source

from .adversary import DAY, HOUR, MODEL, incident
from .test_rules import CAUSE, HAND, START, A, B, asked, told

FORBIDS: dict[str, Any] = {"cause": "feature_unavailability", "decision": "forbid", "blocked_by": (A,), "onset": START}


@pytest.mark.parametrize("spoke", ["1", "2"])
@pytest.mark.parametrize("retired", ["1", "2", "both"])
def test_a_fault_outlives_the_version_that_spoke_of_it(spoke: str, retired: str) -> None:
    """What its source delivers goes to the successor, too; the diagnoser says nothing anew then, and ends what ends with a version."""
    one = told(hand=HAND)
    one(ActionModel(model=MODEL, event="deployed", version="3", fact_id="d"))
    one(incident(A, 1, START, version=spoke, versions=("1", "2"), **FORBIDS))
    for version in ("1", "2") if retired == "both" else (retired,):
        one(ActionModel(model=MODEL, event="retired", version=version, fact_id=f"r{version}"))
    assert one(asked("r")) == []
    assert one.tick(DAY) == []
    assert one(incident(A, 2, one.now, version=spoke, status="resolved", **{**FORBIDS, "decision": "allow"})) == ["requested"]
    assert [window.incident for window in one.request.data.exclude] == [A]


def test_what_nobody_knows_is_left_out_while_it_forbids_and_no_longer() -> None:
    """Behind a week a person decides; she got no row since its onset. Known to be a drift, exactly its rows were missing."""
    unknown = FORBIDS | {"cause": "undetermined"}
    for status, decision, left_out in [
        ("confirmed", "forbid", [A]),
        ("confirmed", "hold", []),
        ("superseded", "allow", []),
        ("resolved", "allow", []),
    ]:
        one = told(hand=HAND)
        one(incident(A, 1, START, **unknown))
        one(incident(A, 2, START + DAY, status=status, **{**unknown, "decision": decision}), later=DAY)
        assert one(asked("r", by="ann", override=True)) == ["requested"]
        assert [window.incident for window in one.request.data.exclude] == left_out, (status, decision)


@pytest.mark.parametrize("cause", ["feature_unavailability", "training_serving_skew", "undetermined"])
def test_a_fault_that_a_person_rejected_is_none(cause: str) -> None:
    one = told(hand=HAND)
    one(incident(A, 1, START, **{**FORBIDS, "cause": cause}))
    one(incident(A, 2, START + DAY, status="withdrawn", **{**FORBIDS, "cause": cause, "decision": "allow"}), later=DAY)
    assert one(asked("r")) == ["requested"]
    assert one.request.data.exclude == ()


TRIGGERS: dict[str, tuple[dict[str, Any], LedgerFact]] = {
    "labels": ({"when": "labels", "new_labels": 100}, ActionLabels(model=MODEL, total=100)),
    "cause": (CAUSE, incident(B, 1, START)),
    "person": (HAND, asked("r")),
    "event": (
        {"when": "event", "events": ["release"], "settle": 0},
        ActionCoincidence(model=MODEL, fact_id="c", of="release", ref="x", time=START + 1),
    ),
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_what_never_launched_is_no_attempt(trigger: str) -> None:
    """Faults that come while it awaits approval put it off, and drop nothing."""
    policy, fact = TRIGGERS[trigger]
    one = told(hand=policy | {"approval": True, "attempts": 2})
    one(ActionTick(time=START))
    names = set()
    assert one(fact, later=1) == ["awaiting_approval"]
    for number in range(4):
        names.add(one.job)
        name = f"{number:032d}"
        assert one(incident(name, 1, one.now, **FORBIDS | {"blocked_by": (name,)}), later=HOUR) == ["superseded"]
        assert one(incident(name, 2, one.now, status="resolved", **FORBIDS | {"decision": "allow"}), later=HOUR) == ["awaiting_approval"]
    assert one.word("approve") == ["requested"]
    assert one.seen("failed") == ["failed", "awaiting_approval"]
    assert one.word("approve") == ["requested"]
    assert one.seen("failed") == ["failed"], "two were launched"
    assert len(names | {one.job}) == 5, "each has a name of its own"


def test_labels_that_come_while_a_job_runs_count_for_the_next() -> None:
    one = told(fresh={"when": "labels", "new_labels": 100})
    assert one(ActionLabels(model=MODEL, total=100)) == ["requested"]
    assert one.seen("started") == ["started"]
    assert one(ActionLabels(model=MODEL, total=195), later=HOUR) == []
    assert one.seen("succeeded") == ["succeeded"]
    assert one(ActionLabels(model=MODEL, total=199)) == []
    assert one(ActionLabels(model=MODEL, total=200)) == ["requested"]


def reach(time: int, offset: int) -> ActionReach:
    return ActionReach(model=MODEL, time=time, sources=(Source(topic="t", topic_id="x", partition=0, offsets=(0, offset)),))


@pytest.mark.parametrize("said_again", [[0], [1], [0, 1, 0], [2]])
def test_the_newest_reach_counts_whichever_comes_last(said_again: list[int]) -> None:
    one = told(hand=HAND)
    reaches = [reach(START + number * HOUR, number) for number in range(3)]
    for each in reaches:
        one(each, later=HOUR)
    one(*(reaches[number] for number in said_again))
    one(asked("r"))
    assert [source.offsets for source in one.request.data.sources] == [(0, 2)]
    assert one.request.data.until == START + 2 * HOUR


@pytest.mark.parametrize("ahead", [HOUR, DAY, 365 * DAY])
def test_a_reach_of_a_clock_that_was_ahead_is_not_the_newest(ahead: int) -> None:
    one = told(hand=HAND)
    for offset, wrong in enumerate((ahead, 0)):
        one(reach(one.now + HOUR + wrong, offset), later=HOUR)
    one(asked("r"))
    assert [source.offsets for source in one.request.data.sources] == [(0, 1)]


@pytest.mark.parametrize("kind", ["labels", "cause", "person", "event"])
@pytest.mark.parametrize("renamed", [False, True])
def test_what_awaits_approval_goes_with_its_policy(kind: str, renamed: bool) -> None:
    """A person who approved it had a job on all data there are, within limits that nobody wrote."""
    policy, fact = TRIGGERS[kind]
    one = told(hand={**policy, "approval": True, "data": {"window": "30d"}})
    before = dict(one.own)
    one(ActionTick(time=START))
    assert one(fact, later=1) == ["awaiting_approval"]
    job = one.job
    one.own = {"other": Policy(when="schedule", cron="0 3 * * 0")} if renamed else {}
    assert one.tick(1) == ["superseded"]
    assert one.word("approve") == []
    assert not one.ledger.jobs[job].launched
    one.own = before
    assert one.tick(1) == ([] if kind == "person" else ["awaiting_approval"]), "what stands asks again"


@pytest.mark.parametrize("state", ["requested", "started", "cancelling"])
def test_what_was_asked_for_runs_on_without_its_policy(state: str) -> None:
    one = told(hand=HAND)
    assert one(asked("r")) == ["requested"]
    if state == "started":
        one.seen("started")
    elif state == "cancelling":
        one.word("cancel")
    one.own = {}
    assert one.tick(1) == []
    assert one.seen("succeeded") == ["succeeded"]
