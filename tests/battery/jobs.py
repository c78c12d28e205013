"""Policies by which jobs are asked for, and what a ledger as it lies there asks for."""

from contextlib import suppress

from driftbus.consumers.bus import own
from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.decider.decider import Deciding
from driftbus.consumers.reference import ledger
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
    topics, found, folded = settings.topics, dict[int, list[Event]](), Deciding(settings)
    topic = bus.describe([topics.actions])[topics.actions]
    for number in range(topic.partitions):
        fold, said, place = folded.begin(), found.setdefault(number, []), TopicPartition(topic.name, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            fold.situated(InputPartition(topic=topic.name, topic_id=topic.id, partition=number), batch.append_time)
            columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers(), strict=True)
            for offset, appended, key, value, headers in columns:
                with suppress(own.Foreign, own.Unreadable):
                    fact = ledger.read(settings.application, key, value, headers)
                    for one in () if fact is None else fold.feed(offset, appended, fact):
                        output = ledger.retrain_output(settings, one)
                        said.append(Event(output.key, output.value or b"", output.headers))
    return {number: said for number, said in found.items() if said}
