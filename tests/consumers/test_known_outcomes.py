"""How well outcomes are known: a bucket that a clock closed, or in which somebody was given up, shows in all that is made of it."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.pipeline.topology import TOPOLOGY
from driftbus.consumers.process.consumer import Consumer, Making
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.streams.doubts import Doubts, Standing
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.progress import Progress

from ..streaming import BEGINNING, everything, prepare, reference
from .test_blocks import LABELS, PREDICTIONS, settings
from .test_concept import CHANGE, ROWS, SECOND, log
from .test_joiner import panes, run

#: When they are read.
NOW = BEGINNING + (ROWS + 7_200) * SECOND
#: Turns of which each takes a second of the wall clock; behind them nothing is left to do.
TURNS = 40
#: Ms of the log's time.
PATIENCE = 1_000


def live(**stream: str) -> Configuration:
    own = {"pane": "1m", "clock": "live", **stream}
    return settings({"wait": "6h", "early": "6h"}, stream=own, topics={"partitions": 1})


class Turned:
    """The consumers of some roles, with a wall clock."""

    def __init__(self, bus: Bus, chosen: Configuration, now: int, *roles: str) -> None:
        self.now = now
        making = Making(bus, chosen, ArtifactStore(chosen.artifacts), lambda: self.now)
        self.consumers: list[Consumer] = [one for node in TOPOLOGY if node.role in roles for one in node.make(making)]

    def turn(self, lasting: int = SECOND) -> None:
        self.now += lasting
        for consumer in self.consumers:
            consumer.turn(0)

    def close(self) -> None:
        for consumer in self.consumers:
            consumer.close()


@contextmanager
def world(chosen: Configuration, sent: Iterable[Output]) -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, [reference("m0")])
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        bus.publish([*sent])
        yield bus


def ends() -> list[Output]:
    return [one for topic, count in ((PREDICTIONS, 4), (LABELS, 3)) for one in end_records("test", topic, count, NOW)]


def opened(bus: Bus, chosen: Configuration) -> tuple[bool, bool]:
    """Of the event that errors are commoner: whether it is complete, and whether a clock decided."""
    events = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    [one] = [event for event in events if event.get("kind") == "performance" and event["status"] == "opened"]
    return one["complete"], one["clock_decided"]


def test_a_partition_of_which_only_a_clock_says_that_nothing_comes() -> None:
    chosen, silent = live(), 2
    sent = [one._replace(partition=0) if one.topic == LABELS and one.partition == silent else one for one in log(0.35)]
    ended = [one for one in ends() if (one.topic, one.partition) != (LABELS, silent)]
    with world(chosen, [*sent, *ended]) as bus:
        turned = Turned(bus.as_instance("one"), chosen, NOW, "profiler", "joiner", "detector")
        for _ in range(TURNS):
            turned.turn()
        turned.close()
        assert opened(bus, chosen) == (True, True)
        while_rows_came = [one for one in panes(bus, chosen) if one.bucket < BEGINNING + ROWS * SECOND]
        assert {(one.complete, one.clock_decided) for one in while_rows_came} == {(True, True)}


class LogClock:
    """The time at which the log appends: it stands still unless it is moved."""

    def __init__(self) -> None:
        self.ms = NOW

    def time_ns(self) -> int:
        return self.ms * 1_000_000


def test_a_reader_that_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says no more when errors become commoner: what the others read goes on without its partitions, and says so."""
    clock = LogClock()
    monkeypatch.setattr("driftbus.consumers.bus.log.time", clock)
    chosen, sent, change = live(patience=f"{PATIENCE}ms"), log(0.7), BEGINNING + CHANGE * SECOND
    with world(chosen, [one for one in sent if (one.timestamp or 0) < change]) as bus:
        stopped, turned = (Turned(bus.as_instance(name), chosen, change, "profiler") for name in ("stopped", "one"))
        behind = Turned(bus.as_instance("one"), chosen, change, "joiner", "detector")
        for _ in range(8):
            for one in (stopped, turned, behind):
                one.turn(0)
        known = panes(bus, chosen)  # a baseline is made of these
        assert all(one.complete for one in known)
        clock.ms += 2 * PATIENCE
        bus.publish([*(one for one in sent if (one.timestamp or 0) >= change), *ends()])
        turned.now = behind.now = NOW
        for _ in range(TURNS):
            turned.turn()
            behind.turn()
        assert opened(bus, chosen)[0] is False
        assert not any(one.complete for one in panes(bus, chosen) if one.bucket > change)


def ended(bus: Bus, chosen: Configuration) -> set[tuple[str, int]]:
    """Of which partitions, by stream, the joins say that there is nothing more."""
    facts = [event for events in everything(bus, chosen.topics.joins).values() for event in events]
    said = [Progress.decoded(fact.value) for fact in facts if dict(fact.headers)["ce_type"] == Progress.TYPE.encode()]
    return {(one.stream, one.source.partition) for one in said if one.ended}


EVERY = {("predictions", number) for number in range(4)} | {("outcomes", number) for number in range(3)}


def test_that_all_is_committed_does_not_say_that_it_ended() -> None:
    """By a run that went on: a clock had closed all. One to the end says so, though there is nothing to read."""
    chosen = live()
    with world(chosen, log(0.35)[:400]) as bus:
        going_on = Turned(bus.as_instance("one"), chosen, NOW, "profiler")
        for _ in range(TURNS):
            going_on.turn()
        going_on.close()
        assert ended(bus, chosen) == set()
        run(bus.as_instance("one"), chosen, "profiler")
        assert ended(bus, chosen) == EVERY
        run(bus.as_instance("one"), chosen, "profiler")
        assert ended(bus, chosen) == EVERY


def test_who_has_no_partition_waits_for_those_who_have() -> None:
    """They committed all, and say that it ended when they run to the end; the one without any is done then, or has theirs."""
    chosen = live()
    for leaves in (False, True):
        with world(chosen, log(0.35)[:400]) as bus:
            first = Turned(bus.as_instance("one"), chosen, NOW, "profiler")
            for _ in range(TURNS):
                first.turn()
            second = Turned(bus.as_instance("two"), chosen, NOW, "profiler")
            for consumer in second.consumers:
                consumer.finish()
                assert not consumer.done
            for _ in range(3):
                second.turn(0)
            assert not any(consumer.done for consumer in second.consumers)
            if leaves:
                first.close()
            for consumer in () if leaves else first.consumers:
                consumer.finish()
            for _ in range(4):
                for one in (second,) if leaves else (first, second):
                    one.turn(0)
            assert ended(bus, chosen) == EVERY


def test_progress_is_as_small_as_it_was_where_all_is_known() -> None:
    said = Progress(stream="s", source={"topic": "t", "topic_id": "i", "partition": 0}, through=5)
    assert b"complete" not in said.encoded()
    assert Progress.decoded(said.encoded()).complete
    assert not Progress.decoded(said.model_copy(update={"complete": False}).encoded()).complete


def test_an_interval_is_as_well_known_as_the_worst_of_its_steps() -> None:
    doubts = Doubts()
    doubts.note(Standing(10, 20, complete=False))
    doubts.note(Standing(20, 40, clock_decided=True))
    doubts.note(Standing(40, 50))
    assert doubts.of(0, 10) == Standing(0, 10)
    assert doubts.of(0, 30) == Standing(0, 30, complete=False, clock_decided=True)
    assert doubts.of(20, 30) == Standing(20, 30, clock_decided=True)
    assert doubts.of(40, 50) == Standing(40, 50)


def test_a_doubt_behind_which_time_went_back_is_kept_by_itself() -> None:
    doubts = Doubts()
    for start, end in ((100, 200), (20, 30), (30, 40), (90, 95)):
        doubts.note(Standing(start, end, complete=False))
    assert [doubts.of(start, start + 10).complete for start in (0, 20, 30, 40, 90, 150, 200)] == [
        True,
        False,
        False,
        True,
        False,
        False,
        True,
    ]
    doubts.forget(35)
    assert [doubts.of(start, start + 1).complete for start in (32, 150)] == [False, False]
