"""A world for a clerk: what is written of models, and what it makes of it."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.clerk.clerk import SOURCES, Source, make
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.process.folding import Folding
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.progress import Progress

from ..streaming import BEGINNING, Event, configuration, everything

MODELS = TopicPartition("driftbus.models", 0)
HOUR = 3_600_000


def settings(folder: Path, clock: str = "record", **changes: Any) -> Configuration:  # the keys of a configuration
    topics = {"partitions": 3, **changes.pop("topics", {})}
    changes = {"snapshot_every": "1ms", **changes}
    return configuration(artifacts=str(folder / "artifacts"), stream={"clock": clock}, topics=topics, **changes)


def world(chosen: Configuration) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    bus.create("scored", 4, settings={"retention.ms": "-1"})
    create_topics(bus, chosen)
    return bus


def deployed(version: str, **fields: Any) -> ModelEvent:  # of any type
    return ModelEvent.of({"model": "m0", "version": version, "kind": "deployed", "time": BEGINNING + HOUR, **fields})


def written(bus: EmbeddedBus, fields: Mapping[str, Any], key: str | None = None, topic: str = MODELS.topic) -> None:
    """As anybody writes one: JSON under a key, and no header."""
    last = fields.get("job", fields.get("time"))
    under = key or f"model/{fields.get('model')}/{fields.get('version')}/{fields.get('kind')}/{last}"
    bus.publish([Output(topic, None, under.encode(), json.dumps(fields).encode())])


def clerk_of(
    bus: EmbeddedBus, chosen: Configuration, wall: Callable[[], int], sources: tuple[Source, ...] = SOURCES
) -> Folding[Any, Evidence]:
    [made] = make(Making(bus, chosen, ArtifactStore(chosen.artifacts), wall), sources)
    return made


def finish(bus: EmbeddedBus, chosen: Configuration, sources: tuple[Source, ...] = SOURCES) -> Mapping[str, int]:
    with closing(clerk_of(bus, chosen, lambda: BEGINNING, sources)) as one:
        one.finish()
        while not one.done:
            one.turn(0)
        return one.totals()


def evidence(bus: EmbeddedBus, chosen: Configuration) -> list[tuple[int, Evidence]]:
    """With the partition of each."""
    found = everything(bus, chosen.topics.summaries)
    return [(p, Evidence.decoded(e.value)) for p, events in found.items() for e in events if kind(e) == Evidence.TYPE]


def progress(bus: EmbeddedBus, chosen: Configuration, of: str = "model") -> dict[int, list[Progress]]:
    found = everything(bus, chosen.topics.summaries)
    said = {p: [Progress.decoded(e.value) for e in events if kind(e) == Progress.TYPE] for p, events in found.items()}
    return {p: [one for one in all_ if one.of == of] for p, all_ in said.items()}


def kind(event: Event) -> str:
    return dict(event.headers)["ce_type"].decode()


def told(bus: EmbeddedBus, chosen: Configuration) -> tuple[list[str], list[str]]:
    """Reasons of dead letters, and texts of notices."""
    letters = [
        dict(e.headers)["driftbus-reason"].decode() for events in everything(bus, chosen.topics.dead_letter).values() for e in events
    ]
    return letters, [e.content["text"] for events in everything(bus, chosen.topics.drift).values() for e in events]
