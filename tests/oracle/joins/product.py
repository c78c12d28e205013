"""A world on an embedded bus: its topics as the product finds them, and what it publishes."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np
import xxhash

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicDescription
from driftbus.consumers.bus.log import Recorded
from driftbus.consumers.pipeline.own_topics import own_topics
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.streams.records import END_HEADER
from driftbus.detectors.outcomes.layout import Layout, layout
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.block import Block
from driftbus.schemas.messages.pane import ARRIVALS, Pane
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ...streaming import Event, everything, reference
from ..streams import Record
from .rules import Halves
from .worlds import OTHERS, PREDICTIONS, RULES, VERSIONS, Content, Known, Predicted, World

APPLICATION = "oracle"
ROLES = "profiler", "joiner"
#: Where predictions, and labels, lie.
TOPICS = {PREDICTIONS: "scored", "known": "known", "others": "others"}


def settings(world: World, artifacts: str, *, live: bool = False) -> Configuration:
    """The application of a world. A snapshot is due at every commit."""
    stream = {
        "topics": [TOPICS[PREDICTIONS]],
        "clock": "live" if live else "record",
        "pane": f"{RULES.buckets.end(0)}ms",
        "grace": RULES.grace,
        "max_jump": RULES.max_jump,
        "max_rows": RULES.max_rows,
        "linger": RULES.linger,
        "max_ahead": RULES.max_ahead,
    }
    labels = {
        join.name: {
            "topics": [TOPICS[join.name]],
            "mapping": {"model": "model", "revision": "rev"},
            "wait": join.wait,
            "early": join.early,
            "about": join.about,
            "sample": join.rate,
            **({} if join.maturity is None else {"order": "matured", "maturity": join.maturity}),
        }
        for join in world.joins
    }
    waiting = {model: {"labels": join.name} for join in world.joins for model in join.models}
    return Configuration.model_validate(
        {
            **{"application": APPLICATION, "bus": "embedded", "embedded": ":memory:", "artifacts": artifacts, "snapshot_every": "1ms"},
            **{"topics": {"partitions": world.partitions}, "streams": {PREDICTIONS: stream}, "labels": labels},
            "models": waiting | {OTHERS[0]: {}},
        }
    )


@cache
def halves(id: str) -> Halves:
    digest = xxhash.xxh3_128_intdigest(id.encode())
    return Halves(digest >> 64, digest & (1 << 64) - 1)


@cache
def references(artifacts: str) -> Mapping[tuple[str, str], tuple[str, str]]:
    """By version, the names of the one that holds at first and of another."""
    store = ArtifactStore(artifacts)
    versions = [(model, version) for model, all_ in VERSIONS.items() for version in all_] + [(OTHERS[0], "1")]

    def name(model: str, version: str, seed: int) -> str:
        return store.put(reference(model, version, rows=100, seed=seed).encoded())

    return {one: (name(*one, 0), name(*one, 1)) for one in versions}


class Log:
    """A world's topics on a bus. What is ours has ids that are always the same, so that what is written can be compared byte by byte."""

    def __init__(self, world: World, artifacts: str, *, live: bool = False) -> None:
        self.world, self.settings = world, settings(world, artifacts, live=live)
        self.bus = EmbeddedBus(":memory:", APPLICATION, "log")
        for stream, partitions in world.sources.items():
            self.bus.restore(TopicDescription(TOPICS[stream], f"id-{stream}", partitions), [])
        for own in own_topics(self.settings):
            self.bus.restore(TopicDescription(own.name, f"id-{own.name}", own.partitions, dict(own.settings)), [])
        for (model, version), names in references(artifacts).items():
            for name, since in zip(names, (FROM_START, world.changed), strict=True):
                announce(self.bus, self.settings, Announcement(model=model, version=version, reference=name, since=since))
        self._draw = random.Random(0)
        self._written = Counter[str]()

    def write(self, part: Mapping[str, Sequence[Record]]) -> None:
        """What of these is not yet there."""
        for source, log in part.items():
            stream, number = source.split("/")
            new = log[self._written[source] :]
            self._written[source] += len(new)
            topic = self.bus.describe([TOPICS[stream]])[TOPICS[stream]]
            self.bus.restore(topic, [self._recorded(source, int(number), record) for record in new])

    def _recorded(self, source: str, number: int, record: Record) -> Recorded:
        if record.kind == "end":
            return Recorded(number, record.offset, record.timestamp, None, None, ((END_HEADER, APPLICATION.encode()),))
        value = written(self.world.contents[source, record.offset], self._draw, source.startswith(PREDICTIONS))
        return Recorded(number, record.offset, record.timestamp, None, value)

    def close(self) -> None:
        self.bus.close()


def written(content: Content, draw: random.Random, of_predictions: bool) -> bytes | None:
    """A message; of no content one that cannot be read, or that waits for nothing."""
    if isinstance(content, Predicted):
        return msgspec.json.encode({**content._asdict(), "features": {"amount": 1.0, "age": 30, "colour": "red"}})
    if isinstance(content, Known):
        named = {"model": content.model} if content.model else {}
        return msgspec.json.encode({"id": content.id, "label": content.value, "rev": content.revision, **named})
    message = {"id": "i1", "model": "m", "version": "1", "features": {"amount": 1.0}, "score": 0.9}
    if of_predictions:
        others = (message | {"model": draw.choice(OTHERS)}, message | {"id": None}, message | {"score": None}, message | {"version": "9"})
        return draw.choice((b"{", b"", None, *map(msgspec.json.encode, others)))
    return draw.choice((b"{", b"", None, b'{"id": "i1"}', b'{"label": true}', b'{"id": "i1", "label": "perhaps"}', b"[]"))


class Published(NamedTuple):
    """What lies on the bus in the end."""

    facts: dict[int, list[tuple[int, Block | Progress]]]  #: of the joins topic, by partition, with offsets
    events: dict[
        tuple[str, int, int], list[Event]
    ]  #: outcome panes as they were written, by join, its partition, and that of the summaries
    panes: dict[int, list[Pane | Progress]]  #: and what the joiner said, by partition of the summaries


def published(log: Log) -> Published:
    topics = log.settings.topics
    facts: dict[int, list[tuple[int, Block | Progress]]] = {}
    for number, events in everything(log.bus, topics.joins).items():
        facts[number] = [(offset, _fact(event)) for offset, event in enumerate(events)]
    found: dict[tuple[str, int, int], list[Event]] = {}
    said: dict[int, list[Pane | Progress]] = {}
    for number, events in everything(log.bus, topics.summaries).items():
        for event in events:
            kind = dict(event.headers)["ce_type"]
            if kind == Pane.TYPE.encode():
                pane = Pane.decoded(event.value)
                if pane.topic == topics.joins:
                    said.setdefault(number, []).append(pane)
                    found.setdefault((pane.stream, pane.partition, number), []).append(event)
            elif kind == Progress.TYPE.encode() and (progress := Progress.decoded(event.value)).source.topic == topics.joins:
                said.setdefault(number, []).append(progress)
    return Published(facts, found, said)


def _fact(event: Event) -> Block | Progress:
    kind = dict(event.headers)["ce_type"]
    return Block.decoded(event.value) if kind == Block.TYPE.encode() else Progress.decoded(event.value)


@cache
def _layout() -> Layout:
    return layout(OutcomeBasis(task="binary"))


def named(pane: Pane) -> dict[str, int]:
    """What a pane counts, by the names of the rules; what is zero is left out."""
    if pane.reference is None:
        return {"unmatched": int(pane.counts[0])}
    plan, counts = _layout(), pane.counts
    found = {"n": plan.number(counts, "labelled"), "errors": plan.number(counts, "errors")}
    found["due"] = plan.number(counts, "due")
    for (wrong, place), by in np.ndenumerate(plan.take(counts, "delays")):
        found[f"delay {wrong} {place}"] = int(by)
    if pane.of == ARRIVALS:
        return {name: by for name, by in found.items() if by}
    found |= {name: plan.number(counts, name) for name in ("predicted", "duplicates", "expired", "scored", "squares")}
    for name, kind in (("rows", ""), ("labelled", " labelled"), ("right", " right"), ("expired", " expired"), ("scores", " scores")):
        found |= {f"cell {cell}{kind}": by for cell, by in enumerate(plan.take(counts, f"cell {name}").tolist())}
    for (true, predicted), by in np.ndenumerate(plan.take(counts, "confusion")):
        found[f"true {true} predicted {predicted}"] = int(by)
    for (place, true), by in np.ndenumerate(plan.take(counts, "score bins")):
        found[f"ranked {place} {true}"] = int(by)
    return {name: by for name, by in found.items() if by}
