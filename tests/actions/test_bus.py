"""The intake and the decider through the bus, live: what time it is, cron lines, how far inputs reach, whose a fact is."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.decider import decider
from driftbus.consumers.intake import intake
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.consumer import Consumer, Making
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import ActionObserved, ActionRequest
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.performance import Performance

from ..streaming import configuration, everything
from .test_command import allowed

MINUTE, DAY = 60_000, 86_400_000
#: A Sunday, at 2:59 UTC.
SUNDAY = 1_795_921_140_000


@dataclass
class Live:
    """An application with a clock that a test turns; of the log, too."""

    settings: Configuration
    now: int = SUNDAY
    bus: EmbeddedBus = field(init=False)

    def __post_init__(self) -> None:
        self.bus = EmbeddedBus(":memory:", "test", "one")
        self.bus.create("scored", 2)
        create_topics(self.bus, self.settings)

    def time_ns(self) -> int:
        """As the log reads it."""
        return self.now * 1_000_000

    def turns(self, later: int = 0, times: int = 6) -> None:
        """Of one process, which begins and ends with them."""
        self.now += later
        making = Making(self.bus, self.settings, ArtifactStore(self.settings.artifacts), lambda: self.now)
        consumers: list[Consumer] = [*intake.make(making), *decider.make(making)]
        for _ in range(times):
            for consumer in consumers:
                consumer.turn(0)
        for consumer in consumers:
            consumer.close()

    def facts(self) -> list[dict[str, Any]]:  # JSON
        return [event.content for events in everything(self.bus, self.settings.topics.actions).values() for event in events]

    def told(self) -> list[dict[str, Any]]:  # JSON
        return [event.content for events in everything(self.bus, self.settings.topics.retrain).values() for event in events]

    def states(self) -> list[str]:
        return [one["state"] for one in self.told() if "state" in one]


@pytest.fixture
def lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """By the policies of a model."""
    opened: list[Live] = []

    def make(**retrain: dict[str, Any]) -> Live:
        labels = {"outcomes": {"topics": ["known"]}}
        stream = {"clock": "live", "mapping": {"id": "id"}}
        model = {"labels": "outcomes", "retrain": retrain}
        models = {"m0": model, "fraud": model, "other": {}}
        opened.append(Live(configuration(artifacts=str(tmp_path), stream=stream, labels=labels, models=models)))
        monkeypatch.setattr("driftbus.consumers.bus.log.time", opened[-1])
        return opened[-1]

    yield make
    for live in opened:
        live.bus.close()


def test_a_cron_line_asks_when_its_instant_comes_and_of_missed_ones_once(lives: Any) -> None:
    live = lives(sundays={"when": "schedule", "cron": "0 3 * * 0", "cooldown": 0})
    live.turns()
    assert live.states() == [], "last Sunday was before there was a policy"
    live.turns(later=2 * MINUTE)
    assert live.states() == ["requested"] * 2, "of both models"
    for one in [one for one in live.told() if one.get("state") == "requested"]:
        ledger.tell(live.bus, live.settings, ActionObserved(model=one["model"], job=one["job"], state="succeeded"))
    live.turns(later=22 * DAY)
    assert Counter(live.states()) == {"requested": 4, "succeeded": 2}
    live.turns()
    assert Counter(live.states()) == {"requested": 4, "succeeded": 2}, "another process says the same instants, and nothing follows"


def test_a_request_says_where_the_inputs_reached(lives: Any) -> None:
    live = lives(hand={"when": "person", "cooldown": 0})
    live.bus.create("known", 1)
    live.bus.publish([Output("scored", number % 2, None, b"{}", ()) for number in range(5)])
    live.turns()
    live.bus.publish([Output("scored", 0, None, b"{}", ())])  # behind what the ledger knows
    ledger.tell(live.bus, live.settings, ActionRequest(model="m0", policy="hand", request="r", by="ann"))
    live.turns()
    [request] = [one for one in live.told() if "data" in one]
    reached = {(one["topic"], one["partition"]): tuple(one["offsets"]) for one in request["data"]["sources"]}
    assert reached == {("scored", 0): (0, 3), ("scored", 1): (0, 2), ("known", 0): (0, 0)}


def test_a_clock_that_is_ahead_holds_nothing_up(lives: Any) -> None:
    live = lives(hand={"when": "person", "cooldown": "1d"})
    ledger.tell(live.bus, live.settings, ActionRequest(model="m0", policy="hand", request="r", by="ann", time=SUNDAY + 10_000 * DAY))
    live.turns()
    [request] = [one for one in live.told() if "data" in one]
    assert request["requested"] == SUNDAY


def test_what_is_copied_is_what_policies_look_at(lives: Any) -> None:
    live = lives(cause={"when": "cause", "cooldown": 0}, labels={"when": "labels", "new_labels": 100, "cooldown": 0})
    topics = live.settings.topics
    cause = allowed().model_copy(update={"application": "test", "run": SUNDAY - DAY})
    live.bus.publish([addressed(live.settings, topics.root_causes, cause, partition_of("fraud", topics.partitions))])
    for model in ("m0", "other"):
        tell(live.bus, live.settings, ModelEvent(model=model, version="7", kind="promoted", job="j", parent="6"))
        for start, labelled in ((0, 60), (DAY, 60), (0, 61)):
            one = Performance(
                application="test", labels="outcomes", model=model, version="7", start=start, about=start + DAY, through=2 * DAY,
                predicted=100, labelled=labelled, expired=0, duplicates=0,
            )  # fmt: skip
            live.bus.publish([addressed(live.settings, topics.performance, one, partition_of(model, topics.partitions))])
    live.turns()
    kinds = Counter((fact["kind"], fact["model"]) for fact in live.facts() if fact["kind"] not in ("tick", "reach"))
    assert kinds == {("incident", "fraud"): 1, ("model", "m0"): 1, ("labels", "m0"): 2}
    live.turns(later=11 * MINUTE)
    requests = {one["model"]: one for one in live.told() if "data" in one}
    assert requests["m0"]["trigger"]["kind"] == "labels"
    assert requests["m0"]["parent"] == {"version": "7", "job": "j"}
    assert (requests["fraud"]["trigger"]["cause"], requests["fraud"]["action"]) == ("data_drift", "fine_tune")


def test_a_fact_in_another_partition_than_its_models_is_passed_over(lives: Any) -> None:
    live = lives(hand={"when": "person"})
    topics = live.settings.topics
    fact = {"kind": "request", "model": "m0", "policy": "hand", "request": "r", "by": "ann"}
    place = (partition_of("m0", topics.partitions) + 1) % topics.partitions
    live.bus.publish([Output(topics.actions, place, b"m0", json.dumps(fact).encode(), ())])
    making = Making(live.bus, live.settings, ArtifactStore(live.settings.artifacts), lambda: live.now)
    [consumer] = decider.make(making)
    with closing(consumer):
        while consumer.turn(0):
            pass
    assert consumer.totals()["astray"] == 1
    assert live.told() == []
