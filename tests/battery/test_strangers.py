"""What every role must stand on the topics that it reads: records of nobody, and all the records of another application."""

import uuid
from contextlib import closing

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output, TopicPartition
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.pipeline.own_topics import create_topics, own_topics
from driftbus.consumers.pipeline.topology import INPUTS, TOPOLOGY
from driftbus.consumers.reference.announce import announce
from driftbus.schemas.messages.announcement import Announcement

from ..streaming import everything
from .worlds import Outcome, World, fill

#: Values of nobody, under headers of nobody and under those of our own messages.
VALUES = (b"garbage", b"", b"\x80", b"{}", b"[" * 100_000, b"\x00" * 900_000)


def published(outcome: Outcome) -> Outcome:
    """Without what is told of the strangers themselves."""
    letters = [one for one in outcome.letters if dict(one.headers)["driftbus-stream"] != b"-"]
    return outcome._replace(events={model: events for model, events in outcome.events.items() if model != "-"}, letters=letters)


def ours(outcome: Outcome, world: World) -> Outcome:
    """Without what another application wrote to the same topics."""
    source = ("ce_source", f"/driftbus/{world.settings.application}".encode())
    kept = (outcome.panes, outcome.letters, outcome.evidence, outcome.samples)
    panes, letters, evidence, samples = ([one for one in part if source in one.headers] for part in kept)
    events, causes = (
        {model: own for model, found in told.items() if (own := [one for one in found if source in one.headers])}
        for told in (outcome.events, outcome.causes)
    )
    return outcome._replace(panes=panes, events=events, letters=letters, evidence=evidence, samples=samples, causes=causes)


def test_a_record_of_nobody_costs_itself(world: World) -> None:
    """On every topic that a fold reads."""
    fill(world)
    read = {topic for node in TOPOLOGY if node.kind == "fold" for topic in node.reads} - {INPUTS}
    own = [world.settings.topics.named(topic) for topic in sorted(read)]
    topics = world.bus().describe(own)  # without those of what is not configured
    headers = [(), *((("ce_source", f"/driftbus/{world.settings.application}".encode()), ("ce_type", kind)) for kind in TYPES)]
    for name, topic in topics.items():
        bus, partitions = world.bus(), topic.partitions
        keys = [b"reference/\xff", b"model/\xff", b"\xff", f"{world.settings.application}/detector/3/0/0/".encode(), b"reference/m0/1/0"]
        bus.publish(
            [
                Output(name, number % partitions, keys[number % len(keys)], value, heads)
                for number, (value, heads) in enumerate((value, heads) for heads in headers for value in VALUES)
            ]
        )
    world.finish(world.bus())
    left, clean = world.outcome(), world.clean()
    assert published(left).events == published(clean).events
    assert len(published(left).panes) >= len(clean.panes)


TYPES = (b"io.driftbus.pane", b"io.driftbus.progress", b"io.driftbus.snapshot", b"io.driftbus.reference", b"io.driftbus.tomorrow", b"\xff")


def test_all_that_another_application_writes_to_the_same_topics_changes_nothing(world: World) -> None:
    """Of the same stream, model, version and reference, from the same input: its panes would count everything twice."""
    fill(world)
    world.bus().publish(of_another(world, world.bus()))
    world.finish(world.bus())
    left, clean = ours(world.outcome(), world), world.clean()
    foreign = left.events.pop("-")
    told = sorted((one.content["facts"]["application"], one.content["facts"]["topic"]) for one in foreign)
    topics = world.settings.topics
    assert told == [("another", topic) for topic in sorted([topics.examples, topics.joins, topics.summaries])], "once for every topic"
    assert left == ours(clean, world)


def of_another(world: World, bus: Bus) -> list[Output]:
    """Everything that a second application, which shares the prefix, would have written."""
    theirs = world.settings.model_copy(update={"application": "another"})
    file = world.folder / f"{uuid.uuid4().hex}.jsonl"
    write_recording(bus, [world.topic, world.labels, world.features], file)
    [announced] = [one for one in everything(bus, theirs.topics.models)[0] if (one.key or b"").startswith(b"reference/")]
    with closing(EmbeddedBus(":memory:", "another", "one")) as log:
        load_recording(log, file)
        create_topics(log, theirs)
        announce(log, theirs, Announcement.model_validate(announced.content))
        World(log.as_instance, theirs, world.folder).finish(log)
        places = [TopicPartition(topic.name, number) for topic in own_topics(theirs) for number in range(topic.partitions)]
        return [
            Output(place.topic, place.partition, key, value, heads)
            for place in places
            for batch in log.read(place, *log.watermarks(place))
            for key, value, heads in zip(batch.keys(), batch.values, batch.headers(), strict=True)
        ]
