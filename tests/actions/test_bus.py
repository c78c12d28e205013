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
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.decider import decider
from driftbus.consumers.decider.fold import Fold
from driftbus.consumers.intake import intake
from driftbus.consumers.intake.clock import Clock
from driftbus.consumers.intake.copying import Copying
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.consumer import Consumer, Making
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.action import (
    ActionCoincidence,
    ActionModel,
    ActionObserved,
    ActionRequest,
    ActionTick,
    ActionWord,
    LedgerFact,
)
from driftbus.schemas.messages.coincidence import Coincidence
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.messages.retrain import RetrainRequest

from ..streaming import configuration, everything
from .adversary import incident
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


def _kinds(outputs: Any) -> list[str]:
    return [json.loads(output.value)["kind"] for output in outputs]


def test_what_the_clock_said_in_a_transaction_that_came_to_nothing_is_said_again(lives: Any) -> None:
    """An instant of a cron line is said once: lost with its transaction, it would have been missed for a week."""
    live = lives(sundays={"when": "schedule", "cron": "0 3 * * 0"})
    clocked = intake.Clocked(live.settings, intake.SOURCES[0], live.bus)
    place = InputPartition(topic=live.settings.topics.models, topic_id="t", partition=0)

    def said(now: int) -> list[str]:
        return _kinds(clocked.progress(place, 1, now, anew=False, ended=False))

    clocked.begin()
    assert said(SUNDAY).count("due") == 2
    assert said(SUNDAY + 2 * MINUTE).count("due") == 2
    clocked.begin()  # the bus gives the partition anew: nobody knows what was committed
    assert said(SUNDAY + 2 * MINUTE + 1).count("due") == 2
    assert said(SUNDAY + 2 * MINUTE + 2) == []


@pytest.mark.parametrize("back", [1, DAY, 400 * DAY])
def test_a_clock_that_is_put_back_tells_the_time(lives: Any, back: int) -> None:
    live = lives(hand={"when": "person"})
    clock = Clock(live.settings, live.bus)
    assert "tick" in _kinds(clock.said(SUNDAY, whatever=False))
    live.bus.publish([Output("scored", 0, None, b"{}", ())])
    assert {"tick", "reach"} <= {*_kinds(clock.said(SUNDAY - back, whatever=False))}


def test_models_of_one_stream_are_one_look_at_its_topics(lives: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    live: Live = lives(hand={"when": "person"})
    looked: list[TopicPartition] = []
    ends = live.bus.watermarks

    def watermarks(place: TopicPartition) -> tuple[int, int]:
        looked.append(place)
        return ends(place)

    monkeypatch.setattr(live.bus, "watermarks", watermarks)
    assert _kinds(Clock(live.settings, live.bus).said(SUNDAY, whatever=True)).count("reach") == 2
    assert sorted(looked) == [TopicPartition("scored", 0), TopicPartition("scored", 1)]


FUTURE = 253_402_300_799_999
_STATED: list[LedgerFact] = [
    ActionCoincidence(model="m0", of="release", ref="planned", fact_id="f", time=FUTURE),
    ActionModel(model="m0", event="registered", version="8", fact_id="f", time=FUTURE),
    ActionObserved(model="m0", job="0" * 32, state="started", time=FUTURE),
    ActionWord(kind="approve", model="m0", job="0" * 32, by="ann", time=FUTURE),
    ActionRequest(model="m0", policy="other", request="q", time=FUTURE),
    ActionTick(time=FUTURE),  # which the intake alone writes: it leaps, and jobs can be asked for all the same
]


@pytest.mark.parametrize("fact", _STATED, ids=lambda one: one.kind)
def test_where_the_log_does_not_stamp_records_time_is_what_the_data_say(fact: LedgerFact) -> None:
    settings = configuration(models={"m0": {"retrain": {"hand": {"when": "person", "cooldown": 0}}}})
    place = InputPartition(topic="a", topic_id="t", partition=partition_of("m0", settings.topics.partitions))
    fold = Fold(settings)
    fold.situated(place, append_time=False)
    then = 1_300_000_000_000
    for number, one in enumerate((incident("a" * 32, 1, then, cause="model_broken").model_copy(update={"model": "m0"}), fact)):
        fold.feed(number, SUNDAY, one)
    said = fold.feed(2, SUNDAY, ActionRequest(model="m0", policy="hand", request="r", by="ann"))
    [request] = [one for one in said if isinstance(one, RetrainRequest)]
    assert (request.requested == then) is not isinstance(fact, ActionTick)


@pytest.mark.parametrize("append_time", [False, True])
def test_a_fact_without_a_time_has_that_of_its_record_where_the_log_gave_it(append_time: bool) -> None:
    """With a record clock the record's time is its writer's wall clock: years behind the data it would have moved the ledger."""
    copying = Copying(configuration(models={"m0": {"retrain": {"hand": {"when": "person"}}}}))
    copying.situated(InputPartition(topic="models", topic_id="t", partition=0), append_time)
    event = ModelEvent(model="m0", version="7", kind="promoted", job="j")
    release = Coincidence.of({"type": "release", "ref": "web 7"})
    times = [one.time for fact in (event, release) for one in copying.feed(0, SUNDAY, fact)]
    assert times == [SUNDAY if append_time else None] * 2
