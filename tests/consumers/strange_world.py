"""Traffic with a drift that opens and resolves, and strangers' records in the midst of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration

from ..streaming import Event, configuration, everything, prepare, reference, rows, send

TRAFFIC = [row._replace(partition=row.partition % 2) for row in rows(900, ("m0",), 4, seed=1, shifted=("m0", 300, 500))]
SPLIT = len(TRAFFIC) // 2


def settings(folder: Path, **changes: Any) -> Configuration:  # the keys of a configuration
    return configuration(artifacts=str(folder / "artifacts"), topics={"partitions": 2}, snapshot_every="1ms", **changes)


def world(chosen: Configuration) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [reference("m0")], partitions=2)
    return bus


def run(bus: EmbeddedBus, chosen: Configuration, *roles: str, turns: int | None = None) -> Pipeline:
    """To the end, or so many turns and then dead: nothing is closed."""
    pipeline = Pipeline(bus, chosen, roles or ("profiler", "detector"))
    for turn, _ in enumerate(pipeline.run_until_end()):
        if turn == turns:
            return pipeline
    pipeline.close()
    return pipeline


def events(bus: EmbeddedBus, kind: bytes = b"io.driftbus.drift.") -> list[Event]:
    found = [event for partition in everything(bus, "driftbus.drift").values() for event in partition]
    return [event for event in found if dict(event.headers)["ce_type"].startswith(kind)]


def letters(bus: EmbeddedBus) -> list[dict[str, str]]:
    found = [event for partition in everything(bus, "driftbus.dead-letter").values() for event in partition]
    return [{name: value.decode() for name, value in event.headers} for event in found]


def play(folder: Path, strangers: Sequence[Output], *, deaths: bool = False) -> EmbeddedBus:
    """The traffic, with these records on the summaries in the midst of it."""
    chosen = settings(folder)
    bus = world(chosen)
    send(bus, TRAFFIC[:SPLIT])
    run(bus, chosen, "profiler")
    bus.publish(strangers)
    if deaths:
        for turns in (0, 1, 2):
            run(bus, chosen, "detector", turns=turns)
    run(bus, chosen, "detector")
    send(bus, TRAFFIC[SPLIT:])
    run(bus, chosen)
    return bus


def undisturbed(folder: Path) -> list[Event]:
    """What is published where there are no strangers."""
    found = events(play(folder, ()))
    assert [event.content["status"] for event in found] == ["opened", "resolved"]
    return found
