"""The folding consumer, over a fold that is not the detector: what it promises, it promises of any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output, TopicDescription, TopicPartition
from driftbus.consumers.bus.log import Recorded
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.process.folding import Folding
from driftbus.schemas.cloud_events import Headers
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.snapshot import FORM, PartitionState

from ..streaming import BEGINNING, configuration, everything, trim

#: A sum is said behind so many ms without a number.
QUIET = 10_000


@dataclass
class Summing:
    """Adds numbers up; says the sum at every third, and where none came for a while."""

    total: int = 0
    numbers: int = 0
    heard: int = 0
    changed: bool = False

    def feed(self, offset: int, appended: int, fact: int) -> Sequence[str]:
        if fact == 13:
            self.total = -1  # a step that fails halfway
            msg = "unlucky"
            raise ValueError(msg)
        self.total, self.numbers = self.total + fact, self.numbers + 1
        return [f"sum {self.total}"] if self.numbers % 3 == 0 else []

    def due(self, now: int) -> Sequence[str]:
        quiet, self.heard = now - self.heard >= QUIET, now
        return [f"quiet at {self.total}"] if quiet and now else []

    def resumed(self) -> Sequence[str]:
        return []

    def snapshot(self, position: int) -> tuple[PartitionState, Mapping[str, bytes]]:
        numbers = {"total": self.total, "numbers": self.numbers, "heard": self.heard}
        return PartitionState(form=FORM, position=position, states=(), aligners={}, pending=(), fold=numbers), {}

    def totals(self) -> Mapping[str, int]:
        return {"numbers": self.numbers}


class Sums:
    """Sums of a topic of numbers."""

    role = "summer"

    def __init__(self, settings: Configuration) -> None:
        self.topic, self._to = settings.topics.summaries, settings.topics.drift

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> int | None:
        return None if not value or value.startswith(b"#") else int(value)

    def begin(self) -> Summing:
        return Summing()

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, int]) -> Summing:
        return Summing(**state.fold)

    def outputs(self, said: str, partition: int) -> list[Output]:
        return [Output(self._to, partition, b"sum", msgspec.json.encode(said), (), BEGINNING)]


def settings(folder: Path, snapshot_every: str = "1ms") -> Configuration:
    return configuration(artifacts=str(folder), topics={"partitions": 1}, snapshot_every=snapshot_every)


def world(chosen: Configuration, values: Sequence[bytes]) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", "test", "one")
    create_topics(bus, chosen)
    for value in values:
        bus.publish([Output(chosen.topics.summaries, 0, b"k", value, (), None)])
    return bus


def said(bus: EmbeddedBus, chosen: Configuration) -> list[bytes]:
    return [event.value for events in everything(bus, chosen.topics.drift).values() for event in events if event.key == b"sum"]


def finished(folding: Folding[int, str]) -> Folding[int, str]:
    folding.finish()
    while not folding.done:
        folding.turn(0)
    return folding


def fold(bus: EmbeddedBus, chosen: Configuration) -> Folding[int, str]:
    """By a wall clock that goes on, so that snapshots come due. Whoever finds nothing to read is done before it takes a partition over."""
    return finished(Folding(bus.as_instance("one"), chosen, Sums(chosen), count(BEGINNING).__next__))


@pytest.mark.parametrize("snapshot_every", ["1ms", "1d"])
def test_a_successor_says_what_was_not_said_and_nothing_twice(tmp_path: Path, snapshot_every: str) -> None:
    chosen = settings(tmp_path, snapshot_every)
    bus = world(chosen, [])
    for numbers in (range(1, 3), range(3, 6), range(6, 10)):  # the first commit has a snapshot, as there was none
        for n in numbers:
            bus.publish([Output(chosen.topics.summaries, 0, b"k", b"%d" % n, (), None)])
        fold(bus, chosen)  # and dies: it is never closed
    assert said(bus, chosen) == [b'"sum 6"', b'"sum 21"', b'"sum 45"']


@pytest.mark.parametrize("bad", [b"13", b"no number", b"\xff"])
def test_a_record_that_raises_is_set_aside(tmp_path: Path, bad: bytes) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen, [b"1", b"# a remark", b"2", bad, b"3", bad, b"4", b"5", b"6"])
    folding = fold(bus, chosen)
    folding.close()
    assert said(bus, chosen) == [b'"sum 6"', b'"sum 21"']
    assert folding.totals() == {"numbers": 6, "set_aside": 2}
    letters = [event for events in everything(bus, chosen.topics.dead_letter).values() for event in events]
    assert [letter.value for letter in letters] == [bad, bad]
    bus.publish([Output(chosen.topics.summaries, 0, b"k", b"7", (), None)])
    assert fold(bus, chosen).totals() == {"numbers": 1, "set_aside": 0}


def test_a_successor_that_meets_it_again_says_nothing_of_it(tmp_path: Path) -> None:
    """It lies behind the last snapshot, so it is folded again, raises again, and is set aside in silence."""
    chosen = settings(tmp_path, "1d")
    bus = world(chosen, [b"1"])
    fold(bus, chosen)  # the first commit has a snapshot, as there was none; it dies, and so do the next ones
    for value, totals in ((b"13", {"numbers": 0, "set_aside": 1}), (b"2", {"numbers": 1, "set_aside": 0})):
        bus.publish([Output(chosen.topics.summaries, 0, b"k", value, (), None)])
        assert fold(bus, chosen).totals() == totals
    assert [event.value for events in everything(bus, chosen.topics.dead_letter).values() for event in events] == [b"13"]


def test_three_in_a_row_end_it(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen, [b"1", b"13", b"13", b"13", b"2"])
    with pytest.raises(ValueError, match="unlucky"):
        fold(bus, chosen)


def test_what_waits_inside_and_raises_with_every_record_ends_it(tmp_path: Path) -> None:
    """The record at fault went in long ago; those that set it off are good, and not neighbours."""

    class Brooding(Summing):
        def feed(self, offset: int, appended: int, fact: int) -> Sequence[str]:
            if fact % 10 == 0:
                msg = "what one of them left behind"
                raise ArithmeticError(msg)
            return []

        def totals(self) -> Mapping[str, int]:
            return {}

    class Broods(Sums):
        def begin(self) -> Summing:
            return Brooding()

    chosen = settings(tmp_path)
    bus = world(chosen, [b"%d" % n for n in range(5, 60)])
    with pytest.raises(ArithmeticError, match="left behind"):
        finished(Folding(bus, chosen, Broods(chosen), lambda: 0))


def test_nothing_is_lost_of_what_was_never_there(tmp_path: Path) -> None:
    """A process begins a trimmed topic, commits, and dies before its snapshot would be due."""
    chosen = settings(tmp_path, "1d")
    bus = world(chosen, [])
    place = chosen.topics.summaries
    bus.delete(place)
    bus.restore(TopicDescription(place, "id2", 1), [Recorded(0, 500 + n, BEGINNING, b"k", b"%d" % n) for n in range(1, 5)])
    fold(bus, chosen)
    bus.publish([Output(place, 0, b"k", b"5", (), None)])
    assert fold(bus, chosen).totals()["numbers"] == 1
    assert not [event for events in everything(bus, chosen.topics.drift).values() for event in events if b"deleted" in event.value]


@pytest.mark.parametrize(
    ("first", "told", "says"), [(0, None, b'"sum 28"'), (4, (3, 3), b'"sum 24"'), (6, (3, 5), b'"sum 13"'), (8, (3, 7), None)]
)
def test_what_a_snapshot_awaits_and_retention_took_is_told_and_left_out(
    tmp_path: Path, first: int, told: tuple[int, int] | None, says: bytes | None
) -> None:
    """The state of all that came before is kept: it may be months."""

    @dataclass
    class Holding(Summing):
        """Awaits the last three: it holds their offsets, not their numbers."""

        held: tuple[tuple[int, int], ...] = ()

        def feed(self, offset: int, appended: int, fact: int) -> Sequence[str]:
            self.held = (*self.held, (offset, fact))
            return [] if fact != 7 else [f"sum {self.total + sum(number for _, number in self.held)}"]

        def snapshot(self, position: int) -> tuple[PartitionState, Mapping[str, bytes]]:
            pending = tuple(offset for offset, _ in self.held)
            return PartitionState(form=FORM, position=position, states=(), aligners={}, pending=pending, fold={"total": self.total}), {}

    class Holds(Sums):
        def begin(self) -> Summing:
            return Holding(6)

        def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, int]) -> Summing:
            return Holding(state.fold["total"], held=tuple(facts.items()))

    chosen = settings(tmp_path)
    bus = world(chosen, [b"#", b"#", b"#", b"4", b"5", b"6"])
    finished(Folding(bus.as_instance("one"), chosen, Holds(chosen), lambda: 0)).close()
    bus.publish([Output(chosen.topics.summaries, 0, b"k", value, (), None) for value in (b"7", b"#", b"#")])
    trim(bus, TopicPartition(chosen.topics.summaries, 0), first)
    finished(Folding(bus.as_instance("one"), chosen, Holds(chosen), lambda: 0))
    facts = [
        event.content["facts"] for events in everything(bus, chosen.topics.drift).values() for event in events if b"deleted" in event.value
    ]
    assert [(one["from"], one["to"]) for one in facts] == ([] if told is None else [told])
    assert said(bus, chosen) == ([] if says is None else [says])
    assert not [event for events in everything(bus, chosen.topics.drift).values() for event in events if b"snapshot" in event.value]


def test_its_clock_is_the_append_time_and_goes_on_behind_a_restart(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen, [])
    place = chosen.topics.summaries
    bus.delete(place)
    bus.create(place, 1)  # where the writer says the times
    times = [0, 5_000, 16_000, 17_000, 90_000]
    for n, time in enumerate(times):
        bus.publish([Output(place, 0, b"k", b"%d" % n, (), BEGINNING + time)])
        fold(bus, chosen).close()
    assert said(bus, chosen) == [b'"quiet at 1"', b'"sum 3"', b'"quiet at 6"']
