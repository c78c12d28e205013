"""A model that was learnt, as a learner publishes it, and whoever asks it."""

from pathlib import Path
from typing import Any

import msgspec

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.learner.one import One, Published
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference import learned
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.examples import Example, Examples, Outcome

from ..streaming import everything

MODEL = "m"


def settings_of(folder: Path, topic: str = "scored", **changes: Any) -> Configuration:
    """One model with a learner, on a live stream."""
    return Configuration.model_validate(
        {
            **{"application": "test", "bus": "embedded", "embedded": ":memory:", "artifacts": str(folder / "artifacts")},
            **{"topics": {"partitions": 2}, "streams": {"predictions": {"topics": [topic]}}, "labels": {"known": {"topics": ["labels"]}}},
            "models": {MODEL: {"labels": "known", "learner": {"publish_every": 100, "backtest": 0}}},
            "serving": {"port": 0},
            **changes,
        }
    )


def prepare(bus: Bus, settings: Configuration) -> None:
    """Our own topics."""
    create_topics(bus, settings)


def published(settings: Configuration, rows: int) -> Published:
    """What a learner makes of so many rows: positive where the amount is."""
    one = One.begun(settings, MODEL)
    of = {"join": "known", "topic": "t", "topic_id": "i", "partition": 0, "first": 1, "bucket": 1_000, "model": MODEL}
    examples = [
        Example(id=f"{row:032x}", version="1", features={"amount": float(row % 11 - 5), "colour": "red", "new": row % 2 == 0})
        for row in range(rows)
    ]
    labels = [Outcome(id=each.id, version="1", label=int(row % 11 > 5)) for row, each in enumerate(examples)]
    said = one.step(1_000, [Examples(predictions=tuple(examples), labels=tuple(labels), **of)], ended=False)
    return next(each for each in said if isinstance(each, Published))


def publish(bus: Bus, settings: Configuration, one: Published) -> None:
    """As the learner does."""
    ArtifactStore(settings.artifacts).beside(learned.FOLDER).put(one.content)
    topics = settings.topics
    bus.publish([addressed(settings, topics.learned, one.event, partition_of(MODEL, topics.partitions))])


def request(settings: Configuration, id_: str, features: dict[str, Any] | None = None, **changes: Any) -> Output:
    """One on the topic."""
    content = {"id": id_, "model": MODEL, "features": features or {"amount": 4.0, "colour": "red"}, **changes}
    return Output(settings.topics.requests, None, id_.encode(), msgspec.json.encode(content))


def said(bus: Bus, topic: str) -> dict[str, list[dict[str, Any]]]:
    """What was written to a topic, by the key."""
    found: dict[str, list[dict[str, Any]]] = {}
    for event in (event for events in everything(bus, topic).values() for event in events):
        found.setdefault((event.key or b"").decode(), []).append(event.content)
    return found
