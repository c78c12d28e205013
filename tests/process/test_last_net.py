"""A record that breaks a step that nobody thought of: it is set aside, alone; an error that is no record's ends the process."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.decode.interface import Identities
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.process.last_net import of_a_record
from driftbus.consumers.profiler.profiler import Profiler
from driftbus.consumers.reference.artifacts import ArtifactError, ArtifactStore
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.schemas.cloud_events import Headers
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.unusable import Unusable

from ..streaming import BEGINNING, Sent, configuration, everything, prepare, reference, rows, send

BOOM = b'{"model": "m0", "version": "1", "boom": 1}'
ERRORS = [ZeroDivisionError("x"), KeyError("x"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"), RecursionError()]


class Faulty(JSONDecoder):
    """A decoder with a fault: one kind of record makes it raise for the whole batch."""

    error: Exception = ZeroDivisionError("nobody thought of it\n\x1b[31m")

    def identities(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> Identities:
        if BOOM in values:
            raise self.error
        return super().identities(values, keys, headers)


def chosen(folder: Path) -> Configuration:
    return configuration(artifacts=str(folder / "artifacts"), models={"m0": {"false_alarms": "1 per 1h"}})


def world(settings: Configuration, *more: Sent) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", "test", "one")
    prepare(bus, settings, [reference("m0")], partitions=1)
    sent = [one._replace(partition=0) for one in rows(100, ["m0"])]
    send(bus, sorted([*sent, *more], key=lambda one: one.time))
    return bus


def profiled(bus: Bus, settings: Configuration, decoder: type[JSONDecoder]) -> Profiler:
    mapping = settings.streams["predictions"].mapping
    references = HeldReferences(bus, settings, ArtifactStore(settings.artifacts))
    profiler = Profiler(bus, settings, "predictions", decoder(mapping), references, lambda: BEGINNING)
    profiler.finish()
    try:
        while not profiler.done:
            profiler.turn(0)
    finally:
        profiler.close()
    return profiler


def panes(bus: EmbeddedBus) -> list[tuple[int, str, int, list[int]]]:
    found = [
        Pane.decoded(event.value)
        for events in everything(bus, "driftbus.summaries").values()
        for event in events
        if dict(event.headers)["ce_type"] == b"io.driftbus.pane"
    ]
    return sorted((pane.bucket, pane.model, pane.rows, pane.counts.tolist()) for pane in found)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), KeyError("x"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"), RecursionError()]
)
def test_it_is_set_aside_and_its_neighbours_count_as_if_it_were_no_row(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = chosen(tmp_path)
    monkeypatch.setattr(Faulty, "error", error)
    bus = world(settings, Sent(0, 20_500, BOOM), Sent(0, 70_100, BOOM), Sent(0, 70_200, BOOM))
    profiler = profiled(bus, settings, Faulty)
    without = world(settings, Sent(0, 20_500, b"{"), Sent(0, 70_100, b"{"), Sent(0, 70_200, b"{"))
    profiled(without, settings, JSONDecoder)
    assert panes(bus) == panes(without)
    assert profiler.totals()["set_aside"] == 3
    letters = [event for events in everything(bus, "driftbus.dead-letter").values() for event in events]
    assert [event.value for event in letters] == [BOOM] * 3
    assert all(type(error).__name__.encode() in dict(event.headers)["driftbus-reason"] for event in letters)
    notices = [event.content for events in everything(bus, "driftbus.drift").values() for event in events]
    assert [notice["about"] for notice in notices] == ["set_aside"] * 3
    assert all("scored[0]@" in notice["text"] for notice in notices)


def test_three_in_a_row_end_the_process(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    bus = world(settings, *(Sent(0, 20_500 + i, BOOM) for i in range(3)))
    with pytest.raises(ZeroDivisionError):
        profiled(bus, settings, Faulty)


@pytest.mark.parametrize("error", [OSError("disk full"), MemoryError(), ArtifactError("gone"), Unusable("change it")])
def test_what_is_no_records_fault_ends_it_and_nothing_is_set_aside(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = chosen(tmp_path)
    monkeypatch.setattr(Faulty, "error", error)
    bus = world(settings, Sent(0, 20_500, BOOM))
    with pytest.raises(type(error)):
        profiled(bus, settings, Faulty)
    assert not of_a_record(error)
    assert not everything(bus, "driftbus.dead-letter")


def test_whoever_reads_it_again_sets_the_same_aside(tmp_path: Path) -> None:
    """A process that dies behind every turn, before anything is committed of the open run."""
    settings = chosen(tmp_path)
    bus = world(settings, Sent(0, 95_000, BOOM))
    mapping = settings.streams["predictions"].mapping
    for number in range(4):
        own = bus.as_instance(f"i{number}")
        references = HeldReferences(own, settings, ArtifactStore(settings.artifacts))
        dying = Profiler(own, settings, "predictions", Faulty(mapping), references, lambda: BEGINNING)
        for _ in range(number):
            dying.turn(0)
        own.close()
    profiled(bus.as_instance("last"), settings, Faulty)
    assert sum(map(len, everything(bus, "driftbus.dead-letter").values())) == 1
    assert bus.committed("test-profiler-predictions", [TopicPartition("scored", 0)])[TopicPartition("scored", 0)].offset == 401
