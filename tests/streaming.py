"""A small streaming world for tests: references, prediction messages, and a pipeline run on any bus."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output, TopicPartition
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.detectors.counting.bins import profile_of
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField, Reference, Role

#: A whole number of buckets after the epoch.
BEGINNING = 1_700_000_000_000


def configuration(**changes: Any) -> Configuration:  # the keys of a configuration, of any type
    """One stream ``scored`` of 4 partitions, buckets of 10 s by record time, one false alarm per hour."""
    stream = {"topics": ["scored"], "pane": "10s", "clock": "record", **changes.pop("stream", {})}
    model = {"false_alarms": "1 per 1h", **changes.pop("model", {})}
    models = changes.pop("models", dict.fromkeys(("m0", "m1", "m2"), model))
    topics = {"prefix": "driftbus", **changes.pop("topics", {})}
    return Configuration.model_validate(
        {
            **{"application": "test", "bus": "embedded", "embedded": ":memory:", "topics": topics},
            **{"streams": {"predictions": stream}, "models": models, **changes},
        }
    )


def reference(model: str, version: str = "1", *, rows: int = 10_000, mean: float = 0.0, seed: int = 0) -> Reference:
    """Two numeric features, a category, and a score; one row a second."""
    draw = np.random.default_rng(seed)
    present = AvailabilityProfile(counts=(rows, 0, 0, 0))

    def numeric(name: str, role: Role, values: np.ndarray[Any, np.dtype[np.float64]]) -> ProfiledField:
        return ProfiledField(name=name, role=role, type="numeric", values=profile_of(values), availability=present)

    colours = CategoricalProfile(categories=("red", "green"), counts=(rows // 2, rows - rows // 2, 0), tau=(1.0, 1.0, 1.0))
    fields = (
        numeric("amount", "feature", draw.normal(mean, 1, rows)),
        numeric("age", "feature", draw.integers(18, 60, rows).astype(np.float64)),
        ProfiledField(name="colour", type="categorical", values=colours, availability=present),
        numeric("score", "score", draw.uniform(0, 1, rows)),
    )
    return Reference(model=model, version=version, rows=rows, first=0, last=rows * 1000, ordered=True, fields=fields)


def message(draw: np.random.Generator, model: str, *, shift: float = 0.0, version: str = "1") -> bytes:
    """One prediction in the canonical form."""
    features = {"amount": draw.normal(shift, 1), "age": int(draw.integers(18, 60)), "colour": ("red", "green")[int(draw.integers(2))]}
    return msgspec.json.encode({"model": model, "version": version, "features": features, "score": draw.random()})


class Sent(NamedTuple):
    """A record to be sent: partition, time in ms since `BEGINNING`, value."""

    partition: int
    time: int
    value: bytes | None


def rows(
    seconds: int, models: Sequence[str], per_second: int = 4, *, seed: int = 0, shifted: tuple[str, int, int] | None = None
) -> list[Sent]:
    """Steady traffic over 4 partitions; ``shifted``: a model whose amount is 2 sd up from one second to another."""
    draw, sent = np.random.default_rng(seed), list[Sent]()
    for second in range(seconds):
        for model in models:
            shift = 2.0 if shifted and shifted[0] == model and shifted[1] <= second < shifted[2] else 0.0
            for i in range(per_second):
                sent.append(Sent(int(draw.integers(4)), second * 1000 + i * 1000 // per_second, message(draw, model, shift=shift)))
    return sent


def prepare(bus: Bus, chosen: Configuration, references: Iterable[Reference], partitions: int = 4) -> None:
    """Topics, artifacts, and announcements that hold from the start."""
    for stream in chosen.streams.values():
        for topic in stream.topics:
            bus.create(topic, partitions, settings={"retention.ms": "-1"})
    create_topics(bus, chosen)
    store = ArtifactStore(chosen.artifacts)
    for one in references:
        name = store.put(one.encoded())
        announce(bus, chosen, Announcement(model=one.model, version=one.version, reference=name, since=FROM_START))


def send(bus: Bus, sent: Iterable[Sent], topic: str = "scored") -> None:
    """Publish records with their times."""
    bus.publish([Output(topic, one.partition, None, one.value, (), BEGINNING + one.time) for one in sent])


def trim(bus: EmbeddedBus, place: TopicPartition, first: int) -> None:
    """What retention does: delete what stands in front of an offset. The embedded bus keeps everything, so this is done behind its back."""
    with bus._log.changed:
        bus._log._database.execute(f"DELETE FROM {bus._log._topic(place.topic).table(place.partition)} WHERE offset < {first}")


def more_partitions(bus: EmbeddedBus, topic: str, partitions: int) -> None:
    """What an operator does to a topic of Kafka: nothing in the product does it, so it is done behind the embedded bus's back."""
    with bus._log.changed:
        bus._log._grow(bus._log._topic(topic), partitions)


class Event(NamedTuple):
    """A published event as a subscriber gets it."""

    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def content(self) -> dict[str, Any]:  # JSON of any shape
        """The decoded value."""
        return msgspec.json.decode(self.value, type=dict[str, Any])


def everything(bus: Bus, topic: str) -> dict[int, list[Event]]:
    """All committed records of a topic, by partition."""
    found: dict[int, list[Event]] = {}
    for number in range(bus.describe([topic])[topic].partitions):
        place = TopicPartition(topic, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            found.setdefault(number, []).extend(
                Event(key, value or b"", tuple(heads))
                for key, value, heads in zip(batch.keys(), batch.values, batch.headers(), strict=True)
            )
    return found


def by_model(events: dict[int, list[Event]]) -> dict[str, list[Event]]:
    """Events in order, per model."""
    found: dict[str, list[Event]] = {}
    for partition in events.values():
        for event in partition:
            found.setdefault((event.key or b"").decode(), []).append(event)
    return found
