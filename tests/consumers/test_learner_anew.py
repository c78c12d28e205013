"""What is to learn otherwise begins anew, and stays held: by incidents, by people, and by words that wait for their step."""

from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.reference import ledger, reviews
from driftbus.schemas.messages.learned import LearnedChange, LearnedModel
from driftbus.schemas.messages.review import ReviewAnswer

from ..streaming import BEGINNING, prepare
from .test_blocks import LABELS
from .test_joiner import MINUTE, run
from .test_learner import INCIDENT, disagreeing, incident, of_kind, read, settings
from .test_outcome_columns import ends, log, publish, references

SAID, OVER = BEGINNING + 30 * MINUTE, BEGINNING + 50 * MINUTE
BY_INCIDENT = f"held by {INCIDENT}"


class Then(NamedTuple):
    """How it learns from a time on."""

    until: int
    learner: dict[str, Any]


def changes(folder: Path, sent: list[Output], ways: list[Then], answers: list[ReviewAnswer], **given: Any) -> tuple[list[Any], ...]:
    """What is told of m0 by processes one after the other, each with the rows of its time; its changes, and its models."""
    review: dict[str, Any] = {"review": {}} if answers else {}
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        first = settings(folder, learner=ways[0].learner, **review)
        prepare(bus, first, references())
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        since = 0
        for number, way in enumerate(ways):
            chosen = settings(folder, learner=way.learner, **review)
            for at, fact in given.get("facts", ()):
                if since <= at < way.until:
                    ledger.tell(bus, chosen, fact)
            if given.get("facts"):
                run(bus, chosen, "decider")
            bus.publish([one for one in sent if since <= (one.timestamp or 0) < way.until])
            bus.publish([reviews.output(chosen, one) for one in answers if since <= one.answered < way.until])
            if number == len(ways) - 1:
                ends(bus)
            if answers:
                run(bus, chosen, "profiler")
            run(bus, chosen, *ROLES)
            since = way.until
        found = read(bus, chosen)
    return of_kind(found, LearnedChange), of_kind(found, LearnedModel)


NEVER = 1 << 62
LOGISTIC, SEED, TREE, FOREST = {"kind": "logistic"}, {"seed": 7}, {"kind": "tree"}, {"kind": "forest", "seed": 3}


@pytest.mark.parametrize(
    "ways",
    [
        [Then(SAID + 10 * MINUTE, LOGISTIC), Then(NEVER, SEED)],
        [Then(SAID + 10 * MINUTE, LOGISTIC), Then(NEVER, TREE)],
        [Then(SAID + 10 * MINUTE, TREE), Then(NEVER, LOGISTIC)],
        [Then(SAID + 8 * MINUTE, LOGISTIC), Then(SAID + 12 * MINUTE, TREE), Then(NEVER, FOREST)],
    ],
    ids=["seed", "tree", "logistic", "twice"],
)
def test_what_an_incident_forbids_is_forbidden_to_whoever_begins_anew(tmp_path: Path, ways: list[Then]) -> None:
    facts = [(SAID, incident(1, SAID, "confirmed")), (OVER, incident(2, OVER, "resolved"))]
    found, models = changes(tmp_path, log(3)[0], ways, [], facts=facts)
    what = [(one.what, one.why) for one in found if one.what != "serves"]
    again = [("begun", "it is to learn otherwise"), ("held", BY_INCIDENT)] * (len(ways) - 1)
    assert what == [("held", BY_INCIDENT), *again, ("released", f"released by {INCIDENT}")]
    assert [one.since for one in found if one.what == "held"] == [BEGINNING + 20 * MINUTE, *[None] * (len(ways) - 1)]
    assert [one.number for one in found] == sorted({one.number for one in found})
    begun, released = ([one.at for one in found if one.what == what][-1] for what in ("begun", "released"))
    assert not [one for one in models if begun < one.at < released]  # it has learnt nothing
    assert any(one.at >= released for one in models)


@pytest.mark.parametrize("seconds", [1, 15, 30])
def test_a_word_that_waits_for_its_step_holds_whoever_has_begun_anew_by_then(tmp_path: Path, seconds: int) -> None:
    facts = [(SAID, incident(1, SAID, "confirmed")), (OVER, incident(2, OVER, "resolved"))]
    ways = [Then(SAID + seconds * 1_000, LOGISTIC), Then(NEVER, SEED)]
    found, _ = changes(tmp_path, log(3)[0], ways, [], facts=facts)
    what = [(one.what, one.why) for one in found if one.what != "serves"]
    assert what == [("begun", "it is to learn otherwise"), ("held", BY_INCIDENT), ("released", f"released by {INCIDENT}")]


def test_one_that_has_learnt_next_to_nothing_learns_on_as_any_other(tmp_path: Path) -> None:
    facts = [(SAID, incident(1, SAID, "confirmed"))]
    ways = [
        Then(SAID + 10 * MINUTE, {"backtest": 10_000, "publish_every": 1}),
        Then(NEVER, {"backtest": 10_000, "publish_every": 1, **SEED}),
    ]
    found, models = changes(tmp_path, log(3)[0], ways, [], facts=facts)
    assert [(one.what, one.serving, one.since) for one in found] == [
        ("held", "slow", None),
        ("begun", "slow", None),
        ("held", "slow", None),
    ]
    behind = [one for one in models if one.at > found[-1].at]
    assert behind
    assert all(one.held for one in behind)


@pytest.mark.parametrize("way", [SEED, TREE], ids=["seed", "tree"])
def test_labels_with_which_people_disagree_stay_so(tmp_path: Path, way: dict[str, Any]) -> None:
    sent, rows = log(4)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        chosen = settings(tmp_path / "labels", review={})
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        answers = disagreeing(bus, chosen, rows, BEGINNING + 20 * MINUTE, BEGINNING + 40 * MINUTE)
    found, models = changes(tmp_path, sent, [Then(BEGINNING + 45 * MINUTE, {}), Then(NEVER, way)], answers)
    disagreed = ("held", "reviewers disagree with the labels")
    assert [(one.what, one.why) for one in found if one.what != "serves"] == [disagreed, ("begun", "it is to learn otherwise"), disagreed]
    assert not [one for one in models if one.at > found[-1].at]  # it has learnt nothing
