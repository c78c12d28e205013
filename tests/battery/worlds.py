"""A small world on either bus, and what a clean run of it publishes."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
from confluent_kafka import TopicPartition as KafkaPlace
from confluent_kafka.admin import AdminClient

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import INPUTS, TOPOLOGY
from driftbus.consumers.reference import coincidences, feedback
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.coincidence import Coincidence
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.examples import Examples
from driftbus.schemas.messages.feedback import Feedback
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.pane import REVIEWED, Pane

from ..streaming import BEGINNING, Event, Sent, by_model, configuration, everything, prepare, rows, send, trim
from .asked import ASKED, answered
from .jobs import POLICIES, asked_for, decided, latest, learnt, of_ours
from .known import familiar_reference, offline

#: What a recording is run through; hands act on the world, and have a battery of their own.
FOLDS = tuple(node.role for node in TOPOLOGY if node.kind == "fold")
#: Of the input topic, and of the summaries.
PARTITIONS = 2
#: Seconds of record time.
LENGTH = 765
#: The stream of labels.
LABELS = "outcomes"
#: The second from which on rows have no colour.
LOST = 150
#: The feature log.
FEATURES = "warehouse"
#: Model events.
DEPLOYMENTS = 150
#: Words of people, on incidents that are none.
ANSWERS = 5


class Outcome(NamedTuple):
    """What is published: of panes, evidence and dead letters, whose order over partitions is nobody's, the set."""

    panes: list[Event]
    events: dict[str, list[Event]]  #: by model
    letters: list[Event]
    evidence: list[Event]
    reviews: dict[str, list[Event]]  #: by model
    reviewed: dict[bytes | None, Event]  #: what is known in the end, by key
    samples: list[Event]  #: of rows unlike the training data
    causes: dict[str, list[Event]]  #: by model
    examples: list[Event]
    facts: list[Event]  #: of the ledger, in which their order over topics is nobody's; of numbers of labels the last
    learned: bool  #: what is learnt is what a fold of the examples says, as they are
    decided: bool  #: jobs are those that a fold of the ledger, as it is, asks for


def outcome(bus: Bus, settings: Configuration) -> Outcome:
    """Read it all."""
    ours = f"/driftbus/{settings.application}".encode()

    def of(topic: str) -> list[Event]:
        return sorted(event for events in everything(bus, topic).values() for event in events)

    def typed(kind: bytes) -> list[Event]:
        return [event for event in of(settings.topics.summaries) if dict(event.headers).get("ce_type") == kind]

    def told_of(topic: str, *kinds: bytes) -> dict[int, list[Event]]:
        return {number: [one for one in events if of_ours(one, ours, *kinds)] for number, events in everything(bus, topic).items()}

    reviews = told_of(settings.topics.reviews, b"io.driftbus.review.")
    told = [event for events in everything(bus, settings.topics.performance).values() for event in events]
    reviewed = {event.key: event for event in told if {("ce_type", b"io.driftbus.reviewed"), ("ce_source", ours)} <= set(event.headers)}
    panes, evidence = (
        sorted(_of_no_topic(event) if dict(event.headers).get("ce_source") == ours else event for event in typed(kind))
        for kind in (b"io.driftbus.pane", b"io.driftbus.evidence")
    )
    letters, samples = of(settings.topics.dead_letter), of(settings.topics.ood)
    drift = told_of(settings.topics.drift, b"io.driftbus.drift.", b"io.driftbus.notice.")
    events, causes = by_model(drift), by_model(told_of(settings.topics.root_causes, b"io.driftbus.root-cause."))
    examples = sorted(_of_no_joins(event) for event in of(settings.topics.examples) if is_rows(event, ours))
    facts = latest([event for event in of(settings.topics.actions) if of_ours(event, ours, b"io.driftbus.action.")])
    of_ledger = facts, learnt(bus, settings), asked_for(bus, settings) == decided(bus, settings)
    return Outcome(panes, events, letters, evidence, by_model(reviews), reviewed, samples, causes, examples, *of_ledger)


def is_rows(event: Event, ours: bytes) -> bool:
    """Whether it is a list of examples; words on them are facts of the ledger, whose order over topics is nobody's."""
    return ("ce_source", ours) in event.headers and ("ce_type", Examples.TYPE.encode()) in event.headers


def _of_no_joins(event: Event) -> Event:
    """The same of examples."""
    headers = tuple(header for header in event.headers if header[0] != "ce_id")
    return Event(event.key, Examples.decoded(event.value).model_copy(update={"topic_id": ""}).encoded(), headers)


def _of_no_topic(event: Event) -> Event:
    """What was made of a topic of ours: it has another id on another bus."""
    kind: type[Pane | Evidence] = Pane if dict(event.headers)["ce_type"] == b"io.driftbus.pane" else Evidence
    try:
        one = kind.decoded(event.value)
    except ValueError:
        return event
    if one.stream not in (LABELS, FEATURES) and one.of != REVIEWED:
        return event
    headers = tuple(header for header in event.headers if header[0] != "ce_id")
    return Event(event.key, one.model_copy(update={"topic_id": ""}).encoded(), headers)


@dataclass
class World:
    """One log, and the settings of an application on it."""

    opens: Callable[[str], Bus]  #: the bus as an instance has it
    settings: Configuration
    folder: Path
    opened: list[Bus] = field(default_factory=list)
    address: str = ""  #: of Kafka
    # On Kafka `tests/kafka/determinism` has many more.
    deaths: tuple[int, ...] = (0, 1, 0)  #: in which commit of each life
    dying: tuple[str, ...] = FOLDS  #: whose commits all the others die with

    def bus(self, instance: str = "one") -> Bus:
        self.opened.append(self.opens(instance))
        return self.opened[-1]

    @property
    def topic(self) -> str:
        return self.settings.streams["predictions"].topics[0]

    @property
    def labels(self) -> str:
        return self.settings.labels[LABELS].topics[0]

    @property
    def features(self) -> str:
        return self.settings.features[FEATURES].topics[0]

    @property
    def reads(self) -> dict[str, tuple[str, str]]:
        """The topic whose offsets each role commits, and the group in which it does."""
        of, topics = self.settings.application, self.settings.topics
        groups = {node.role: f"{of}-{node.role}{'-predictions' if node.per_stream else ''}" for node in TOPOLOGY}
        return {node.role: (self.topic if node.reads[0] == INPUTS else topics.named(node.reads[0]), groups[node.role]) for node in TOPOLOGY}

    def places(self, role: str) -> list[TopicPartition]:
        """What a role reads."""
        return [TopicPartition(self.reads[role][0], number) for number in range(PARTITIONS)]

    def trim(self, bus: Bus, firsts: Mapping[TopicPartition, int]) -> None:
        """What retention does, on either bus: delete what stands in front of these offsets."""
        if isinstance(bus, KafkaBus):
            admin = AdminClient({"bootstrap.servers": self.address})
            for deleted in admin.delete_records([KafkaPlace(*place, first) for place, first in firsts.items()]).values():
                deleted.result()
        else:
            assert isinstance(bus, EmbeddedBus)
            for place, first in firsts.items():
                trim(bus, place, first)

    def finish(self, bus: Bus, *roles: str) -> Pipeline:
        """Run these roles, or all, to the end."""
        pipeline = Pipeline(bus, self.settings, roles or FOLDS)
        with closing(pipeline):
            for _ in pipeline.run_until_end():
                pass
        return pipeline

    def clean(self) -> Outcome:
        """What one process publishes that nothing happens to: of a recording of the input, on an embedded bus."""
        file = self.folder / f"{uuid.uuid4().hex}.jsonl"
        topics = self.settings.topics
        write_recording(self.bus(), [self.topic, self.labels, self.features, topics.models, topics.feedback], file)
        with closing(EmbeddedBus(":memory:", self.settings.application, "clean")) as bus:
            load_recording(bus, file)
            create_topics(bus, self.settings)
            bus.publish(answered(self.settings))
            self.finish(bus)
            return outcome(bus, self.settings)

    def outcome(self) -> Outcome:
        return outcome(self.bus(), self.settings)

    def lost(self) -> dict[TopicPartition, int]:
        """What was told of records that were gone: the last offset of each partition."""
        told = (one.content["facts"] for one in self.outcome().events.get("-", []) if one.content.get("about") == "lost")
        return {TopicPartition(facts["topic"], facts["partition"]): facts["to"] for facts in told}

    def gone(self, bus: Bus) -> None:
        """The process of this bus is dead: Kafka hears no more of its clients (they commit nothing as they close)."""
        if isinstance(bus, KafkaBus):
            bus.close()
            self.opened.remove(bus)

    def close(self) -> None:
        for bus in self.opened:
            bus.close()


def settings_of(folder: Path, application: str) -> Configuration:
    """Two models, one without a reference, the other with all there is: labels, a feature log, reviews; of a third all is over but the
    answers of people; a snapshot with every commit.
    """
    return configuration(
        application=application,
        artifacts=str(folder / "artifacts"),
        topics={"prefix": application, "partitions": PARTITIONS},
        stream={"topics": [f"{application}-scored"], "mapping": {"entity": "trip"}},
        labels={LABELS: {"topics": [f"{application}-known"], "wait": "1m", "early": "10s", "about": "1m"}},
        features={FEATURES: {"topics": [f"{application}-features"], "wait": "1m", "early": "10s"}},
        models={
            "m0": {
                "agreement": {"log": FEATURES},
                "false_alarms": "1 per 1h",
                "labels": LABELS,
                "examples": {"sample": 0.5},
                "learner": {"backtest": 0, "every": "1m", "losses": "1m", "publish_every": 100},
                "ood": {"of": "row"},
                "features": {"amount": {"as_of": "as_of"}},
                "review": {"budget": "600 per hour", "slot": "1m"},
                "retrain": POLICIES,
            },
            ASKED: {"review": {}},
        },
        snapshot_every="1ms",
    )


def fill(world: World, *more: Sent) -> None:
    """Announce a reference, and send traffic in which a drift comes and goes, and a feature is lost; with bad records, and ``more``."""
    bus = world.bus()
    prepare(bus, world.settings, [familiar_reference(world.settings)], partitions=PARTITIONS)
    bus.publish(answered(world.settings))
    traffic = rows(LENGTH, ["m0"], 3, shifted=("m0", 200, 400)) + rows(30, ["unknown"], 1)
    traffic += [Sent(0, 50_000, b"{"), Sent(1, 60_000, b'{"model": "m0", "version": "1", "features": {"amount": "many"}}'), *more]
    deployed = (  # so many that they take several commits
        {"model": f"m{job % 3}", "version": "1", "kind": "deployed", "job": f"j{job}", "time": BEGINNING + job * 1_000}
        for job in range(DEPLOYMENTS)
    )
    tell(bus, world.settings, *map(ModelEvent.model_validate, deployed))
    coincidences.tell(bus, world.settings, Coincidence.of({"type": "release", "ref": "colours 2", "time": BEGINNING + 1_000 * LOST}))
    words = (
        {"model": f"m{number % 2}", "incident": f"{number:032x}", "answer": "reject", "time": BEGINNING + number * 1_000}
        for number in range(ANSWERS)
    )
    feedback.tell(bus, world.settings, *map(Feedback.of, words))
    placed = sorted((one._replace(partition=one.partition % PARTITIONS) for one in traffic), key=lambda one: one.time)
    send(bus, [named(lost(one, number), number) for number, one in enumerate(placed)], world.topic)
    bus.create(world.labels, PARTITIONS, settings={"retention.ms": "-1"})
    known = [
        Sent(number % PARTITIONS, one.time + 5_000 * (number % 7), labelled(number)) for number, one in enumerate(placed) if number % 5
    ]
    send(bus, sorted(known, key=lambda one: one.time), world.labels)
    bus.create(world.features, PARTITIONS, settings={"retention.ms": "-1"})
    send(bus, sorted(offline(placed), key=lambda one: one.time), world.features)


def named(sent: Sent, number: int) -> Sent:
    """With an id, if it is a prediction, and a time as of which its amount is."""
    known = {"id": f"row {number}", "trip": f"trip {number}", "as_of": (BEGINNING + sent.time) / 1000 - number % 90}
    try:
        return sent._replace(value=msgspec.json.encode(known | msgspec.json.decode(sent.value or b"")))
    except (msgspec.DecodeError, TypeError, UnicodeError, RecursionError):
        return sent


def lost(sent: Sent, number: int) -> Sent:
    """Without its colour, every second one from some time on."""
    return sent._replace(value=(sent.value or b"").replace(b'"red"', b"null")) if sent.time > 1_000 * LOST and number % 2 else sent


def labelled(number: int) -> bytes:
    """What became of a row."""
    return msgspec.json.encode({"id": f"row {number}", "label": number % 3 == 0})
