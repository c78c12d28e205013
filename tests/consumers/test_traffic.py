"""The traffic itself: a model that falls silent, too few rows or too many, repeated ids, fields that nobody knows."""

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.decode.interface import MARKS
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.beside import SideCounts
from driftbus.consumers.reference.building.columns import Chunk
from driftbus.consumers.reference.building.traffic import TrafficProfiling
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.episodes.step import Bucket, Suite, start, step
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.configuration import Configuration, Model, PaneLength
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.pane import MOST_UNEXPECTED, Pane
from driftbus.schemas.stored.reference import CategoricalProfile, Reference

from ..streaming import BEGINNING, Event, Sent, by_model, configuration, everything, message, prepare, reference, rows, send
from .test_live_clock import Process

#: Seconds in which a model has no rows. The reference of m1 knows gaps of 20 s; that of m3 has no times, and is silent to the end.
SILENCES = {"m1": range(300, 700), "m2": range(300, 700), "m3": range(600, 10_000)}
MODELS = ("m0", *SILENCES)
END = 1_000
#: From then on some of m0's rows come twice, and all have a field that its reference does not know.
CHANGED = 500
IDS = CategoricalProfile(categories=("new",), counts=(10_000, 0), tau=(1.0, 1.0))


def with_ids(sent: Sequence[Sent]) -> Iterator[Sent]:
    """The rows with ids; from `CHANGED` on one in five comes twice, to the same partition, as a producer's repetition does."""
    for number, one in enumerate(sent):
        message = msgspec.json.decode(one.value or b"", type=dict[str, Any])
        changed = one.time >= CHANGED * 1000
        features = {**message["features"], **({"discount": 0.1} if changed else {})}
        row = one._replace(value=msgspec.json.encode({**message, "id": f"r{number}", "features": features}))
        yield from [row] * (1 + (changed and number % 5 == 0))


def traffic() -> list[Sent]:
    """Of four models, m2 without a reference."""
    sent = rows(END, MODELS[1:], 1, seed=1)
    heard = [one for i, one in enumerate(sent) if one.time // 1000 not in SILENCES[MODELS[1 + i % 3]]]
    return sorted([*with_ids(rows(END, ("m0",), 10, seed=2)), *heard], key=lambda one: one.time)


def references() -> list[Reference]:
    gaps = reference("m1").model_copy(update={"longest_gap": 20_000})
    return [reference("m0").model_copy(update={"ids": IDS}), gaps, reference("m3")]


def settings(folder: Path, **changes: object) -> Configuration:
    model = {"false_alarms": "1 per 30d"}
    return configuration(artifacts=str(folder), models=dict.fromkeys(MODELS, model), **changes)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bus that holds it all, up to its end records."""
    folder = tmp_path_factory.mktemp("recorded")
    bus = EmbeddedBus(str(folder / "bus.sqlite"), "test", "a")
    prepare(bus, settings(folder), references())
    send(bus, traffic())
    bus.publish(end_records("test", "scored", 4, BEGINNING + END * 1000 + 11_000))
    bus.close()
    return folder


@pytest.fixture
def bus(recorded: Path, tmp_path: Path) -> Iterator[EmbeddedBus]:
    shutil.copy(recorded / "bus.sqlite", tmp_path)
    copy = EmbeddedBus(str(tmp_path / "bus.sqlite"), "test", "a")
    yield copy
    copy.close()


def finish(bus: EmbeddedBus, chosen: Configuration) -> None:
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


def events(bus: EmbeddedBus) -> dict[str, list[Event]]:
    return by_model(everything(bus, "driftbus.drift"))


def told(found: dict[str, list[Event]], model: str) -> list[dict[str, Any]]:  # JSON of any shape
    return [event.content for event in found.get(model, ()) if event.content.get("detector") == "silence"]


def place(second: int) -> str:
    return iso(BEGINNING + second * 1000)


def test_a_model_that_falls_silent_is_told_and_resolved_when_it_is_heard_again(bus: EmbeddedBus, recorded: Path) -> None:
    finish(bus, settings(recorded))
    found = events(bus)
    opened, resolved = told(found, "m1")
    assert [opened["status"], resolved["status"]] == ["opened", "resolved"]
    assert opened["episode"] == resolved["episode"]
    assert [opened["kind"], opened["severity"], opened["budget"]] == ["volume", "major", "none"]
    assert opened["onset"] == place(300)
    assert opened["signals"][0]["change"] == f"silent since {place(300)}"
    assert opened["bucket"] == [place(350), place(360)]  # three times 20 s
    assert resolved["bucket"] == [place(700), place(710)]
    assert [resolved["reason"], resolved["signals"][0]["open"]] == ["recovered", False]
    (still,) = told(found, "m3")
    assert still["bucket"] == [place(690), place(700)]  # without a known gap ten buckets
    assert not told(found, "m0")
    assert "m2" not in [model for model in found if told(found, model)]  # nobody watches it
    assert all(event["complete"] and not event["clock_decided"] for event in (opened, resolved, still))


@pytest.mark.parametrize("seed", range(4))
def test_deaths_change_nothing_about_silences(bus: EmbeddedBus, recorded: Path, tmp_path: Path, seed: int) -> None:
    calm = EmbeddedBus(str(shutil.copy(recorded / "bus.sqlite", tmp_path / "calm.sqlite")), "test", "a")
    finish(calm, settings(recorded))
    dying, draw = settings(recorded, snapshot_every="1ms" if seed % 2 else "3m"), random.Random(seed)
    for _ in range(12):
        pipeline = Pipeline(bus, dying)
        for turns, _ in enumerate(pipeline.run_until_end()):
            if turns >= draw.randrange(1, 4):
                break  # it dies here
    finish(bus, dying)
    assert events(bus) == events(calm)
    calm.close()


def test_how_long_is_silence_can_be_said(bus: EmbeddedBus, recorded: Path) -> None:
    models = {"m0": {}, "m1": {"silence": "95s"}, "m3": {"silence": "never"}}
    finish(bus, settings(recorded).model_copy(update={"models": configuration(models=models).models}))
    found = events(bus)
    assert [event["bucket"] for event in told(found, "m1")] == [[place(390), place(400)], [place(700), place(710)]]
    assert not told(found, "m3")


def test_without_known_gaps_a_gap_that_was_seen_is_not_told_again(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    gaps: Sequence[range] = (range(300, 400), range(600, 850), range(900, 1300))
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0"), reference("m1")])
    sent = [one for one in rows(1500, ("m0",), 2, seed=1) if not any(one.time // 1000 in gap for gap in gaps)]
    send(bus, [*sent, *rows(1500, ("m1",), 1, seed=2)])
    finish(bus, chosen)
    assert [(event["status"], event["onset"]) for event in told(events(bus), "m0")] == [("opened", place(300)), ("resolved", place(300))]


def test_a_version_that_takes_over_is_no_silence(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0"), reference("m1")])
    draw = np.random.default_rng(3)
    send(bus, [Sent(0, second * 1000, message(draw, "m0", version="1" if second < 200 else "2")) for second in range(600)])
    finish(bus, chosen)
    assert not told(events(bus), "m0")


def test_with_a_live_clock_silence_is_told_though_no_message_arrives(tmp_path: Path) -> None:
    chosen = settings(tmp_path, stream={"clock": "live"})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [reference("m0")])
    draw = np.random.default_rng(3)
    send(bus, [Sent(0, time, message(draw, "m0")) for time in (1_000, 2_000)])
    process = Process(bus, chosen, 3_100)
    detector = Pipeline(bus, chosen, roles=("detector",))
    for wall, expected in ((13_100, 0), (112_900, 0), (113_100, 1)):  # ten buckets behind the one that ended at 10 s; linger and grace
        process.turn(wall)
        while detector.turn():
            pass
        assert len(told(events(bus), "m0")) == expected
    (opened,) = told(events(bus), "m0")
    assert opened["bucket"] == [place(100), place(110)]
    assert opened["complete"]
    assert opened["clock_decided"]
    detector.close()


def test_ids_that_come_again_are_drift(bus: EmbeddedBus, recorded: Path) -> None:
    finish(bus, settings(recorded))
    drift = [event.content for event in events(bus)["m0"] if event.content.get("kind") == "duplicates"]
    assert drift[0]["status"] == "opened"
    assert place(CHANGED) <= drift[0]["bucket"][1] <= place(CHANGED + 30)
    assert [(signal["name"], signal["change"]) for signal in drift[0]["signals"]] == [("(ids)", "more repeated ids")]
    panes = [Pane.decoded(e.value) for found in everything(bus, "driftbus.summaries").values() for e in found if b"pane" in type_of(e)]
    duplicates = layout(references()[0]).find("(ids)", "duplicates")
    assert duplicates is not None
    counted = np.add.reduce([pane.counts[duplicates.span] for pane in panes if pane.model == "m0"])
    sent = [one for one in traffic() if b'"m0"' in (one.value or b"")]
    distinct = {msgspec.json.decode(one.value or b"")["id"] for one in sent}
    assert counted.tolist() == [len(distinct), len(sent) - len(distinct)]


def type_of(event: Event) -> bytes:
    return dict(event.headers)["ce_type"]


def test_a_field_that_the_reference_does_not_know_is_told_once(bus: EmbeddedBus, recorded: Path) -> None:
    finish(bus, settings(recorded))
    (notice,) = (event.content for event in events(bus)["m0"] if event.content.get("about") == "unexpected")
    assert notice["facts"]["field"] == "discount"
    assert notice["facts"]["type"] == "number"
    assert notice["facts"]["rows"] == notice["facts"]["sampled"] > 0
    assert "models.m0.features.discount: ignore" in notice["text"]


def test_a_field_that_is_ignored_is_expected(bus: EmbeddedBus, recorded: Path) -> None:
    models = {"m0": {"features": {"disc*": "ignore"}}, "m1": {}, "m3": {}}
    finish(bus, settings(recorded).model_copy(update={"models": configuration(models=models).models}))
    assert not [event for event in events(bus)["m0"] if event.content.get("about") == "unexpected"]


def test_ids_are_told_apart_whatever_they_are_and_absent_ones_are_none() -> None:
    beside = SideCounts()
    for ids in (["a", "b", "a"], [MARKS.null, "b"], [MARKS.missing, MARKS.invalid, "c"]):
        beside.add_ids(ids)
    assert beside.ids == (3, 2)


def test_a_pane_holds_the_commonest_unexpected_names() -> None:
    beside = SideCounts()
    for row in range(3):
        beside.look({"known": 1, "x" * 500: True, **{f"name {i}": [] for i in range(row, 60)}}, {"known"})
    assert beside.sampled == 3
    assert len(beside.unexpected) == MOST_UNEXPECTED
    assert beside.unexpected[0] == ("name 10", "list", 3)
    assert {len(one.name) for one in beside.unexpected if one.kind == "boolean"} <= {200}


def hourly(days: int, per_hour: int = 10) -> Chunk:
    times = np.sort(np.random.default_rng(1).integers(0, days * 86_400_000, days * 24 * per_hour))
    return Chunk(len(times), times, {}, [f"{i}" for i in range(len(times))])


def collected(chunk: Chunk, **model: Any) -> TrafficProfiling:  # keys of a model's settings
    found = TrafficProfiling("live", Model.model_validate(model), PaneLength("time", 3_600_000))
    for first in range(0, chunk.rows, 777):
        part = slice(first, min(first + 777, chunk.rows))
        assert chunk.times is not None
        assert chunk.ids is not None
        found.add(Chunk(part.stop - part.start, chunk.times[part], {}, chunk.ids[part]))
    return found


def test_rows_per_bucket_are_profiled_where_the_reference_is_the_traffic() -> None:
    chunk, slice_ = hourly(30), {"topic": "scored"}
    volume = collected(chunk, reference=slice_).volume()
    assert volume is not None
    assert sum(volume.counts) == 30 * 24 - 2
    assert volume.mean == pytest.approx(10, abs=0.5)
    assert collected(chunk, reference={"file": "train.csv"}).volume() is None
    assert collected(chunk, reference={"file": "train.csv"}, volume=True).volume() == volume
    assert collected(chunk, reference=slice_, volume=False).volume() is None
    assert collected(chunk, reference=slice_, rate=100).volume() is None  # a sample of it


def test_a_reference_too_short_for_volume_says_so_when_it_was_asked_for() -> None:
    assert f"rows are in {6 * 24 - 2} buckets of 1h, 500 are needed" in next(collected(hourly(6), volume=True).warnings())
    assert not list(collected(hourly(6), reference={"topic": "scored"}).warnings())
    untimed = TrafficProfiling("table", Model(volume=True), PaneLength("month"))
    untimed.add(Chunk(1000, None, {}))
    assert list(untimed.warnings()) == ["table: volume is not watched: panes must be a length of time"]


def test_ids_of_a_reference_are_compared_within_buckets() -> None:
    chunk = hourly(30)
    ids = collected(chunk).ids()
    assert ids is not None
    assert sum(ids.counts) == chunk.rows
    assert ids.counts[1] == 0
    again = TrafficProfiling("live", Model(), PaneLength("time", 3_600_000))
    assert chunk.times is not None
    again.add(Chunk(chunk.rows, chunk.times, {}, [f"{i - (i % 500 == 1)}" for i in range(chunk.rows)]))
    ids = again.ids()
    assert ids is not None
    assert 0 < ids.counts[1] <= chunk.rows // 500
    again.add(Chunk(chunk.rows, chunk.times, {}, [f"{i // 2}" for i in range(chunk.rows)]))
    assert again.ids() is None
    assert "come again within a bucket" in next(again.warnings())


def test_too_few_rows_and_too_many_are_drift() -> None:
    draw = np.random.default_rng(4)
    usual = draw.poisson(100, 5_000).astype(np.float64)
    watched = reference("m0").model_copy(update={"volume": profile_of(usual), "rows": 500_000, "last": 50_000_000})
    tests = Suite(watched, Model(), application="test", stream="predictions", configuration_hash="c", reference_hash="r")
    for factor, change in ((0.7, "fewer rows"), (1.4, "more rows")):
        state, told_ = start(tests, 0), list[DriftEvent]()
        for number in range(300):
            count = int(draw.poisson(100 * (factor if number >= 200 else 1)))
            zeros = np.zeros(tests.layout.size, dtype=np.int64)
            bucket = Bucket(number * 10_000, (number + 1) * 10_000, count, 0, zeros, zeros[:0], True, False)
            state, new = step(tests, state, bucket)
            told_ += new
        assert [event.kind for event in told_] == ["volume"]
        assert told_[0].signals[0].change == change
        assert told_[0].severity == "major"
        assert told_[0].bucket[1] <= iso(220 * 10_000)
