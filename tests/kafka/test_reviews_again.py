"""A topic of reviews that is deleted and made again on a Kafka, while it is folded or between two processes; desks, too."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.desk.desk import Desk
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reviewer.reviewer import Reviewing, make
from driftbus.schemas.configuration import Configuration

from ..consumers.test_reviewer import reviewed
from ..review.cases import MODEL, request, requests, settings, slots, write
from ..streaming import everything

pytestmark = pytest.mark.kafka

_LONG_S = 60
_OLD = 60


def until(reviewer: Reviewing, claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONG_S
    while not claim():
        assert time.monotonic() < deadline
        reviewer.turn(0.1)


def reviewer_of(bus: KafkaBus, configured: Configuration) -> Reviewing:
    (made,) = make(Making(bus, configured, ArtifactStore(configured.artifacts), lambda: time.time_ns() // 1_000_000))
    assert isinstance(made, Reviewing)
    return made


def _has_snapshot(bus: KafkaBus, configured: Configuration) -> bool:
    """Of the fold of what people answered."""
    prefix = f"{configured.application}/reviewer-estimates/".encode()
    snapshots = everything(bus, configured.topics.snapshots).values()
    return any((event.key or b"").startswith(prefix) for events in snapshots for event in events)


@pytest.mark.parametrize(
    ("new", "running"), [(_OLD + 20, True), (20, False)], ids=["a longer one while it is folded", "a shorter one between two processes"]
)
def test_it_is_folded_from_its_beginning(kafka: str, tmp_path: Path, new: int, running: bool) -> None:
    name = f"reviews-again-{new}-{running}".lower()
    where = {"application": name, "bus": "kafka", "kafka": {"bootstrap.servers": kafka}, "snapshot_every": "1ms"}
    configured = Configuration.model_validate(settings(tmp_path) | where)
    topic = configured.topics.reviews
    with closing(KafkaBus(configured.kafka, name, "one")) as bus:
        bus.create("questions", 1) if "questions" not in bus.describe(["questions"]) else None
        create_topics(bus, configured)
        old = requests(_OLD)
        write(bus, configured, [*old, *slots(old)])
        desk = Desk(bus, configured, MODEL)
        desk.answer("ada", [old[0].case], 1_000, label="card")
        reviewer = reviewer_of(bus, configured)
        until(reviewer, lambda: any(one.answered for one in reviewed(bus, configured).values()))
        if not running:  # the topic's id stands in a snapshot, and nowhere else
            until(reviewer, lambda: _has_snapshot(bus, configured))
            reviewer.close()
        bus.delete(topic)
        bus.create(topic, configured.topics.partitions)
        again = [request(1_000 + place) for place in range(new)]
        write(bus, configured, [*again, *slots(again)])
        desk.answer("ada", [again[0].case], 1_000, label="card")
        if not running:
            reviewer = reviewer_of(bus, configured)
        about = max(one.about for one in reviewed(bus, configured).values())
        until(reviewer, lambda: any(one.answered and one.about > about for one in reviewed(bus, configured).values()))
        told = [event.content for events in everything(bus, configured.topics.drift).values() for event in events]
        assert {one["facts"]["topic"] for one in told if one["about"] == "made_again"} == {topic}
        reviewer.close()
