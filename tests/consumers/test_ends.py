"""End records: who may write one, and how far ahead its time may be."""

from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.streams.records import END_HEADER, end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane

from ..streaming import BEGINNING, Sent, configuration, everything, prepare, rows, send

FAR = 7_000_000_000_000
SECONDS = 120


def world(folder: Path, partitions: int = 1, **stream: object) -> tuple[Configuration, EmbeddedBus]:
    chosen = configuration(artifacts=str(folder), models={}, stream=stream)
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [], partitions)
    return chosen, bus


def sent(partition: int = 0) -> list[Sent]:
    return [one._replace(partition=partition) for one in rows(SECONDS, ["m0"], 1)]


def panes(bus: EmbeddedBus) -> list[Pane]:
    found = [event for events in everything(bus, "driftbus.summaries").values() for event in events]
    return [Pane.decoded(event.value) for event in found if dict(event.headers)["ce_type"] == b"io.driftbus.pane"]


def ended(header: bytes | None, time: int, value: bytes | None = None) -> Output:
    return Output("scored", 0, None, value, () if header is None else ((END_HEADER, header),), time)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("clock", ["record", "live"])
@pytest.mark.parametrize("header", [b"", b"another", b"test", b"test ", None])
def test_a_far_end_makes_nobody_deaf(tmp_path: Path, header: bytes | None, clock: str, times: int) -> None:
    chosen, bus = world(tmp_path, clock=clock)
    there = sent()
    send(bus, there[:60])
    bus.publish([ended(header, FAR)] * times)
    send(bus, there[60:])
    pipeline = Pipeline(bus, chosen, ["profiler"])
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    assert (pipeline.totals["rows"], pipeline.totals["late"], pipeline.totals["dead_letters"]) == (SECONDS, 0, times)
    assert {pane.bucket for pane in panes(bus)} == {BEGINNING + end * 1000 for end in range(10, SECONDS + 10, 10)}


@pytest.mark.parametrize(("header", "clock"), [(b"", "record"), (b"another", "record"), (b"test", "live")])
def test_an_end_that_is_not_ours_is_no_row_and_ends_nothing(tmp_path: Path, header: bytes, clock: str) -> None:
    chosen, bus = world(tmp_path, clock=clock, max_jump="1h")
    send(bus, sent())
    bus.publish([ended(header, BEGINNING + 500_000)] * 3)
    send(bus, [one._replace(time=one.time + 600_000) for one in sent()])
    pipeline = Pipeline(bus, chosen, ["profiler"])
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    assert (pipeline.totals["rows"], pipeline.totals["skipped"], pipeline.totals["dead_letters"]) == (2 * SECONDS, 3, 0)


@pytest.mark.parametrize("ahead_s", [11, 3_000, 100 * 86_400])
def test_our_ends_complete_what_is_there_without_a_clock(tmp_path: Path, ahead_s: int) -> None:
    """Also a partition that is far behind the others, and one without a row."""
    chosen, bus = world(tmp_path, 3)
    send(bus, [*sent(0), *(one._replace(time=one.time + ahead_s * 1000) for one in sent(1))])
    bus.publish(end_records("test", "scored", 3, BEGINNING + (SECONDS + ahead_s) * 1000 + 11_000))
    pipeline = Pipeline(bus, chosen)  # goes on for ever: nothing but the end records says that all is there
    while pipeline.turn():
        pass
    pipeline.close()
    assert pipeline.totals["rows"] == sum(pane.rows for pane in panes(bus)) == 2 * SECONDS
    assert pipeline.totals["dead_letters"] == 0
    ends = {BEGINNING + end * 1000 for end in range(10, SECONDS + 10, 10)}
    aligned = {bucket + (ahead_s - ahead_s % 10) * 1000 for bucket in ends} | {
        max(ends) + ahead_s // 10 * 10_000 + 10_000 * (ahead_s % 10 > 0)
    }
    assert pipeline.totals["buckets"] == len(ends | aligned)


def test_an_end_of_an_impossible_time_is_refused(tmp_path: Path) -> None:
    chosen, bus = world(tmp_path)
    send(bus, sent())
    bus.publish(end_records("test", "scored", 1, 1 << 60))
    pipeline = Pipeline(bus, chosen, ["profiler"])
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    assert (pipeline.totals["rows"], pipeline.totals["dead_letters"]) == (SECONDS, 3)
