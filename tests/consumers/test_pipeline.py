"""The pipeline on the embedded bus: bytes in, events out, whatever dies in between."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.detector.detector import suites
from driftbus.consumers.detector.fold import Fold
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.streams.summaries import facts_of
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.messages.progress import Progress

from ..streaming import BEGINNING, Event, by_model, configuration, everything, prepare, reference, rows, send

Outcome = tuple[list[tuple[object, ...]], dict[str, list[Event]]]
MODELS = ("m0", "m1", "m2")


def chosen(folder: Path, **changes: object) -> Configuration:
    return configuration(artifacts=str(folder), **changes)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bus that holds 25 minutes of traffic: m0 drifts in between, m2 has no reference, some rows are late, some no JSON."""
    folder = tmp_path_factory.mktemp("recorded")
    bus = EmbeddedBus(str(folder / "bus.sqlite"), "test", "a")
    prepare(bus, chosen(folder), [reference("m0"), reference("m1")])
    traffic = rows(1500, MODELS, 2, seed=1, shifted=("m0", 400, 700))
    draw = random.Random(2)
    for i in range(0, len(traffic), 97):
        traffic[i] = traffic[i]._replace(time=traffic[i].time - draw.choice((500, 4_000, 40_000)))
    for i in range(5, len(traffic), 401):
        traffic[i] = traffic[i]._replace(value=draw.choice((b"{", b"", None, b"\xff")))
    send(bus, traffic)
    bus.close()
    return folder


@pytest.fixture
def bus(recorded: Path, tmp_path: Path) -> Iterator[EmbeddedBus]:
    """A copy of it: the same topics, ids and offsets."""
    shutil.copy(recorded / "bus.sqlite", tmp_path)
    copy = EmbeddedBus(str(tmp_path / "bus.sqlite"), "test", "a")
    yield copy
    copy.close()


@pytest.fixture(scope="module")
def calm(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What one process publishes that nothing happens to."""
    copy = shutil.copy(recorded / "bus.sqlite", tmp_path_factory.mktemp("calm"))
    bus = EmbeddedBus(str(copy), "test", "a")
    finish(bus, chosen(recorded))
    outcome = published(bus)
    bus.close()
    return outcome


def finish(bus: EmbeddedBus, settings: Configuration) -> Pipeline:
    """Run to the end of the input."""
    pipeline = Pipeline(bus, settings)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    return pipeline


def published(bus: EmbeddedBus) -> Outcome:
    """Panes as a sorted list, events per model in order."""
    panes = [
        (dict(event.headers)["ce_id"], event.value) for events in everything(bus, "driftbus.summaries").values() for event in events
        if dict(event.headers)["ce_type"] == b"io.driftbus.pane"
    ]  # fmt: skip
    return sorted(panes), by_model(everything(bus, "driftbus.drift"))


def test_a_drift_opens_and_resolves(calm: Outcome) -> None:
    panes, events = calm
    assert [event.content["status"] for event in events["m0"]] == ["opened", "resolved"]
    opened = events["m0"][0].content
    assert [signal["name"] for signal in opened["signals"]] == ["amount"]
    assert opened["signals"][0]["change"] == "mean up"
    assert dict(events["m0"][0].headers)["ce_type"] == b"io.driftbus.drift.opened"
    assert "m1" not in events
    assert "driftbus reference build m2" in events["m2"][0].content["text"]
    assert panes


@pytest.mark.parametrize("seed", range(4))
def test_deaths_change_nothing(bus: EmbeddedBus, recorded: Path, calm: Outcome, seed: int) -> None:
    settings, draw = chosen(recorded, snapshot_every="1ms" if seed % 2 else "3m"), random.Random(seed)
    for _ in range(12):
        dying = Pipeline(bus, settings)
        for turns, _ in enumerate(dying.run_until_end()):
            if turns >= draw.randrange(1, 6):
                break  # it dies here: nothing is closed, its successor takes its place
    finish(bus, settings)
    assert published(bus) == calm


def test_two_processes_publish_what_one_does(bus: EmbeddedBus, recorded: Path, calm: Outcome) -> None:
    settings = chosen(recorded)
    pipelines = [Pipeline(one, settings) for one in (bus, bus.as_instance("b"))]
    running = [pipeline.run_until_end() for pipeline in pipelines]
    while running:
        running = [turns for turns in running if next(turns, None) is not None]
    for pipeline in pipelines:
        pipeline.close()
    finish(bus, settings)
    assert published(bus) == calm


def test_folding_the_summaries_again_gives_the_events(bus: EmbeddedBus, recorded: Path) -> None:
    settings = chosen(recorded)
    finish(bus, settings)
    again: dict[int, list[bytes]] = {}
    for number in range(settings.topics.partitions):
        fold, place = Fold(settings, suites(settings, ArtifactStore(settings.artifacts))), TopicPartition(settings.topics.summaries, number)
        for batch in bus.read(place, *bus.watermarks(place)):
            for offset, appended, record in facts_of("test", batch):
                told = (one.event for one in fold.feed(offset, appended, record))
                events = (one for one in told if not isinstance(one, Evidence | Progress))
                again.setdefault(number, []).extend(one.model_dump_json().encode() for one in events)
    drift = everything(bus, settings.topics.drift)
    assert {n: e for n, e in again.items() if e} == {n: [e.value for e in events] for n, events in drift.items()}


def test_every_good_row_is_in_one_pane(bus: EmbeddedBus, recorded: Path) -> None:
    pipeline = finish(bus, chosen(recorded))
    panes = [
        Pane.decoded(event.value)
        for events in everything(bus, "driftbus.summaries").values()
        for event in events
        if dict(event.headers)["ce_type"] == b"io.driftbus.pane"
    ]
    dead = sum(len(letters) for letters in everything(bus, "driftbus.dead-letter").values())
    sent = sum(bus.watermarks(TopicPartition("scored", number))[1] for number in range(4))
    assert sum(pane.rows for pane in panes) + dead + pipeline.totals["skipped"] == sent
    assert sum(pane.late for pane in panes) > 0
    assert pipeline.totals["dead_letters"] == dead > 0


@pytest.mark.parametrize("partitions", [1, 3])
def test_events_do_not_depend_on_the_number_of_input_partitions(recorded: Path, partitions: int) -> None:
    settings, outcomes = chosen(recorded), list[dict[str, list[dict[str, object]]]]()
    traffic = rows(1500, MODELS, 2, seed=4, shifted=("m1", 400, 700))
    draw = random.Random(5)
    jittered = [row._replace(time=row.time - draw.randrange(0, 900)) for row in traffic]  # less late than grace
    for number in (4, partitions):
        bus = EmbeddedBus(":memory:", "test", "a")
        prepare(bus, settings, [reference("m0"), reference("m1")], partitions=number)
        send(bus, [row._replace(partition=row.partition % number) for row in jittered])
        finish(bus, settings)
        events = by_model(everything(bus, settings.topics.drift))
        outcomes.append(
            {model: [{k: v for k, v in event.content.items() if k != "panes"} for event in found] for model, found in events.items()}
        )
        bus.close()
    assert outcomes[0] == outcomes[1]
    assert [event["status"] for event in outcomes[0]["m1"]] == ["opened", "resolved"]


def test_a_reference_that_takes_effect_midway_resolves_what_the_earlier_one_opened(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    bus = EmbeddedBus(":memory:", "test", "a")
    first, second = reference("m0"), reference("m0", mean=2.0, seed=1)
    prepare(bus, settings, [first])
    name, boundary = ArtifactStore(settings.artifacts).put(second.encoded()), BEGINNING + 900_000
    announce(bus, settings, Announcement(model="m0", version="1", reference=name, since=boundary))
    send(bus, rows(1500, ("m0",), 4, seed=6, shifted=("m0", 400, 1500)))
    finish(bus, settings)
    events = [event.content for event in by_model(everything(bus, settings.topics.drift))["m0"]]
    assert [(event["status"], event["reason"]) for event in events] == [("opened", None), ("resolved", "replaced")]
    assert events[1]["bucket"] == [iso(boundary), iso(boundary + 10_000)]
    assert {event["reference"] for event in events} == {first.name}
