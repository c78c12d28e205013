"""A process hears that it is to stop while its consumers are made, and before they turn."""

from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Stopped
from driftbus.consumers.pipeline.runner import Pipeline, run
from driftbus.consumers.process.stopping import Stopping

from ..streaming import configuration, prepare, reference, rows, send


class Bus(EmbeddedBus):
    """What it is told to stop, it raises where its sessions are made, as Kafka's does that waits."""

    stopping: Stopping | None = None  #: asked at the first description of a topic
    stopped = False

    def describe(self, topics, *, settings=True):  # type: ignore[no-untyped-def]  # as the bus has it
        if self.stopping is not None:
            self.stopping.ask()
        if self.stopped:
            raise Stopped
        return super().describe(topics, settings=settings)

    def stop(self) -> None:
        self.stopped = True


def test_what_is_asked_while_consumers_are_made_stops_that(tmp_path: Path) -> None:
    bus, settings = Bus(":memory:", "test", "one"), configuration(artifacts=str(tmp_path))
    prepare(bus, settings, [reference("m0")])
    bus.stopping = Stopping()
    with pytest.raises(Stopped):
        run(bus, settings, stopping=bus.stopping)


@pytest.mark.parametrize("until_end", [True, False])
def test_what_was_asked_before_is_heard_before_the_first_turn(tmp_path: Path, until_end: bool) -> None:
    bus, settings = EmbeddedBus(":memory:", "test", "one"), configuration(artifacts=str(tmp_path))
    prepare(bus, settings, [reference("m0")])
    send(bus, rows(60, ["m0"]))
    stopping = Stopping()
    stopping.ask()
    assert run(bus, settings, stopping=stopping, until_end=until_end).totals["rows"] == 0


def test_what_is_asked_in_a_turn_ends_behind_it(tmp_path: Path) -> None:
    bus, settings = EmbeddedBus(":memory:", "test", "one"), configuration(artifacts=str(tmp_path))
    prepare(bus, settings, [reference("m0")])
    turns: list[Pipeline] = []
    stopping = Stopping()

    def observer(pipeline: Pipeline) -> None:
        turns.append(pipeline)
        if len(turns) == 3:
            stopping.ask()

    assert run(bus, settings, stopping=stopping, observer=observer) is turns[0]
    assert len(turns) == 3
