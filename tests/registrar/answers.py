"""Versions whose jobs left no answers to rows held out, and the rows that these answer: on either bus."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.identity import derived_id
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.stored.reference import Reference

from .worlds import Version, monitored

#: Its reference holds since then: an hour ago, on the boundary of a bucket.
AGO_MS = 3_600_000
STEP_MS = 100
STREAM: dict[str, Any] = {"topics": ["scored"], "pane": "10s"}


def watched_since(bus: Bus, settings: Configuration, version: Version, since: int) -> None:
    """As the job said it, and as a registrar announced it when it went into the shadow."""
    made = {"kind": "registered", "job": derived_id("job", version.model, version.version), "reference": version.reference}
    tell(bus, settings, ModelEvent.of({"model": version.model, "version": version.version, "parent": "1", "time": since, **made}))
    announce(bus, settings, Announcement(model=version.model, version=version.version, reference=version.reference, since=since, rows=600))


def an_hour_ago() -> int:
    """A bucket's boundary."""
    return (wall_ms() - AGO_MS) // 10_000 * 10_000


def answer(bus: Bus, settings: Configuration, version: Version, since: int, rows: Sequence[int], late: int = 0) -> None:
    """Rows by their numbers, each a tenth of a second behind the one before, over both partitions; ``late``: ms by which they are early."""
    draw = np.random.default_rng(rows[0])

    def one(number: int) -> Output:
        outputs = {"prediction": int(draw.random() < 0.3), "score": float(draw.random())}
        said = {"model": version.model, "version": version.version, "features": {"amount": float(draw.normal(2, 1))}, **outputs}
        return Output(settings.inputs[0], number % 2, None, msgspec.json.encode(said), (), since + number * STEP_MS - late)

    bus.publish([one(number) for number in rows])


def counted(bus: Bus, settings: Configuration) -> None:
    """A profiler counts what is there."""
    with closing(Pipeline(bus, settings, ("profiler",))) as pipeline:
        for _ in pipeline.run_until_end():
            pass


def artifacts(settings: Configuration) -> set[Path]:
    """What is in the store."""
    return set(Path(settings.artifacts).rglob("*.json"))


def last_reference(bus: Bus, settings: Configuration, version: Version) -> tuple[str, Reference]:
    """What holds in the end."""
    name = monitored(bus, settings, version.model, version.version)[-1]
    assert name is not None
    return name, ArtifactStore(settings.artifacts).reference(name)
