"""Notes of episodes: on the summaries when their events are published, complete lane by lane; and what is drawn by them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output, TopicDescription
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.reviews import read
from driftbus.consumers.streams.lanes import Lane, lanes_of
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.sampling.weights import DRIFTING, MOST
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.drift import DriftedSignal, DriftEvent, Effect, FurtherSignal, Histogram
from driftbus.schemas.messages.episode import EPISODE, EpisodeNote
from driftbus.schemas.messages.evidence import Evidence
from driftbus.schemas.messages.pane import REVIEWED
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.messages.review import ReviewRequest, ReviewSlot

from ..streaming import BEGINNING, configuration, everything

#: Of record time, rows in each, and when a segment drifts.
SECONDS, RATE, SHIFTED = 600, 12, (150, 300)
PARTITIONS = 2
COUNTRIES = ("DE", "FR", "US")


def made(draw: np.random.Generator, shift: float = 0.0) -> dict[str, Any]:
    country = COUNTRIES[draw.integers(3)]
    return {"country": country, "amount": draw.normal(shift if country == "US" else 0.0)}


def settings(folder: Path) -> Configuration:
    model = {
        "false_alarms": "1 per 1h",
        "reference": {"file": str(folder / "train.jsonl"), "time": "at"},
        "segments": {"by": "country"},
        "review": {"budget": "600 per hour", "slot": "1m"},
    }
    return configuration(artifacts=str(folder / "artifacts"), topics={"partitions": 2}, models={"m0": model}, snapshot_every="1ms")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training data, and the reference made of them."""
    draw, place = np.random.default_rng(1), tmp_path_factory.mktemp("notes")
    lines = (msgspec.json.encode(made(draw) | {"at": BEGINNING - (6_000 - number) * 1_000 // RATE}) for number in range(6_000))
    (place / "train.jsonl").write_bytes(b"\n".join(lines))
    chosen = settings(place)
    profile = reference_of(chosen, "m0", "1", store=ArtifactStore(chosen.artifacts))
    (place / "name").write_text(ArtifactStore(chosen.artifacts).put(profile.encoded()))
    return place


def filled(folder: Path) -> EmbeddedBus:
    """Traffic in which one segment drifts for a while."""
    bus, chosen, draw = EmbeddedBus(":memory:", "test", "a"), settings(folder), np.random.default_rng(2)
    bus.restore(TopicDescription("scored", "scored-1", PARTITIONS, {"retention.ms": "-1"}), [])
    create_topics(bus, chosen)
    announce(bus, chosen, from_start("m0", "1", (folder / "name").read_text(), 6_000))
    sent = []
    for number in range(SECONDS * RATE):
        row = made(draw, 2.5 if SHIFTED[0] <= number // RATE < SHIFTED[1] else 0.0)
        value = {"model": "m0", "version": "1", "id": f"p{number}", "features": row}
        sent.append(Output("scored", number % PARTITIONS, None, msgspec.json.encode(value), (), BEGINNING + number * 1_000 // RATE))
    bus.publish(sent)
    bus.publish(end_records("test", "scored", PARTITIONS, BEGINNING + (SECONDS + 20) * 1_000))
    return bus


def finish(bus: Bus, chosen: Configuration, *roles: str) -> None:
    pipeline = Pipeline(bus, chosen, roles or ("profiler", "detector", "reviewer"))
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[tuple[EmbeddedBus, Configuration]]:
    bus = filled(folder)
    finish(bus, settings(folder))
    yield bus, settings(folder)
    bus.close()


def events(bus: Bus, chosen: Configuration) -> list[DriftEvent]:
    found = (one for part in everything(bus, chosen.topics.drift).values() for one in part)
    return [DriftEvent.model_validate_json(one.value) for one in found if b"drift." in dict(one.headers)["ce_type"]]


def noted(bus: Bus, chosen: Configuration) -> list[list[Evidence | Progress]]:
    """Notes and the lanes' progress, by partition."""
    kinds: dict[bytes, Callable[[bytes], Evidence | Progress]]
    kinds = {b"io.driftbus.evidence": Evidence.decoded, b"io.driftbus.progress": Progress.decoded}
    found = [
        [kinds[kind](one.value) for one in part if (kind := dict(one.headers)["ce_type"]) in kinds]
        for part in everything(bus, chosen.topics.summaries).values()
    ]
    return [[one for one in part if one.of == EPISODE] for part in found]


def reviews(bus: Bus, chosen: Configuration) -> list[ReviewRequest | ReviewSlot]:
    found = (one for part in everything(bus, chosen.topics.reviews).values() for one in part)
    said = [read("test", one.key, one.value, one.headers) for one in found]
    return [one for one in said if isinstance(one, ReviewRequest | ReviewSlot)]


def test_every_event_is_noted_in_its_bucket_before_its_lane_is_complete(world: tuple[EmbeddedBus, Configuration]) -> None:
    bus, chosen = world
    told, partitions = events(bus, chosen), noted(bus, chosen)
    assert {event.status for event in told} >= {"opened", "resolved"}
    notes = [one for part in partitions for one in part if isinstance(one, Evidence)]
    assert [(note.fact_id, note.bucket, note.about, note.model) for note in notes] == [
        (event.id, event.time, event.time, "m0") for event in told
    ]
    opened = {event.episode: event.time for event in told if event.status == "opened"}
    for note, event in zip(notes, told, strict=True):
        fact = EpisodeNote.model_validate(note.fact)
        assert (fact.episode, fact.sequence, fact.status) == (event.episode, event.sequence, event.status)
        assert fact.opened == opened[event.episode]
        assert len(fact.signals) == len(event.signals)
        assert fact.segments == (() if event.status == "resolved" else ("US",))
    for part in partitions:
        through, ended = -1, False
        for one in part:
            if isinstance(one, Progress) and one.source == Lane("m0", REVIEWED).source:
                continue  # of answers, of which there are none
            if isinstance(one, Evidence):
                assert one.bucket > through
                assert one.topic == str(Lane("predictions", "predictions"))
            else:
                assert one.source == Lane("predictions", "predictions").source
                assert one.through is None or one.through >= through
                through, ended = one.through or through, one.ended
        assert ended
        assert through >= BEGINNING + SECONDS * 1_000


def test_of_a_segment_that_drifts_at_the_start_of_a_slot_twice_as_much_is_drawn(world: tuple[EmbeddedBus, Configuration]) -> None:
    bus, chosen = world
    told, said = events(bus, chosen), reviews(bus, chosen)
    slots = {one.slot: one for one in said if isinstance(one, ReviewSlot)}
    drifting = []
    for slot in slots.values():
        known = {event.episode: event.status != "resolved" for event in told if event.time <= slot.start}
        drifting.append(any(known.values()))
        assert slot.drifting == (("US",) if drifting[-1] else ())
    assert drifting[0] is drifting[-1] is False
    assert 2 <= sum(drifting) <= 6
    for one in said:
        if isinstance(one, ReviewRequest):
            assert one.weight == MOST * (DRIFTING if one.segment in slots[one.slot].drifting else 1)


def test_who_is_asked_does_not_depend_on_how_far_the_detector_is(world: tuple[EmbeddedBus, Configuration], folder: Path) -> None:
    bus, chosen = filled(folder), settings(folder)
    finish(bus, chosen, "profiler", "reviewer")
    assert reviews(bus, chosen) == []  # nobody knows what drifts
    finish(bus, chosen, "detector")
    finish(bus, chosen, "reviewer")
    assert reviews(bus, chosen) == reviews(*world)
    bus.close()


def test_a_stream_is_tested_in_the_lanes_that_its_models_ask_for(tmp_path: Path) -> None:
    chosen = configuration(artifacts=str(tmp_path), models={"m0": {"ood": {}}})
    assert [str(lane) for lane in lanes_of(chosen, "predictions")] == ["predictions/predictions", "ood/predictions"]
    assert [str(lane) for lane in lanes_of(configuration(artifacts=str(tmp_path)), "predictions")] == ["predictions/predictions"]


def test_a_note_is_bounded_whatever_its_event_lists() -> None:
    name, empty = "\U0001f600" * 496, Histogram()
    signals = [
        DriftedSignal(
            name=f"{name}{number:04}", role="feature", segment=f"{name}{number % 80:04}", open=number % 3 > 0, share=0.1,
            change="", log_evidence=1.0, effect=Effect(), reference=empty, current=empty, rows=1,
        )
        for number in range(300)
    ]  # fmt: skip
    further = [FurtherSignal(name=name, role="feature", segment=f"{name}later", share=0.0, change="") for _ in range(9)]
    event = DriftEvent(
        episode="e", sequence=3, status="updated", model=name, version=name, stream="s", reference="r", kind="input",
        bucket=("row 500", "row 1000"), onset="row 400", signals=tuple(signals), further=tuple(further), more_signals=5,
        detector="d", budget="b", severity="major", complete=True, clock_decided=False, configuration="c",
    )  # fmt: skip
    note = EpisodeNote.of(event, 7)
    assert (note.onset, note.opened) == (400_000, 7)
    assert len(note.signals) + note.more_signals == 314
    assert note.signals
    assert all(one.open for one in note.signals)
    assert len(note.segments) + note.more_segments == 81
    assert note.segments
    evidence = Evidence(
        of=EPISODE, stream="s", topic="predictions/s", topic_id="", partition=0, offset=1, bucket=1, about=1, model=name, version=name,
        fact_id="f", fact=note.model_dump(mode="json"),
    )  # fmt: skip
    assert len(evidence.encoded()) + 3 * len(name.encode()) < RECORDS["evidence"]
    assert Evidence.decoded(evidence.encoded()) == evidence
    assert EpisodeNote.model_validate(evidence.fact) == note
