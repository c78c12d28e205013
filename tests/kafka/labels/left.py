"""What a run left, compared with what one undisturbed process leaves of the same input, and with a replay of its recording."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, TopicDescription
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.console.reviewed import all_reviewed
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.golden_records import read
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenRequest
from driftbus.schemas.messages.learned import LearnedLosses
from driftbus.schemas.messages.pane import ARRIVALS, REVISIONS, Pane

from ...streaming import by_model, everything
from .answers import apart, compared, drawn, is_estimate
from .world import APPLICATION, END, IDLE, LABELS, MODELS, PREDICTIONS

#: All of the crew but who acts on the world.
ROLES = ("profiler", "joiner", "detector", "clerk", "diagnoser", "reviewer", "learner")
#: A model, and whether of its outcomes: each lane's events have an order, between lanes there is none.
Lane = tuple[str, bool]


class Left(NamedTuple):
    """What was published of outcomes."""

    panes: list[bytes]
    performance: dict[int, list[bytes]]
    events: dict[Lane, list[bytes]]
    causes: dict[str, list[bytes]]
    cases: list[bytes]
    compared: list[bytes]
    learned: list[bytes]


def evaluated(bus: Bus, configuration: Configuration) -> list[str]:
    """The requests of all evaluations."""
    found = [event for events in everything(bus, configuration.topics.golden).values() for event in events]
    read_ = [read(APPLICATION, event.key, event.value, event.headers) for event in found if event.value]
    return [one.request for one in read_ if isinstance(one, GoldenEvaluation)]


def left(bus: Bus, configuration: Configuration) -> Left:
    """What was published."""
    summaries = [event for events in everything(bus, configuration.topics.summaries).values() for event in events]
    panes = [event.value for event in summaries if dict(event.headers)["ce_type"] == Pane.TYPE.encode()]
    panes = [value for value in panes if Pane.decoded(value).of in (ARRIVALS, REVISIONS)]
    told_: dict[Lane, list[bytes]] = {}
    for events in everything(bus, configuration.topics.drift).values():
        for event in events:
            told_.setdefault(((event.key or b"").decode(), event.content.get("kind") == "performance"), []).append(event.value)
    performance = everything(bus, configuration.topics.performance)
    records = {number: [one.value for one in events if not is_estimate(one)] for number, events in performance.items()}
    causes = by_model(everything(bus, configuration.topics.root_causes))
    of_models = {model: [one.value for one in causes.get(model, [])] for model in MODELS}
    of_rows = drawn(bus, configuration), compared(bus, configuration), learned(bus, configuration)
    return Left(sorted(panes), records, told_, of_models, *of_rows)


def learned(bus: Bus, configuration: Configuration) -> list[bytes]:
    """What the learner said, but the losses of an interval that is not over: one run's input ends, another's reviews may still come."""
    found = [event for events in everything(bus, configuration.topics.learned).values() for event in events]
    losses = f"io.driftbus.learned.{LearnedLosses.KIND}".encode()
    return [one.value for one in found if dict(one.headers)["ce_type"] != losses or LearnedLosses.decoded(one.value).end <= END]


def clean(bus: KafkaBus, configuration: Configuration, folder: Path) -> Left:
    """The same input through one process in memory, whose joins topic has the same id: outcome panes name it."""
    recording = folder / "input.jsonl"
    write_recording(bus, [PREDICTIONS, LABELS, IDLE, configuration.topics.models], recording)
    joins = bus.describe([configuration.topics.joins])[configuration.topics.joins]
    embedded = configuration.model_copy(update={"bus": "embedded", "embedded": ":memory:", "kafka": {}})
    with closing(EmbeddedBus(":memory:", embedded.application, "clean")) as memory:
        load_recording(memory, recording)
        memory.restore(joins, [])
        for topic in (embedded.topics.performance, embedded.topics.learned):
            memory.restore(TopicDescription(topic, joins.id, joins.partitions, {}), [])  # not compacted: all records are there
        create_topics(memory, embedded)
        with closing(Pipeline(memory, embedded, ROLES)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        return left(memory, embedded)


def replayed(folder: Path) -> list[list[Any]]:
    """Events, root causes and performance that `driftbus replay` tells of what `driftbus record` wrote."""
    told = {f"--{name}": f"{name}.jsonl" for name in ("events", "causes", "performance")}
    for words in (["record", "week.jsonl"], ["replay", "week.jsonl", *chain(*told.items())]):
        command = [sys.executable, "-c", "from driftbus.consumers.command.main import main; main()", *words, "--config", "driftbus.yaml"]
        paths = os.pathsep.join([str(Path.cwd() / ".package"), *filter(None, [os.environ.get("PYTHONPATH")])])
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": paths})
    return [[msgspec.json.decode(line) for line in (folder / name).read_text().splitlines()] for name in told.values()]


def _settled(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what labels say of cases: of an answer that comes when its prediction waits no more they say nothing."""
    return {name: value for name, value in record.items() if "labelled" not in name or "asked" not in record}


def _decoded(value: bytes) -> dict[str, Any]:
    return msgspec.json.decode(value, type=dict[str, Any])


def _unlike(what: str, published: list[dict[str, Any]], replayed_: list[dict[str, Any]]) -> Iterator[str]:
    """How a replay differs. It has no live clock, and says so in the hash of its configuration."""
    ours, theirs = (sorted(msgspec.json.encode(one | {"configuration": ""}) for one in some) for some in (published, replayed_))
    if ours == theirs:
        return
    pairs = [(_decoded(one), _decoded(other)) for one, other in zip(ours, theirs, strict=False) if one != other]
    unlike = sorted({key for one, other in pairs for key in one.keys() | other.keys() if one.get(key) != other.get(key)})
    yield f"{what} of the replay: {len(ours)} for {len(theirs)}, unlike in {', '.join(unlike)}: {pairs[:1]}"


def differences(bus: KafkaBus, configuration: Configuration, folder: Path, requests: list[GoldenRequest]) -> Iterator[str]:
    """In words; none where all is equal."""
    found, expected = left(bus, configuration), clean(bus, configuration, folder)
    if found.panes != expected.panes:
        yield f"outcome panes: {len(found.panes)} for {len(expected.panes)}, {len({*found.panes} ^ {*expected.panes})} others"
    if found.performance != expected.performance:
        counts = [sum(map(len, one.performance.values())) for one in (found, expected)]
        yield f"performance records: {counts[0]} for {counts[1]}"
    parts = {"cases": "cases", "compared": "compared rows", "learned": "records of the learner"}
    for what, ours, theirs in ((what, getattr(found, name), getattr(expected, name)) for name, what in parts.items()):
        if ours != theirs:
            yield f"{what}: {len(ours)} for {len(theirs)}, {len({*ours} ^ {*theirs})} others"
    yield from apart(bus, configuration)
    for key in sorted(found.events.keys() | expected.events.keys()):
        if found.events.get(key) != expected.events.get(key):
            counts = [len(some.get(key, [])) for some in (found.events, expected.events)]
            yield f"events of {key[0]}, {'outcomes' if key[1] else 'all else'}: {counts[0]} for {counts[1]}"
    for model in MODELS:
        ours, theirs = found.causes[model], expected.causes[model]
        if ours != theirs:
            yield f"root causes of {model}: {len(ours)} for {len(theirs)}"
    events, causes, performance = replayed(folder)
    decoded = [_decoded(one) for (model, _), some in found.events.items() if model in MODELS for one in some]
    told_causes = [_decoded(one) for some in found.causes.values() for one in some]
    yield from _unlike("events", decoded, events)
    yield from _unlike("root causes", told_causes, causes)
    told = (msgspec.json.decode(one.model_dump_json()) for one in (*performance_of(bus, configuration), *all_reviewed(bus, configuration)))
    if list(map(_settled, told)) != list(map(_settled, performance)):
        yield f"performance of the replay: {len(performance)} records"
    answered = sorted(evaluated(bus, configuration))
    if answered != sorted(one.request for one in requests):
        yield f"golden evaluations: {len(answered)} of {len(requests)} requests"
    kinds = [one.get("kind") for one in decoded]
    named = sorted({f"{one['cause']} ({one['status']})" for one in told_causes})
    if "feature_unavailability (confirmed)" not in named:
        yield "root causes: the feature that was lost is not confirmed"
    print(
        f"{len(found.panes):,} outcome panes, {sum(map(len, found.performance.values())):,} performance records, "
        f"{len(kinds)} events of models ({kinds.count('performance')} of performance), {len(answered)} golden evaluations, "
        f"{len(found.learned)} records of the learner, {len(told_causes)} root causes: {', '.join(named)}",
        flush=True,
    )
