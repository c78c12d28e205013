"""With a live clock: silence closes a bucket, what comes late is counted late, and a death in between changes neither."""

from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.profiler.profiler import Profiler
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.messages.progress import Progress

from ..streaming import BEGINNING, Sent, configuration, everything, message, prepare, reference, send


class Process:
    """A profiler with a wall clock of its own, in ms since `BEGINNING`."""

    def __init__(self, bus: EmbeddedBus, settings: Configuration, wall: int) -> None:
        self.wall = wall
        references = HeldReferences(bus, settings, ArtifactStore(settings.artifacts))
        self.profiler = Profiler(bus, settings, "predictions", JSONDecoder(settings.streams["predictions"].mapping), references, self._now)
        self.turn(wall)

    def _now(self) -> int:
        return BEGINNING + self.wall

    def turn(self, wall: int) -> None:
        self.wall = wall
        for _ in range(3):
            self.profiler.turn(0)


def panes(bus: EmbeddedBus) -> list[tuple[int, int, int]]:
    """(bucket end in ms since `BEGINNING`, rows, late) of what was published."""
    found = [
        Pane.decoded(event.value)
        for events in everything(bus, "driftbus.summaries").values()
        for event in events
        if dict(event.headers)["ce_type"] == b"io.driftbus.pane"
    ]
    return sorted((pane.bucket - BEGINNING, pane.rows, pane.late) for pane in found)


def progress(bus: EmbeddedBus, partition: int) -> list[Progress]:
    said = [
        Progress.decoded(event.value)
        for event in everything(bus, "driftbus.summaries")[0]
        if dict(event.headers)["ce_type"] == b"io.driftbus.progress"
    ]
    return [one for one in said if one.source.partition == partition]


@pytest.fixture
def settings(tmp_path: Path) -> Configuration:
    return configuration(artifacts=str(tmp_path), stream={"clock": "live"})


@pytest.fixture
def bus(settings: Configuration) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")])
    return bus


def row(time: int, partition: int = 0) -> Sent:
    return Sent(partition, time, message(np.random.default_rng(time), "m0"))


def test_silence_closes_the_bucket(bus: EmbeddedBus, settings: Configuration) -> None:
    send(bus, [row(1_000), row(2_000), row(3_000)])
    process = Process(bus, settings, 3_100)
    assert panes(bus) == []
    process.turn(12_900)  # silent for longer than linger, but the bucket's end, grace and linger are not over
    assert panes(bus) == []
    process.turn(13_100)
    assert panes(bus) == [(10_000, 3, 0)]
    assert progress(bus, 0)[-1].by_clock
    assert progress(bus, 0)[-1].through == BEGINNING + 10_000


def test_a_partition_that_never_had_a_record_goes_on_too(bus: EmbeddedBus, settings: Configuration) -> None:
    process = Process(bus, settings, 0)
    process.turn(25_000)
    assert progress(bus, 3)[-1].through == BEGINNING + 20_000


def test_what_comes_after_the_clock_closed_its_bucket_counts_as_late(bus: EmbeddedBus, settings: Configuration) -> None:
    send(bus, [row(1_000)])
    process = Process(bus, settings, 1_100)
    process.turn(13_100)
    send(bus, [row(2_000), row(14_000)])
    process.turn(14_100)
    process.turn(23_100)
    assert panes(bus) == [(10_000, 1, 0), (20_000, 2, 1)]


@pytest.mark.parametrize("dies", [False, True])
def test_a_successor_knows_what_the_clock_closed(bus: EmbeddedBus, settings: Configuration, dies: bool) -> None:
    send(bus, [row(1_000)])
    process = Process(bus, settings, 1_100)
    process.turn(13_100)
    if dies:
        process = Process(bus, settings, 13_200)
    send(bus, [row(2_000), row(14_000)])
    process.turn(14_100)
    process.turn(23_100)
    assert panes(bus) == [(10_000, 1, 0), (20_000, 2, 1)]
    assert bus.committed("test-profiler-predictions", [TopicPartition("scored", 0)])[TopicPartition("scored", 0)].metadata


def test_the_clock_judges_a_first_record_ahead_of_it(bus: EmbeddedBus, settings: Configuration) -> None:
    send(bus, [row(365 * 86_400_000)])
    process = Process(bus, settings, 0)
    process.turn(30_000)
    assert panes(bus) == []
    [letter] = [event for events in everything(bus, "driftbus.dead-letter").values() for event in events]
    assert b"max_ahead" in dict(letter.headers)["driftbus-reason"]


def notices(bus: EmbeddedBus) -> list[bytes]:
    return [
        event.value or b""
        for events in everything(bus, "driftbus.drift").values()
        for event in events
        if dict(event.headers)["ce_type"].startswith(b"io.driftbus.notice")
    ]


@pytest.mark.parametrize("running", [True, False], ids=["while it is read", "between two processes"])
@pytest.mark.parametrize("again", [0, 2, 7], ids=["empty", "shorter", "longer"])
def test_a_topic_that_is_made_again_is_read_from_its_beginning(
    bus: EmbeddedBus, settings: Configuration, running: bool, again: int
) -> None:
    send(bus, [row(1_000 + time) for time in range(4)])
    process = Process(bus, settings, 1_100)
    process.turn(13_100)
    assert panes(bus) == [(10_000, 4, 0)]
    bus.delete("scored")
    bus.create("scored", 4)
    send(bus, [row(14_000 + time) for time in range(again)])
    if not running:
        process = Process(bus, settings, 14_200)
    process.turn(18_200)
    process.turn(23_200)
    assert panes(bus) == [(10_000, 4, 0), *([(20_000, again, 0)] if again else [])]
    told = [one for one in notices(bus) if b"made again" in one]
    assert len(told) == (4 if running else 0)  # what groups had committed is deleted with a topic
    process = Process(bus, settings, 23_300)  # and a successor goes on there
    send(bus, [row(24_000)])
    process.turn(24_100)
    process.turn(33_100)
    assert panes(bus)[-1] == (30_000, 1, 0)
    assert [one for one in notices(bus) if b"made again" in one] == told


def test_one_record_ahead_holds_up_nobody(bus: EmbeddedBus, settings: Configuration) -> None:
    """Neither one that the wall clock refuses nor one that it lets pass."""
    send(bus, [row(1_000), row(50 * 60_000), row(40_000), *(row(2_000 + 100 * time) for time in range(70)), row(10_500), row(11_100)])
    process = Process(bus, settings, 11_200)
    process.turn(11_300)
    # cut behind the verdict, and in front of the last
    assert panes(bus) == [(10_000, 71, 0), (20_000, 1, 0), (20_000, 1, 0), (50_000, 1, 0)]
    assert progress(bus, 0)[-1].through == BEGINNING + 10_100
    [letter] = [event for events in everything(bus, "driftbus.dead-letter").values() for event in events]
    assert b"2,989 s ahead of the clock here" in dict(letter.headers)["driftbus-reason"]


@pytest.mark.parametrize("dies", [False, True])
def test_what_the_wall_clock_refused_stays_refused(bus: EmbeddedBus, settings: Configuration, dies: bool) -> None:
    """Its verdict is committed: a successor, whose clock would let it pass, does not read it again."""
    send(bus, [row(1_000), row(90_000), row(2_000)])
    process = Process(bus, settings, 2_100)
    assert panes(bus) == [(10_000, 2, 0)]  # cut behind the verdict
    if dies:
        process = Process(bus, settings, 89_000)
    process.turn(93_000)
    process.turn(103_000)
    assert panes(bus) == [(10_000, 2, 0)]
    assert len([event for events in everything(bus, "driftbus.dead-letter").values() for event in events]) == 1
