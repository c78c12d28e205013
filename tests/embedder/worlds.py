"""A stream of questions whose vectors an embedder makes."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Batch, Bus, Output, TopicPartition
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration

from ..consumers.unlike_world import asked
from ..streaming import BEGINNING
from .server import SIZE, Server

TOPIC, PARTITIONS = "asked", 2
#: As the battery calls it.
STREAM = "predictions"


def settings(
    server: Server,
    folder: Path,
    application: str = "watch",
    topic: str = TOPIC,
    **embedder: Any,  # keys of a configuration
) -> Configuration:
    """Of one model, whose questions are compared by the vectors of a server."""
    return configured(folder, application, topic, **server.settings(**embedder))


def configured(
    folder: Path,
    application: str = "watch",
    topic: str = TOPIC,
    **embedder: Any,  # keys of a configuration
) -> Configuration:
    """Of one model, whose questions are compared by the embedder's vectors."""
    return Configuration.model_validate(written(folder, application, topic, **embedder))


def written(folder: Path, application: str, topic: str, **embedder: Any) -> dict[str, Any]:
    """The same as a user writes it."""
    return {
        "application": application,
        "artifacts": str(folder / "artifacts"),
        "topics": {"partitions": PARTITIONS},
        "streams": {
            STREAM: {
                "topics": [topic],
                "pane": "1m",
                "mapping": {"text": "question", "embedding": "vector"},
                "embedder": {"name": "words", "revision": "1", "size": SIZE, **embedder},
            }
        },
        "models": {
            "m0": {
                "reference": {"file": str(folder / "train.jsonl"), "time": "at", "prediction": "prediction"},
                "ood": {"of": "vector"},
            }
        },
        "snapshot_every": "1ms",
    }


def questions(rows: int, seed: int = 2) -> Iterator[dict[str, Any]]:
    """Rows without vectors."""
    for row in asked(np.random.default_rng(seed), rows):
        yield {"question": row["question"], "prediction": row["prediction"], "at": BEGINNING + 1_000 * row["at"]}


def messages(rows: int, topic: str = TOPIC) -> list[Output]:
    """As they lie on the stream's topic."""
    return [
        Output(
            topic,
            number % PARTITIONS,
            str(number).encode(),
            msgspec.json.encode({"model": "m0", "version": "1", "features": {}, **row}),
            (("trace", str(number).encode()),),
            row["at"],
        )
        for number, row in enumerate(questions(rows))
    ]


def prepare(bus: Bus, chosen: Configuration, sent: Sequence[Output], topic: str = TOPIC) -> None:
    """Topics, and what lies on the first of them. Their records are older than what the product keeps of live ones."""
    for old in (topic, chosen.topics.embeddings):
        bus.create(old, PARTITIONS, settings={"retention.ms": "-1"})
    create_topics(bus, chosen)
    bus.publish(sent)


def embed(bus: Bus, chosen: Configuration) -> Pipeline:
    """Run the embedder to the end."""
    with closing(Pipeline(bus, chosen, ["embedder"])) as pipeline:
        for _ in pipeline.run_until_end():
            pass
    return pipeline


def lies(bus: Bus, topic: str) -> list[Batch]:
    """What is committed on a topic, by partition."""
    return [
        batch
        for number in range(PARTITIONS)
        for place in [TopicPartition(topic, number)]
        for batch in bus.read(place, *bus.watermarks(place))
    ]


def records(bus: Bus, topic: str) -> list[Output]:
    """The same, record by record."""
    return [
        Output(topic, batch.source.partition, *columns[:2], tuple(columns[2] or ()), columns[3])
        for batch in lies(bus, topic)
        for columns in zip(batch.keys(), batch.values, batch.headers(), batch.timestamps.tolist(), strict=True)
    ]


def memory(application: str = "watch") -> EmbeddedBus:
    """A log of one test."""
    return EmbeddedBus(":memory:", application, "one")
