"""A model's second version over the bus: registered, beside the first, promoted, and rolled back when the world turns; on either bus.

Days of ten minutes, each marked at its end. What the decider asks for is done here, as whoever moves versions does it.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.model_events import tell
from driftbus.consumers.streams.records import marks
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.promotion import Promotion

from ..streaming import BEGINNING, everything, prepare, reference

ROLES = "profiler", "joiner", "intake", "decider"
DAY = 600_000
#: Predictions and labels each, of a day.
ROWS = 60
#: Days until the world turns, and in all.
TURNS, DAYS = 24, 34
#: Of one process.
TOGETHER = 17
#: Turns of a process in which nothing is done, in a row: then all of a day has been.
IDLE = 3


def settings(name: str, artifacts: str, **changes: Any) -> Configuration:
    """Version 2 is to be better on 21 days of ten minutes."""
    return Configuration.model_validate(
        {
            "application": name,
            "bus": "embedded",
            "embedded": "bus.sqlite",
            "artifacts": artifacts,
            "topics": {"partitions": 2},
            "streams": {"predictions": {"topics": [f"{name}.scored"], "pane": "1m", "clock": "record"}},
            "labels": {"known": {"topics": [f"{name}.known"], "wait": "5m", "about": "10m"}},
            "models": {"m0": {"labels": "known", "diagnosis": "off", "promotion": {"shadow": "210m"}}},
            **changes,
        }
    )


def day(chosen: Configuration, number: int) -> Iterator[Output]:
    """The first version knows nothing; the second is right, until the world turns: then it is wrong as often."""
    draw = np.random.default_rng(number)
    scored, known = (f"{chosen.application}.{topic}" for topic in ("scored", "known"))
    for row in range(ROWS):
        at, label, id_ = BEGINNING + number * DAY + row * DAY // (2 * ROWS), bool(draw.random() < 0.5), f"{number}-{row}"
        right = 0.8 if label == (number < TURNS) else 0.2
        for version, score in (("1", 0.5), ("2", right)):
            features = {"amount": float(draw.normal()), "age": 30, "colour": "red"}
            value = {"model": "m0", "version": version, "id": id_, "features": features, "score": score + float(draw.normal()) * 0.02}
            yield Output(scored, row % 2, None, msgspec.json.encode(value), (), at)
        yield Output(known, row % 2, None, msgspec.json.encode({"id": id_, "label": label}), (), at + 60_000)
    for topic in (scored, known):
        yield from marks(chosen.application, topic, 2, BEGINNING + (number + 1) * DAY)


def steps(bus: Bus, chosen: Configuration) -> list[Promotion]:
    """What was asked for, in its order."""
    found = [
        ledger.read_promotion(chosen.application, event.key, event.value, event.headers)
        for events in everything(bus, chosen.topics.retrain).values()
        for event in events
    ]
    return [one for one in found if one is not None]


def play(bus: Bus, chosen: Configuration, wait_s: float = 0.0) -> list[Promotion]:
    """Day by day, a process for some of them each; returns what was asked for. ``wait_s``: in a turn, for what is on its way."""
    prepare(bus, chosen, [reference("m0", version) for version in ("1", "2")], partitions=2)
    bus.create(f"{chosen.application}.known", 2, settings={"retention.ms": "-1"})
    tell(bus, chosen, ModelEvent(model="m0", version="1", kind="promoted", job="first"))
    tell(bus, chosen, ModelEvent(model="m0", version="2", kind="registered", job="second", parent="1"))
    done = 0
    for first in range(0, DAYS, TOGETHER):
        with closing(Pipeline(bus, chosen, ROLES)) as pipeline:
            for number in range(first, first + TOGETHER):
                bus.publish(list(day(chosen, number)))
                _idle(pipeline, wait_s)
                found = steps(bus, chosen)
                for one in found[done:]:
                    _do(bus, chosen, one)
                done = len(found)
    return steps(bus, chosen)


def _idle(pipeline: Pipeline, wait_s: float) -> None:
    quiet = 0
    while quiet < IDLE:
        worked = [consumer.turn(wait_s) for consumer in pipeline.consumers]
        quiet = 0 if any(worked) else quiet + 1


def _do(bus: Bus, chosen: Configuration, one: Promotion) -> None:
    kind = {"promote": "promoted", "roll_back": "rolled_back"}.get(one.step)
    if kind is None or one.parent is None:
        return
    event = {"model": one.model, "version": one.version, "kind": kind, "job": one.job, "parent": one.parent}
    tell(bus, chosen, ModelEvent.of(event))
    if kind == "promoted":
        tell(bus, chosen, ModelEvent(model=one.model, version=one.parent, kind="retired", job=one.job))


def told(found: Sequence[Promotion]) -> list[tuple[str, str, str | None]]:
    """Of each step what it is of."""
    return [(one.step, one.version, one.parent) for one in found]
