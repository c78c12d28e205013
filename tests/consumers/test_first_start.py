"""A first start on a topic whose first records are gone loses nothing; a later one that finds a gap does."""

from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output, TopicDescription
from driftbus.consumers.bus.log import Recorded
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration

from ..streaming import BEGINNING, configuration, everything, rows

ROWS = 60
TRIMMED = 1_000


def world(folder: Path, first: int, topic: str = "scored", partitions: int = 2) -> tuple[Configuration, EmbeddedBus]:
    """A topic of which the last rows are there, from offset ``first`` on."""
    chosen = configuration(artifacts=str(folder / "artifacts"), stream={"topics": [topic]}, models={})
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    restore(bus, topic, first, partitions)
    create_topics(bus, chosen)
    return chosen, bus


def restore(bus: EmbeddedBus, topic: str, first: int, partitions: int) -> None:
    times = [one._replace(partition=number) for number in range(partitions) for one in rows(ROWS, ["m0"], 1)]
    held = [Recorded(one.partition, first + one.time // 1000, BEGINNING + one.time, None, one.value) for one in times]
    bus.restore(TopicDescription(topic, "id1", partitions), held)


def finish(bus: EmbeddedBus, chosen: Configuration, roles: tuple[str, ...] = ("profiler", "detector")) -> int:
    pipeline = Pipeline(bus, chosen, roles)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    return pipeline.totals["rows"]


def said(bus: EmbeddedBus) -> list[tuple[str, int, int]]:
    found = [event.content for events in everything(bus, "driftbus.drift").values() for event in events]
    notices = [(one["about"], one["facts"]) for one in found if "facts" in one]
    return sorted((about, facts.get("partition", -1), facts.get("first", facts.get("from", -1))) for about, facts in notices)


@pytest.mark.parametrize("first", [1, TRIMMED])
def test_a_first_start_says_once_where_it_begins(tmp_path: Path, first: int) -> None:
    chosen, bus = world(tmp_path, first)
    assert finish(bus, chosen) == 2 * ROWS
    late = rows(1, ["m0"], 1)[0].value
    bus.publish([Output("scored", number, None, late, (), BEGINNING + 61_000) for number in range(2)])  # else nobody takes them over
    assert finish(bus, chosen) == 2
    assert [one for one in said(bus) if one[0] != "unmonitored"] == [("begins", 0, first), ("begins", 1, first)]


def test_a_whole_topic_says_nothing(tmp_path: Path) -> None:
    chosen, bus = world(tmp_path, 0)
    assert finish(bus, chosen) == 2 * ROWS
    assert {one[0] for one in said(bus)} == {"unmonitored"}


def test_what_is_deleted_behind_what_was_read_is_lost(tmp_path: Path) -> None:
    chosen, bus = world(tmp_path, 0)
    finish(bus, chosen)
    bus._log._database.executescript("delete from log_1_0; delete from log_1_1;")  # retention, which this bus has not
    restore(bus, "scored", TRIMMED, 2)
    finish(bus, chosen)
    assert [one for one in said(bus) if one[0] != "unmonitored"] == [("lost", 0, ROWS), ("lost", 1, ROWS)]


def test_an_application_that_comes_later_to_old_summaries_lost_none_of_them(tmp_path: Path) -> None:
    chosen, bus = world(tmp_path, 0)
    bus.delete(chosen.topics.summaries)
    later = (("ce_source", b"/driftbus/test"), ("ce_type", b"io.driftbus.of-tomorrow"))
    held = [Recorded(number, TRIMMED, BEGINNING, b"k", b"", later) for number in range(chosen.topics.partitions)]
    bus.restore(TopicDescription(chosen.topics.summaries, "id2", chosen.topics.partitions), held)
    finish(bus, chosen)
    assert {one[0] for one in said(bus)} == {"unmonitored"}


def test_an_emptied_topic_is_begun_at_its_end(tmp_path: Path) -> None:
    chosen, bus = world(tmp_path, TRIMMED, partitions=1)
    finish(bus, chosen)
    bus.publish([Output("scored", 0, None, rows(1, ["m0"], 1)[0].value, (), BEGINNING + 61_000)])
    assert finish(bus, chosen) == 1
