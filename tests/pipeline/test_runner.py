"""How a process turns its roles, and when it is at the end of its input."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import INPUTS, TOPOLOGY, Node
from driftbus.consumers.process.consumer import Making

from ..streaming import configuration, everything, prepare, reference, rows, send


class LateMarkers:
    """A bus whose commits are answered before their markers are in the log, as Kafka's are: for so many questions readers of committed
    records see the end that was there before.
    """

    def __init__(self, bus: EmbeddedBus, questions: int) -> None:
        self._bus, self._questions, self._seen = bus, questions, dict[TopicPartition, tuple[int, int]]()

    def watermarks(self, source: TopicPartition, *, committed: bool = True) -> tuple[int, int]:
        low, high = self._bus.watermarks(source)
        if not committed:
            return low, high
        end, asked = self._seen.get(source, (0, 0))
        if end != high and asked < self._questions:
            self._seen[source] = end, asked + 1
            return low, end
        self._seen[source] = high, 0
        return low, high

    def __getattr__(self, name: str) -> object:
        return getattr(self._bus, name)


@pytest.mark.parametrize("questions", [1, 3, 10])
def test_what_was_just_committed_is_read_to_its_end(tmp_path: Path, questions: int) -> None:
    """The schedule in which 12 panes made 0 buckets: the detector took the summaries to end where they did before the last commit."""
    settings = configuration(artifacts=str(tmp_path))
    bus = EmbeddedBus(":memory:", "test", "one")
    prepare(bus, settings, [reference("m0")])
    send(bus, rows(60, ["m0"]))
    late = cast(Bus, LateMarkers(bus, questions))
    for role in ("profiler", "detector"):
        pipeline = Pipeline(late, settings, [role])
        for _ in pipeline.run_until_end():
            pass
        totals = pipeline.totals
        pipeline.close()
    assert totals["buckets"] == 6


def test_the_last_process_folds_what_the_others_left(tmp_path: Path) -> None:
    """One process has read its part and gone before another has written its last panes: those are folded by whoever stays."""
    settings = configuration(artifacts=str(tmp_path))
    bus = EmbeddedBus(":memory:", "test", "one")
    prepare(bus, settings, [reference("m0")])
    send(bus, rows(60, ["m0"]))
    quick, slow = (Pipeline(bus.as_instance(name), settings) for name in ("quick", "slow"))
    slow.turn()  # it has its share of the partitions
    for _ in quick.run_until_end():
        slow.turn()
    ending = slow.run_until_end()
    for _ in range(10):  # for a while the group takes the one that has gone for alive, and its partitions stay where they were
        assert next(ending, None) is not None
    quick.close()
    for _ in ending:
        pass
    slow.close()
    assert quick.totals["rows"] + slow.totals["rows"] == 240
    assert quick.totals["buckets"] + slow.totals["buckets"] == 6
    assert len({event.value for events in everything(bus, settings.topics.summaries).values() for event in events}) > 6


class Counting:
    """A consumer that does nothing, and knows how often it was turned and how long it was let wait."""

    role = "counting"

    def __init__(self) -> None:
        self.waits: list[float] = []

    def turn(self, timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        return False

    def finish(self) -> None: ...

    @property
    def done(self) -> bool:
        return True

    def totals(self) -> Mapping[str, int]:
        return {"rows": 1}

    def close(self) -> None: ...


def made(kind: Literal["fold", "hand"], consumers: Sequence[Counting]) -> Node:
    def make(making: Making) -> Sequence[Counting]:
        return consumers

    return Node("counting", kind, (INPUTS,), (), "nothing", make)


def test_an_idle_process_waits_once_however_many_consumers_it_has() -> None:
    consumers = [Counting() for _ in range(10)]
    pipeline = Pipeline(EmbeddedBus(":memory:", "test", "one"), configuration(), ["counting"], topology=[made("fold", consumers)])
    for _ in range(10):
        pipeline.turn()
    assert all(sorted(consumer.waits) == [0.0] * 10 + [0.05] for consumer in consumers)
    assert pipeline.totals["rows"] == 10


@pytest.mark.parametrize(("clock", "hands"), [("live", 1), ("record", 0)])
def test_hands_act_on_what_is_live_alone(clock: str, hands: int) -> None:
    topology = [*TOPOLOGY, made("hand", [Counting()])]
    settings = configuration(stream={"clock": clock})
    pipeline = Pipeline(EmbeddedBus(":memory:", "test", "one"), settings, ["counting"], topology=topology)
    assert len(pipeline.consumers) == hands


def test_a_role_with_nothing_to_run_does_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    pipeline = Pipeline(EmbeddedBus(":memory:", "test", "one"), configuration(), ["counting"], topology=[made("fold", [])])
    assert not pipeline.turn()
    assert slept == [0.05]
