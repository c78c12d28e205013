"""A small world of golden evaluations on either bus: a set, requests, an evaluator that may be taken away, and what is on the topic."""

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.golden.evaluator import Evaluator, make
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.process.consumer import Making
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.golden_records import ask, folded, request_of
from driftbus.consumers.reference.golden_sets import store_of
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenRequest
from driftbus.schemas.stored.golden import GoldenRow, GoldenSet, golden_set

#: Longer than anything here takes on a busy machine.
PATIENCE_S = 60
ROWS = 40
FUNCTION = {"callable": {"function": "tests.golden.functions:of_version", "batch": 10}}


def settings_of(folder: Path, call: dict[str, Any] = FUNCTION, models: Sequence[str] = ("m",), **golden: Any) -> Configuration:
    """Two partitions, a live clock, and the same way to ask every model."""
    return Configuration.model_validate(
        {
            "application": f"app-{uuid.uuid4().hex[:8]}",
            "bus": "embedded",
            "embedded": ":memory:",
            "artifacts": str(folder / "artifacts"),
            "topics": {"partitions": 2},
            "streams": {"predictions": {"topics": ["scored"]}},
            "models": {name: {"golden": {"call": call, **golden}} for name in models},
        }
    )


def rows_of(rows: int = ROWS, **more: Any) -> list[GoldenRow]:
    """A good model answers what stands in ``right``; each fourth row is hard."""
    return [
        GoldenRow(
            id=f"row-{number:05}",
            features={"right": float(number), "hard": number % 25 == 3, **more},
            label=float(number),
            slices=("even",) if number % 2 == 0 else (),
        )
        for number in range(rows)
    ]


def stored(settings: Configuration, rows: Sequence[GoldenRow] | None = None, model: str = "m") -> GoldenSet:
    """A set of numbers, in the store."""
    made = golden_set(model, "absolute", list(rows or rows_of()))
    store_of(settings).put(made.encoded())
    return made


def prepared(bus: Bus, settings: Configuration, rows: Sequence[GoldenRow] | None = None) -> GoldenSet:
    create_topics(bus, settings)
    return stored(settings, rows)


def asking(settings: Configuration, golden: GoldenSet | None, named: str, version: str = "1", model: str = "m") -> GoldenRequest:
    return request_of(settings, model, version, None if golden is None else golden.hash, "person", named, 1_700_000_000_000)


def evaluator(bus: Bus, settings: Configuration) -> Evaluator:
    [one] = make(Making(bus, settings, ArtifactStore(settings.artifacts), wall_ms))
    return one


def turned(one: Evaluator, bus: Bus, settings: Configuration, count: int, model: str = "m") -> list[GoldenEvaluation]:
    """Turn until there are so many evaluations, and nothing more follows."""
    deadline = time.monotonic() + PATIENCE_S
    one.finish()
    while not one.done or len(evaluations(bus, settings, model)) < count:
        assert time.monotonic() < deadline, f"{len(evaluations(bus, settings, model))} of {count} evaluations"
        one.turn(0.02)
    return evaluations(bus, settings, model)


def evaluations(bus: Bus, settings: Configuration, model: str = "m") -> list[GoldenEvaluation]:
    return folded(bus, settings, model).evaluations(model)


def asked(bus: Bus, settings: Configuration, requests: Sequence[GoldenRequest], model: str = "m") -> list[GoldenEvaluation]:
    """Ask, and let one evaluator answer all."""
    ask(bus, settings, requests)
    one = evaluator(bus, settings)
    try:
        return turned(one, bus, settings, len({request.request for request in requests}), model)
    finally:
        one.close()


def written(bus: Bus, settings: Configuration) -> Counter[tuple[str, str]]:
    """Records on the topic: by request and kind, how many were written; with a tombstone, its kind has ``-`` in front."""
    found = Counter[tuple[str, str]]()
    topic = settings.topics.golden
    for number in range(bus.describe([topic])[topic].partitions):
        place = TopicPartition(topic, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for key, value in zip(batch.keys(), batch.values, strict=True):
                _, request, kind, *_ = (key or b"").decode().split("/")
                found[request, kind if value is not None else f"-{kind}"] += 1
    return found
