"""Marks: a producer that writes a day at a time says where each is complete, and everything is evaluated that far."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import MARK_HEADER, marks
from driftbus.schemas.configuration import Configuration

from ..streaming import BEGINNING, Event, configuration, everything, prepare, reference, rows
from .test_blocks import LABELS, PREDICTIONS, settings
from .test_joiner import SPAN, WAIT, log, panes, publish, run, summed

SECONDS, DAYS = 600, 4
DAY = SECONDS * 1_000 // DAYS
MODELS = ["m0", "m1"]
SENT = [
    Output("scored", one.partition, None, one.value, (), BEGINNING + one.time) for one in rows(SECONDS, MODELS, shifted=("m0", 200, 400))
]


def world(folder: Path, **stream: object) -> tuple[Configuration, EmbeddedBus]:
    chosen = configuration(artifacts=str(folder), model={"diagnosis": "off"}, stream={"grace": "15s", **stream})
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [reference(model) for model in ("m0", "m1", "m2")])
    return chosen, bus


def day(sent: Sequence[Output], number: int, length: int) -> list[Output]:
    return [one for one in sent if one.timestamp is not None and (one.timestamp - BEGINNING) // length == number]


def idle(pipeline: Pipeline) -> None:
    while any(consumer.turn(0) for consumer in pipeline.consumers):
        pass


def served(
    bus: EmbeddedBus,
    chosen: Configuration,
    sent: Sequence[Output],
    length: int,
    days: int,
    topics: dict[str, int],
    roles: Sequence[str] = ROLES,
) -> list[int]:
    """A day at a time, and another process after each; buckets evaluated by every one of them."""
    found = []
    for number in range(days):
        bus.publish(day(sent, number, length))
        for topic, partitions in topics.items():
            bus.publish(marks("test", topic, partitions, BEGINNING + (number + 1) * length))
        with closing(Pipeline(bus, chosen, roles)) as pipeline:
            idle(pipeline)
        found.append(pipeline.totals["buckets"])
    return found


def test_every_day_is_evaluated_when_it_is_marked(tmp_path: Path) -> None:
    """Whatever the grace: who marks says that all is there. Of an end said each day nothing comes on the second."""
    chosen, bus = world(tmp_path)
    assert served(bus, chosen, SENT, DAY, DAYS, {"scored": 4}) == [DAY // 10_000 * len(MODELS)] * DAYS


def test_marks_change_no_event(tmp_path: Path) -> None:
    """A day at a time by a process each, and all days at once; without a mark, but for the offsets that marks take up."""
    told = []
    for way in ("days", "at once", "unmarked"):
        chosen, bus = world(tmp_path, grace=0)
        if way == "days":
            served(bus, chosen, SENT, DAY, DAYS, {"scored": 4})
        for number in range(0 if way == "days" else DAYS):
            marked = marks("test", "scored", 4, BEGINNING + (number + 1) * DAY)
            bus.publish([*day(SENT, number, DAY), *(marked if way == "at once" else [])])
        with closing(Pipeline(bus, chosen)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        told.append(everything(bus, "driftbus.drift"))
    days, at_once, unmarked = told
    assert any(days.values())
    assert days == at_once
    assert [_without_offsets(event) for event in of_all(days)] == [_without_offsets(event) for event in of_all(unmarked)]


def of_all(found: dict[int, list[Event]]) -> list[Event]:
    return [event for number in sorted(found) for event in found[number]]


def _without_offsets(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.content.items() if name != "panes"}


def test_labels_meet_their_predictions_over_marked_days() -> None:
    """What outcomes add up to is what it is without marks; those of a day are told when it is marked."""
    sent, _ = log(3, rows=200)
    chosen = settings(labels=WAIT)
    whole, marked = (EmbeddedBus(":memory:", "test", name) for name in ("whole", "marked"))
    publish(whole, chosen, sent)
    run(whole, chosen, "profiler", "joiner")
    prepare(marked, chosen, [reference(model) for model in ("m0", "m1", "m2")])
    marked.create(LABELS, 3, settings={"retention.ms": "-1"})
    served(marked, chosen, sent, SPAN // 3, 6, {PREDICTIONS: 4, LABELS: 3}, ["profiler", "joiner"])
    assert summed(panes(marked, chosen)) == summed(panes(whole, chosen))


@pytest.mark.parametrize(
    ("header", "value", "stream"),
    [
        (b"another", None, {}),
        (b"test", b"{}", {}),
        (b"test", None, {"clock": "live", "max_ahead": "3650d"}),
        (b"test", None, {"pane": "50 rows"}),
    ],
)
def test_what_is_no_mark_moves_no_time(tmp_path: Path, header: bytes, value: bytes | None, stream: dict[str, str]) -> None:
    """Another application's, one with a value, one where the wall clock tells, and one where panes are of rows."""
    chosen = configuration(artifacts=str(tmp_path), models={}, stream=stream)
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [], 1)
    first, second = ([one._replace(partition=0) for one in day(SENT, number, DAY)] for number in (0, 1))
    mark = Output("scored", 0, None, value, ((MARK_HEADER, header),), BEGINNING + 10 * DAY)
    bus.publish([*first, *[mark] * 3, *second])
    with closing(Pipeline(bus, chosen, ["profiler"])) as pipeline:
        for _ in pipeline.run_until_end():
            pass
    assert (pipeline.totals["rows"], pipeline.totals["late"]) == (len(first) + len(second), 0)
