"""What once broke a promise: rows lost, events twice, a process that can never go on."""

import time
from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactError, ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.pane import Pane

from ..streaming import BEGINNING, Sent, configuration, everything, message, prepare, reference, rows, send

ONE = {"partitions": 1}


def world(settings: Configuration) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")])
    return bus


def finish(bus: EmbeddedBus, settings: Configuration, *roles: str) -> Pipeline:
    """Run to the end of the input, and die there: nothing is closed."""
    pipeline = Pipeline(bus, settings, roles or ("profiler", "detector"))
    for _ in pipeline.run_until_end():
        pass
    return pipeline


def later(sent: list[Sent], seconds: int) -> list[Sent]:
    return [row._replace(time=row.time + seconds * 1000) for row in sent]


def counted(bus: EmbeddedBus) -> int:
    records = [event for events in everything(bus, "driftbus.summaries").values() for event in events]
    return sum(Pane.decoded(r.value).rows for r in records if dict(r.headers)["ce_type"] == b"io.driftbus.pane")


def told(bus: EmbeddedBus) -> list[tuple[str, str | None]]:
    """Status and reason of all events; none is there twice."""
    events = [event for partition in everything(bus, "driftbus.drift").values() for event in partition]
    ids = [dict(event.headers)["ce_id"] for event in events]
    assert len(ids) == len(set(ids))
    return [(event.content["status"], event.content["reason"]) for event in events]


def test_what_comes_behind_the_end_of_a_live_stream_is_left_to_the_next_run(tmp_path: Path) -> None:
    settings = configuration(artifacts=str(tmp_path), stream={"clock": "live", "linger": "1ms"})
    bus, traffic = world(settings), rows(60, ("m0",))
    send(bus, traffic)
    first = finish(bus, settings, "profiler")
    send(bus, later(traffic, 60))
    enough = time.monotonic() + 0.02
    while time.monotonic() < enough or first.turn():  # longer than linger: the clock could judge
        first.turn()
    first.close()
    finish(bus, settings, "profiler")
    assert counted(bus) == 2 * len(traffic)


def test_of_records_that_could_not_be_folded_nothing_is_published(tmp_path: Path) -> None:
    settings = configuration(artifacts=str(tmp_path), topics=ONE)
    bus, unreadable = world(settings), reference("unreadable", seed=1)
    name = ArtifactStore(settings.artifacts).put(unreadable.encoded())
    announce(bus, settings, Announcement(model="unreadable", version="1", reference=name, since=FROM_START))
    send(bus, rows(500, ("m0",), shifted=("m0", 200, 500)))
    finish(bus, settings, "profiler")
    send(bus, later(rows(60, ("m0", "unreadable")), 500))
    finish(bus, settings, "profiler")
    [stored] = [file for file in tmp_path.rglob("*") if file.is_file() and file.read_bytes() == unreadable.encoded()]
    stored.rename(tmp_path / "away")
    failing = Pipeline(bus, settings, ("detector",))
    with pytest.raises(ArtifactError):
        for _ in failing.run_until_end():
            pass
    failing.close()
    assert told(bus) == []
    (tmp_path / "away").rename(stored)
    finish(bus, settings, "detector")
    assert told(bus)[0] == ("opened", None)


@pytest.mark.parametrize("closed", [True, False])
def test_a_topic_that_a_stream_no_longer_has_is_not_waited_for(tmp_path: Path, closed: bool) -> None:
    settings = configuration(artifacts=str(tmp_path), stream={"topics": ["scored", "former"]})
    bus = world(settings)
    send(bus, rows(300, ("m0",)))
    send(bus, rows(300, ("m0",), seed=1), "former")
    first = finish(bus, settings)
    if closed:
        first.close()  # with a snapshot that knows it
    send(bus, later(rows(500, ("m0",), shifted=("m0", 200, 500)), 300))
    finish(bus, configuration(artifacts=str(tmp_path)))
    assert told(bus)[0] == ("opened", None)


@pytest.mark.parametrize("all_partitions", [True, False])
@pytest.mark.parametrize("place", [0, 100, 240])
@pytest.mark.parametrize("odd", [0, -1, -BEGINNING, -(10**17), 2 * 10**15, 10**17, 2**62, 2**63 - 1, -(2**63)])
def test_no_time_stops_a_profiler(tmp_path: Path, odd: int, place: int, all_partitions: bool) -> None:
    settings = configuration(artifacts=str(tmp_path))
    bus, traffic, good = world(settings), rows(60, ("m0",)), message(np.random.default_rng(0), "m0")
    send(bus, traffic[:place])
    bus.publish([Output("scored", n, None, good, (), odd) for n in range(4 if all_partitions else 1) for _ in range(5)])
    send(bus, traffic[place:])
    finish(bus, settings, "profiler")
    dead = sum(map(len, everything(bus, settings.topics.dead_letter).values()))
    assert counted(bus) + dead == len(traffic) + (20 if all_partitions else 5)
    assert dead == 0 or abs(odd) > 10**14
