"""The runs that are compared: two at a time, each begun when a worker of the pool is free, each waited for by the test that needs it.

Those in which somebody dies are fed at a pace, so that it dies at work; the calm one as fast as it reads.
"""

import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.recording import write_recording
from driftbus.schemas.configuration import Configuration

from ...needs import tools_for_brokers
from . import live, world
from .crashing import POINTS
from .run import Base, Run, play
from .supervisor import Worker

#: Each point is hit so often in each role.
EACH_POINT = 2
#: Roles that die so.
SWITCHED = 3
#: Of the random kills.
KILLS, LIVE_KILLS = 30, 10
RECORDING = "recording.jsonl"


class Runs(NamedTuple):
    """All of them, and what they were given."""

    world: world.World
    traffic: live.Traffic
    live: Future[Run]
    one: Future[Run]
    switched: Future[Run]
    killed: Future[Run]


@pytest.fixture(scope="package")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Every run of this package, started."""
    tools_for_brokers()
    folder = tmp_path_factory.mktemp("determinism")
    (folder / "record").mkdir()
    (folder / "live").mkdir()
    artifacts = str(folder / "artifacts")
    with ThreadPoolExecutor(2) as pool:
        preparing = (
            pool.submit(Base.prepared, folder / "record", lambda address: world.settings(address, artifacts), world.references),
            pool.submit(Base.prepared, folder / "live", lambda address: live.settings(address, artifacts), live.references),
        )
        hour, traffic = world.traffic(), live.Traffic()
        base, live_base = (prepared.result() for prepared in preparing)

        def run(name: str, *workers: Worker, pace_s: float = 1.0, kills: int = 0, record: bool = False) -> Future[Run]:
            afterwards = partial(_record, folder / name / RECORDING) if record else _nothing
            return pool.submit(
                play,
                base,
                folder / name,
                iter(hour.chunks),
                lambda: world.FINAL,
                list(workers),
                pace_s=pace_s,
                kills=kills,
                kill_every_s=world.CHUNKS / max(kills, 1),
                afterwards=afterwards,
            )

        yield Runs(
            hour,
            traffic,
            pool.submit(
                play,
                live_base,
                folder / "live-killed",
                traffic.chunks(),
                traffic.final,
                _four(),
                pace_s=live.PACE_S,
                kills=LIVE_KILLS,
                kill_every_s=live.TICKS * live.PACE_S / LIVE_KILLS,
            ),
            run("one", Worker("a"), pace_s=0, record=True),
            run("switched", *_switched()),
            run("killed", *_four(), *_causes(), Worker("reviewer-a", ("reviewer",)), kills=KILLS),
        )
        pool.shutdown(cancel_futures=True)


def _four() -> list[Worker]:
    return [Worker(f"{role}-{name}", (role,)) for role in ("profiler", "detector") for name in "ab"]


def _causes() -> list[Worker]:
    """Those who look for causes, and the clerk, whom they await."""
    return [Worker("clerk-a", ("clerk",)), *(Worker(f"diagnoser-{name}", ("diagnoser",)) for name in "ab")]


def _switched() -> list[Worker]:
    """A profiler that dies at every point, and two detectors and a reviewer, at the first or second hit: they commit seldom."""
    draw = random.Random(8)
    profiler, detector, reviewer = [draw.sample(POINTS * EACH_POINT, len(POINTS) * EACH_POINT) for _ in range(SWITCHED)]
    return [
        Worker("profiler", ("profiler",), [(point, draw.randint(1, 3)) for point in profiler]),
        Worker("detector-a", ("detector",), [(point, 1 + (i % 4 == 3)) for i, point in enumerate(detector[::2])]),
        Worker("detector-b", ("detector",), [(point, 1 + (i % 4 == 3)) for i, point in enumerate(detector[1::2])]),
        Worker("reviewer", ("reviewer",), [(point, 1 + (i % 4 == 3)) for i, point in enumerate(reviewer)]),
    ]


def _nothing(bus: KafkaBus, configuration: Configuration) -> None:
    """Do so."""


def _record(file: Path, bus: KafkaBus, configuration: Configuration) -> None:
    """Keep the input and the announcements for a replay."""
    write_recording(bus, [world.TOPIC, configuration.topics.models], file)
