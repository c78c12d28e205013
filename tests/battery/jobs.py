"""Policies by which jobs are asked for, and what a fold says of a topic as it lies there: which jobs are asked for, what is learnt."""

from contextlib import suppress
from typing import Any

from driftbus.consumers.bus import own
from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.decider.decider import Deciding
from driftbus.consumers.learner.learning import Learning
from driftbus.consumers.process.fold import Folded, Situated
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.progress import InputPartition

from ..streaming import Event, everything

#: Each that something in the world triggers; dry ones end at once, and make room for the next.
POLICIES = {
    "cause": {"when": "cause", "causes": ["feature_unavailability", "data_drift"], "dry_run": True, "cooldown": 0},
    "release": {"when": "event", "events": ["release", "deployed"], "settle": 0, "dry_run": True, "cooldown": 0, "per_day": 100},
    "labels": {"when": "labels", "new_labels": 200, "cooldown": 0, "per_day": 100},
}


def latest(facts: list[Event]) -> list[Event]:
    """Of numbers of labels the last alone, without when it was known: between two looks at a compacted topic some are gone."""
    labels = [one for one in facts if one.content["kind"] == "labels"]
    newest = max((int(one.content["total"]) for one in labels), default=0)
    return [*(one for one in facts if one not in labels), Event(None, str(newest).encode(), ())]


def of_ours(event: Event, ours: bytes, *kinds: bytes) -> bool:
    """Whether it is this application's, and its type begins in one of these ways."""
    return ("ce_source", ours) in event.headers and dict(event.headers)["ce_type"].startswith(kinds)


def decided(bus: Bus, settings: Configuration) -> dict[int, list[Event]]:
    """By partition, what this application's decider wrote."""
    ours = f"/driftbus/{settings.application}".encode()
    found = everything(bus, settings.topics.retrain).items()
    told = {number: [one for one in events if of_ours(one, ours, b"io.driftbus.")] for number, events in found}
    return {number: events for number, events in told.items() if events}


def asked_for(bus: Bus, settings: Configuration) -> dict[int, list[Event]]:
    """By partition, what one fold of the ledger says, from its first record to its last."""
    return said_again(bus, settings.topics.actions, Deciding(settings), settings.topics.retrain)


def learnt(bus: Bus, settings: Configuration) -> bool:
    """Whether what is known in the end of what was learnt is what one fold of the examples says, as they lie there."""
    ours, folded = f"/driftbus/{settings.application}".encode(), Learning("learner", settings, ArtifactStore(settings.artifacts))
    found = [one for events in everything(bus, settings.topics.learned).values() for one in events if of_ours(one, ours, b"io.driftbus.")]
    again = [one for events in said_again(bus, settings.topics.examples, folded, settings.topics.learned).values() for one in events]
    return {one.key: one for one in found} == {one.key: one for one in again}


def said_again(bus: Bus, topic: str, folded: Folded[Any, Any], to: str) -> dict[int, list[Event]]:
    """By partition, what one fold of a topic writes to another."""
    described, found = bus.describe([topic])[topic], dict[int, list[Event]]()
    for number in range(described.partitions):
        fold, said, place = folded.begin(), found.setdefault(number, []), TopicPartition(topic, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            if isinstance(fold, Situated):
                fold.situated(InputPartition(topic=topic, topic_id=described.id, partition=number), batch.append_time)
            columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers(), strict=True)
            for offset, appended, key, value, headers in columns:
                with suppress(own.Foreign, own.Unreadable):
                    fact = folded.read(key, value, headers)
                    for told in () if fact is None else fold.feed(offset, appended, fact):
                        outputs = (one for one in folded.outputs(told, number) if one.topic == to)
                        said += (Event(one.key, one.value or b"", one.headers) for one in outputs)
    return {number: said for number, said in found.items() if said}
