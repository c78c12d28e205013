"""The joiner stands still for an hour of record time, or until the others are at the end, or runs nine times as fast: all lanes' events
are the same, to the byte, and so is what the learner says; however often that one comes back, too.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.topology import TOPOLOGY
from driftbus.consumers.process.consumer import Consumer, Making
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.streams.records import end_records

from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .test_blocks import LABELS, PREDICTIONS

#: Rows, one a second; from these on an input has moved, and answers are wrong more often.
ROWS, MOVED, WORSE = 5_700, 3_600, 5_200
SECOND = 1_000
END = BEGINNING + (ROWS + 1_800) * SECOND
#: The log comes in portions of four minutes of record time, and each role has its turns behind each.
PORTIONS = 24
LEARNER = {"backtest": 200, "every": "10m", "losses": "10m", "publish_every": 100}
#: An hour.
HOUR = range(5, 21)
#: Turns of the joiner behind a portion; before the last all others have read all there is.
SCHEDULES: dict[str, Callable[[int], int]] = {
    "stopped for an hour": lambda portion: int(portion not in HOUR),
    "stopped until the others are at the end": lambda portion: 0,
    "nine times as fast": lambda portion: 9,
}


class Published(NamedTuple):
    """Values, by partition."""

    events: dict[int, list[bytes]]
    performance: dict[int, list[bytes]]
    learned: dict[int, list[bytes]]


def log() -> list[Output]:
    draw, sent = np.random.default_rng(1), []
    for i in range(ROWS):
        time, score = BEGINNING + i * SECOND, float(draw.beta(0.5, 0.5))
        label = bool(draw.random() < score) != bool(i >= WORSE and draw.random() < 0.5)
        features = {"amount": float(draw.normal(2.0 * (i >= MOVED))), "age": 30, "colour": "red"}
        value = {"model": "m0", "version": "1", "id": f"p{i}", "features": features, "score": score}
        sent.append((time, Output(PREDICTIONS, i % 4, None, msgspec.json.encode(value), (), time)))
        known = time + int(draw.exponential(20 * SECOND))
        sent.append((known, Output(LABELS, i % 3, None, msgspec.json.encode({"id": f"p{i}", "label": label}), (), known)))
    return [output for _, output in sorted(sent, key=lambda one: one[0])]


def published(folder: Path, turns: Callable[[int], int], *, comes_back: bool = False) -> Published:
    """What is published where the joiner has so many turns behind each portion, and the other roles one.

    ``comes_back``: behind each portion another learner goes on, from what the last one committed.
    """
    chosen, sent = (
        configuration(
            labels={"outcomes": {"topics": [LABELS], "wait": "10m", "early": "1m", "about": "30m"}},
            models={"m0": {"labels": "outcomes", "examples": {"sample": 0.3}, "learner": LEARNER}},
            stream={"pane": "2m"},
            topics={"partitions": 2},
            artifacts=str(folder),
        ),
        log(),
    )
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [reference("m0")])
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        making = Making(bus, chosen, ArtifactStore(chosen.artifacts), lambda: END)
        profiler, joiner, detector, learner = (of_role(role, making) for role in ("profiler", "joiner", "detector", "learner"))
        for portion in range(PORTIONS):
            bus.publish(sent[len(sent) * portion // PORTIONS : len(sent) * (portion + 1) // PORTIONS])
            turn(profiler)
            for _ in range(turns(portion)):
                turn(joiner)
            turn(detector)
            turn(learner)
            if comes_back:
                close(learner)
                learner = of_role("learner", making)
        bus.publish([one for topic, count in ((PREDICTIONS, 4), (LABELS, 3)) for one in end_records("test", topic, count, END)])
        for consumers in (profiler, detector, joiner, detector, learner):
            while turn(consumers):
                pass
        topics = chosen.topics
        found = Published(*(values(bus, topic) for topic in (topics.drift, topics.performance, topics.learned)))
        close([*profiler, *joiner, *detector, *learner])
    return found


def of_role(role: str, making: Making) -> list[Consumer]:
    return [one for node in TOPOLOGY if node.role == role for one in node.make(making)]


def close(consumers: list[Consumer]) -> None:
    for consumer in consumers:
        consumer.close()


def turn(consumers: list[Consumer]) -> bool:
    worked = [consumer.turn(0) for consumer in consumers]
    return any(worked)


def values(bus: EmbeddedBus, topic: str) -> dict[int, list[bytes]]:
    return {number: [event.value for event in events] for number, events in everything(bus, topic).items()}


def lanes(found: Published) -> dict[bool, list[bytes]]:
    """Events by whether they are of outcomes, each lane in its order: between lanes there is none."""
    by: dict[bool, list[bytes]] = {True: [], False: []}
    for events in found.events.values():
        for event in events:
            by[msgspec.json.decode(event).get("kind") == "performance"].append(event)
    return by


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return published(tmp_path_factory.mktemp("steady"), lambda portion: 1)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_events_of_each_lane_are_the_same_whatever_the_joiners_speed(schedule: str, steady: Published, tmp_path: Path) -> None:
    found = published(tmp_path, SCHEDULES[schedule])
    assert lanes(found) == lanes(steady)
    assert found.performance == steady.performance
    assert found.learned == steady.learned
    assert all(lanes(steady).values())
    assert any(lanes(steady)[True])
    assert any(steady.learned.values())


def test_a_learner_that_comes_back_behind_every_portion_says_the_same(steady: Published, tmp_path: Path) -> None:
    assert published(tmp_path, lambda portion: 1, comes_back=True).learned == steady.learned
