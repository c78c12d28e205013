"""Panes of so many rows: offsets decide, whatever timestamps say."""

from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.command.check import findings
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import ConfigurationError, parsed
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.cloud_events import attributes
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane

from ..streaming import BEGINNING, Event, configuration, everything, message, prepare, reference

ROWS = 6_000
SHIFTED_FROM = 3_000


def chosen(folder: Path, **stream: object) -> Configuration:
    models = {"m0": {"false_alarms": "1 per 20000 rows"}}
    return configuration(artifacts=str(folder), topics={"partitions": 1}, stream={"pane": "100 rows", **stream}, models=models)


def traffic(seed: int = 0, rows: int = ROWS, shifted_from: int = SHIFTED_FROM) -> list[Output]:
    """One partition whose clock goes astray: hours ahead, days behind, in no order."""
    draw = np.random.default_rng(seed)
    times = BEGINNING + draw.integers(-(10**9), 10**9, rows)
    return [Output("scored", 0, None, message(draw, "m0", shift=float(i >= shifted_from)), (), int(times[i])) for i in range(rows)]


def world(settings: Configuration, partitions: int = 1) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, settings, [reference("m0")], partitions)
    return bus


def finish(bus: EmbeddedBus, settings: Configuration) -> None:
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


def panes(bus: EmbeddedBus) -> list[Pane]:
    records = everything(bus, "driftbus.summaries")[0]
    return [Pane.decoded(record.value) for record in records if attributes(record.headers)["type"] == "io.driftbus.pane"]


def events(bus: EmbeddedBus) -> list[Event]:
    return everything(bus, "driftbus.drift").get(0, [])


def test_offsets_say_which_bucket(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    bus = world(settings)
    bus.publish(traffic(rows=250))
    finish(bus, settings)
    assert [(pane.first, pane.last, pane.bucket, pane.rows, pane.late) for pane in panes(bus)] == [
        (0, 99, 100_000, 100, 0),
        (100, 199, 200_000, 100, 0),
        (200, 249, 300_000, 50, 0),
    ]
    assert everything(bus, "driftbus.dead-letter") == {}


def test_events_speak_of_rows(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    bus = world(settings)
    bus.publish(traffic())
    finish(bus, settings)
    opened, *_ = events(bus)
    assert opened.content["onset"] == f"row {SHIFTED_FROM}"
    assert opened.content["bucket"] == ["row 3000", "row 3100"]
    assert dict(opened.headers)["ce_time"] == b"1970-01-01T00:51:40Z"
    assert opened.content["panes"] == [{"topic": "scored", "partition": 0, "offsets": [3000, 3099]}]


def test_cuts_for_memory_and_restarts_change_no_event(tmp_path: Path) -> None:
    outcomes = []
    for max_rows, stops in ((50_000, ()), (37, ()), (100, (1_000, 3_100)), (1, ())):
        settings = chosen(tmp_path, max_rows=max_rows)
        bus, sent = world(settings), traffic()
        for start, stop in zip((0, *stops), (*stops, ROWS), strict=True):
            bus.publish(sent[start:stop])
            finish(bus, settings)
        told = [event.content for event in events(bus)]
        outcomes.append([{key: value for key, value in one.items() if key != "configuration"} for one in told])
    assert len(outcomes[0]) > 0
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_an_end_record_closes_its_bucket(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    bus = world(settings)
    bus.publish(traffic(rows=250, shifted_from=0))
    bus.publish(end_records("test", "scored", 1, BEGINNING))
    pipeline = Pipeline(bus, settings)  # goes on for ever: nothing but the end record says that all is there
    while pipeline.turn():
        pass
    pipeline.close()
    assert [pane.bucket for pane in panes(bus)] == [100_000, 200_000, 300_000]
    assert pipeline.totals["buckets"] == 3


def test_rows_of_several_partitions_have_no_order(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    bus = world(settings, partitions=2)
    said = "streams.predictions.pane: 100 rows are counted in a topic of one partition, and scored has 2"
    with pytest.raises(LookupError, match=said):
        Pipeline(bus, settings)
    assert any(level == "wrong" and text.startswith(said) for level, text in findings(bus, settings, 100))


def test_a_topic_of_one_partition_is_no_problem_to_check(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    bus = world(settings)
    bus.publish(traffic(rows=250))
    found = list(findings(bus, settings, 1_000))
    assert [text for level, text in found if level == "wrong"] == []
    assert 'models.m0.false_alarms: "1 per 20000 rows" is 200 buckets of 100 rows' in [text for _, text in found]


@pytest.mark.parametrize(
    ("stream", "model", "said"),
    [
        (
            "topics: [a], pane: 500 rows",
            "1 per 100000 rows",
            "streams.s.pane: no clock can say that 500 rows are complete; add clock: record",
        ),
        (
            "topics: [a, b], pane: 500 rows, clock: record",
            "1 per 100000 rows",
            "streams.s.pane: 500 rows are counted in one topic; give each",
        ),
        ("topics: [a], pane: 0 rows, clock: record", "1 per 100000 rows", 'streams.s.pane: "0 rows" is not a duration'),
        ("topics: [a], pane: 500 rows, clock: record", "1 per 30d", "models.m.false_alarms: needs times, and its stream"),
        (
            "topics: [a], pane: 500 rows, clock: record",
            "1 per 9999 rows, season: day",
            "models.m.season: needs times, and its stream has panes of 500 rows; leave it out",
        ),
    ],
)
def test_what_rows_cannot_have_is_refused(stream: str, model: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r".*") as refused:
        parsed(f"application: a\nstreams:\n  s: {{{stream}}}\nmodels:\n  m: {{false_alarms: {model}}}\n")
    assert said in str(refused.value)


def test_a_pane_is_written_as_it_is_read() -> None:
    settings = parsed("application: a\nstreams:\n  s: {topics: [a], pane: 1_000 rows, clock: record}\n")
    assert str(settings.streams["s"].pane) == "1000 rows"
    assert Configuration.model_validate(settings.model_dump(mode="json")) == settings
