"""The learner on the bus: it learns what a learner does that is given the same rows, and is held by incidents and by people."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.reference import learned, ledger, reviews
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.detectors.learning import served
from driftbus.detectors.learning.learner import Learner, Settings
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionIncident
from driftbus.schemas.messages.learned import LearnedChange, LearnedLosses, LearnedModel
from driftbus.schemas.messages.review import ReviewAnswer

from ..streaming import BEGINNING, Event, configuration, everything
from .test_blocks import LABELS, PREDICTIONS
from .test_examples import WAIT_MS, of_model, text_of, told
from .test_joiner import MINUTE, WAIT, labelled, run
from .test_outcome_columns import Row, log, publish

EVERY = 10 * MINUTE
INCIDENT = "1" * 32
Told = TypeVar("Told", LearnedChange, LearnedLosses, LearnedModel)


def settings(folder: Path, **changes: Any) -> Configuration:  # keys of any type
    models: dict[str, dict[str, Any]] = {name: {"labels": "outcomes"} for name in ("m0", "m1", "m2")}
    own = {"backtest": 0, "every": "10m", "losses": "10m", "publish_every": 20, **changes.pop("learner", {})}
    models["m0"]["learner"] = models["m1"]["learner"] = own
    models["m0"]["review"] = changes.pop("review", None)
    return configuration(
        labels={"outcomes": {"topics": [LABELS], **WAIT}},
        models=models,
        stream={"pane": "1m"},
        topics={"partitions": 2},
        artifacts=str(folder / "artifacts"),
        **{"snapshot_every": "1ms", **changes},
    )


def said(bus: Bus, chosen: Configuration) -> dict[int, list[Event]]:
    return everything(bus, chosen.topics.learned)


def read(bus: Bus, chosen: Configuration) -> list[learned.Learned]:
    events = [event for found in said(bus, chosen).values() for event in found]
    return [one for event in events if (one := learned.read("test", event.key, event.value, event.headers)) is not None]


def of_kind(found: list[learned.Learned], kind: type[Told], model: str = "m0") -> list[Told]:
    return [one for one in found if isinstance(one, kind) and one.model == model]


def by_hand(bus: Bus, chosen: Configuration) -> Learner:
    """The learner of m0, given what lies on the topic of examples."""
    learner = Learner(Settings(wait=WAIT_MS, backtest=0, every=EVERY))
    for examples in sorted(told(bus, chosen), key=lambda one: (one.bucket, one.topic_id, one.partition, one.first, one.part)):
        if examples.model == "m0":
            for row in examples.predictions:
                learner.predicted(examples.bucket, row.id, row.features, row.score)
            for outcome in examples.labels:
                learner.labelled(examples.bucket, outcome.id, outcome.label == 1)
    return learner


def test_it_learns_what_a_learner_learns_by_hand(tmp_path: Path) -> None:
    chosen, (sent, rows) = settings(tmp_path), log(1)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        found, learner = read(bus, chosen), by_hand(bus, chosen)
    models, losses = of_kind(found, LearnedModel), of_kind(found, LearnedLosses)
    intervals = {one.start: one for one in losses}
    assert sum(one.labels for one in intervals.values()) == learner.rows["compared"] > 50
    assert len(intervals) >= 6
    assert models[-1].learnt <= learner.rows["learnt"] < models[-1].learnt + 20
    known = served.read(ArtifactStore(chosen.artifacts).beside(learned.FOLDER).get(models[-1].artifact))
    assert known.features == {"amount": "number", "age": "number", "colour": "text"}
    row = next(iter(of_model(rows).values())).features
    assert 0 < known.candidate.score(row) < 1
    assert {one.model for one in found} == {"m0", "m1"}


def test_the_fast_one_that_has_won_serves_and_follows_a_world_that_turns_over(tmp_path: Path) -> None:
    """The slow one has learnt for long what was so, and takes as long to learn the contrary."""
    chosen, turned = settings(tmp_path, learner={"backtest": 400}), BEGINNING + 20 * MINUTE
    draw, sent = np.random.default_rng(5), list[Output]()
    for number, time in enumerate(range(BEGINNING, BEGINNING + 40 * MINUTE, 1_000)):
        amount = float(draw.normal())
        content = {"model": "m0", "version": "1", "id": f"p{number}", "features": {"amount": amount, "colour": "red"}, "score": 0.5}
        sent.append(Output(PREDICTIONS, number % 4, None, msgspec.json.encode(content), (), time))
        sent.append(labelled(draw, f"p{number}", (amount > 0) == (time < turned), 1, time + 1_000))
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sorted(sent, key=lambda one: one.timestamp or 0))
        run(bus, chosen, *ROLES)
        found = read(bus, chosen)
    (change,) = of_kind(found, LearnedChange)
    assert (change.what, change.serving) == ("serves", "fast")
    behind = [one for one in of_kind(found, LearnedLosses) if one.start >= turned + 10 * MINUTE]
    assert all(one.served == one.fast < one.slow for one in behind if one.start > change.at)
    assert len(behind) >= 1
    assert of_kind(found, LearnedModel)[-1].serving == "fast"


def incident(revision: int, at: int, status: str) -> ActionIncident:
    """Of m0; it forbids to learn."""
    of = {"model": "m0", "incident": INCIDENT, "version": "1", "cause": "feature_unavailability", "onset": BEGINNING + 20 * MINUTE}
    return ActionIncident.model_validate({**of, "revision": revision, "status": status, "decision": "forbid", "run": at, "time": at})


def test_an_incident_takes_it_back_and_its_end_lets_it_go_on(tmp_path: Path) -> None:
    """By the ledger and the decider; from the step on that ends a minute behind what it says, whenever that was written."""
    chosen, (sent, _) = settings(tmp_path), log(3)
    said_at, over = BEGINNING + 30 * MINUTE, BEGINNING + 40 * MINUTE
    facts = [incident(1, said_at, "confirmed"), incident(2, over, "resolved")]
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        for fact in (facts[0], *facts):
            ledger.tell(bus, chosen, fact)
        run(bus, chosen, "decider")
        run(bus, chosen, *ROLES)
        found = read(bus, chosen)
    held, released = (one for one in of_kind(found, LearnedChange) if one.what in ("held", "released"))
    assert (held.what, held.since, held.why) == ("held", BEGINNING + 20 * MINUTE, f"held by {INCIDENT}")
    assert said_at + MINUTE < held.at <= said_at + 3 * MINUTE
    assert (released.what, released.why) == ("released", f"released by {INCIDENT}")
    assert over + MINUTE < released.at <= over + 3 * MINUTE
    assert {one.held for one in of_kind(found, LearnedLosses)} == {True, False}
    assert not [one for one in of_kind(found, LearnedChange, "m1") if one.what == "held"]


def test_an_incident_of_a_young_one_takes_nothing_back_and_it_learns_on(tmp_path: Path) -> None:
    """Else it would stand still at next to nothing, as long as the incident lasts."""
    chosen, (sent, _) = settings(tmp_path, learner={"backtest": 10_000, "publish_every": 1}), log(3)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        ledger.tell(bus, chosen, incident(1, BEGINNING + 30 * MINUTE, "confirmed"))
        run(bus, chosen, "decider")
        run(bus, chosen, *ROLES)
        found = read(bus, chosen)
    (held,) = of_kind(found, LearnedChange)
    assert (held.what, held.serving, held.since) == ("held", "slow", None)
    newest, labels = of_kind(found, LearnedModel)[-1], {one.start: one.labels for one in of_kind(found, LearnedLosses)}
    assert newest.held
    assert newest.at > held.at
    assert newest.learnt == sum(labels.values())


def disagreeing(bus: EmbeddedBus, chosen: Configuration, rows: Sequence[Row], since: int, until: int | None = None) -> list[ReviewAnswer]:
    """What people say who call each label of m0 wrong that became known between the two."""
    labels = {one.id: (examples.bucket, one.label) for examples in told(bus, chosen) for one in examples.labels}
    named = {text_of(id_): id_ for id_ in (f"p{number}" for number in range(len(rows)))}
    return [
        answer(number, named[id_], at, right=not label)
        for number, (id_, (at, label)) in enumerate(labels.items())
        if since < at and (until is None or at < until) and rows[int(named[id_][1:])].model == "m0"
    ]


def test_people_who_disagree_with_the_labels_hold_it(tmp_path: Path) -> None:
    """By what they answered on the topic of reviews, where the model has them."""
    chosen, (sent, rows) = settings(tmp_path, review={}), log(4)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        answers = disagreeing(bus, chosen, rows, BEGINNING + 20 * MINUTE)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        bus.publish([reviews.output(chosen, one) for one in answers])
        run(bus, chosen, "profiler")
        run(bus, chosen, *ROLES)
        found = read(bus, chosen)
    changes = [one for one in of_kind(found, LearnedChange) if one.what == "held"]
    assert [one.why for one in changes] == ["reviewers disagree with the labels"]
    assert changes[0].since is not None
    assert of_kind(found, LearnedLosses)[-1].held


def answer(number: int, id_: str, at: int, *, right: bool) -> ReviewAnswer:
    of = {"case": f"{number:032x}", "model": "m0", "version": "1", "slot": at, "prediction_id": id_, "reviewer": "ann", "probability": 1.0}
    return ReviewAnswer.model_validate({**of, "answered": at, "label": right})


def test_what_is_to_learn_otherwise_begins_anew_and_says_so(tmp_path: Path) -> None:
    before, after = settings(tmp_path), settings(tmp_path, learner={"seed": 7})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, before, log(5)[0])
        run(bus, before, *ROLES)
        learnt = of_kind(read(bus, before), LearnedModel)[-1].learnt
        run(bus, after, *ROLES)
        run(bus, after, *ROLES)
        begun = [one for one in of_kind(read(bus, after), LearnedChange) if one.what == "begun"]
    assert learnt >= 20
    assert [one.why for one in begun] == ["it is to learn otherwise"]


@pytest.mark.parametrize(
    ("model", "labels", "told_of"),
    [
        ({"learner": {}}, {}, "learner: nothing becomes known"),
        ({"labels": "outcomes", "learner": {"kind": "net"}}, {}, "models.m0.learner.kind"),
        ({"labels": "outcomes", "learner": {"backtest": -1}}, {}, "models.m0.learner.backtest"),
        ({"labels": "outcomes", "learner": {"publish_every": 0}}, {}, "models.m0.learner.publish_every"),
        ({"labels": "outcomes", "learner": {"rate": 1}}, {}, "models.m0.learner.rate"),
        ({"labels": "outcomes", "learner": {}}, {"outcome": "category"}, "models.m0.learner: learns binary labels"),
    ],
)
def test_what_cannot_be_is_refused_by_name(model: dict[str, Any], labels: dict[str, Any], told_of: str) -> None:
    with pytest.raises(ValidationError, match=".*".join(told_of.split(": "))):
        configuration(
            labels={"outcomes": {"topics": [LABELS], **WAIT, **labels}},
            models={"m0": model, "m1": {"labels": "outcomes"}},
            stream={"pane": "1m"},
        )


@pytest.mark.parametrize("kind", ["logistic", "tree"])
def test_parts_make_the_same_learner(kind: Any) -> None:
    draw, one = np.random.default_rng(1), Learner(own := Settings(kind, wait=WAIT_MS, backtest=0, every=EVERY))
    for row in range(400):
        one.predicted(row * MINUTE, f"{row}", {"amount": float(draw.normal()), "colour": "red"})
        if row % 3:
            one.labelled(row * MINUTE, f"{row - 2}", bool(draw.random() < 0.4))
    again = Learner.of_parts(own, one.parts())
    assert again.written() == one.written()
    assert again.parts() == one.parts()
