"""``reference: golden``: what a model is compared with is its golden set, and what it answered on it."""

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.columns import UnusableReference
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.golden_records import ask, output, request_of
from driftbus.consumers.reference.golden_sets import announced, announcement, store_of
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START, Announcement
from driftbus.schemas.messages.golden import GoldenEvaluation, GoldenResult, GoldenStarted
from driftbus.schemas.stored.golden import GoldenRow, GoldenSet, Loss, golden_set

from ..streaming import BEGINNING, configuration, everything, prepare

ROWS, SECONDS = 2_000, 1_500


def settings(folder: Path) -> Configuration:
    call = {"callable": {"function": "tests.golden.functions:of_version"}}
    model = {"reference": "golden", "golden": {"call": call}, "rate": 1.0, "false_alarms": "1 per 1h"}
    return configuration(models={"m0": model}, artifacts=str(folder / "a"), topics={"partitions": 2}, stream={"pane": "50s"})


def row(draw: np.random.Generator, shift: float = 0.0) -> dict[str, Any]:
    return {"amount": float(draw.normal(shift, 1)), "colour": ("red", "green")[int(draw.integers(2))], "new": bool(draw.integers(2))}


def made(chosen: Configuration, loss: Loss = "zero_one") -> GoldenSet:
    """In the store."""
    draw = np.random.default_rng(1)
    numbers = loss in {"absolute", "squared"}
    rows = []
    for number in range(ROWS):
        features = row(draw)
        label = features["amount"] if numbers else ("yes" if features["amount"] > 0 else "no")
        rows.append(GoldenRow(id=f"{number:04}", features=features, label=label))
    golden = golden_set("m0", loss, rows)
    store_of(chosen).put(golden.encoded())
    return golden


def answered(bus: EmbeddedBus, chosen: Configuration, golden: GoldenSet, losses: np.ndarray[Any, np.dtype[np.int64]]) -> None:
    """An evaluation that a version had on the set, as it lies on the topic."""
    request = request_of(chosen, "m0", "1", golden.hash, "person", "now", BEGINNING)
    about = {"request": request.request, "model": "m0", "version": "1", "attempt": 1}
    result = GoldenResult(**about, golden=golden.hash, losses={golden.loss: losses}, places={golden.loss: golden.places})
    said = {"cause": "person", "named": "now", "status": "complete", "verdict": "first", "good": True, "rows": ROWS}
    ask(bus, chosen, [request])
    bus.publish([output(chosen, one) for one in (GoldenStarted(**about), result, GoldenEvaluation(**about, golden=golden.hash, **said))])


def world(chosen: Configuration, golden: GoldenSet) -> EmbeddedBus:
    bus = EmbeddedBus(":memory:", "test", "one")
    prepare(bus, chosen, [])
    bus.publish([announced(chosen, announcement(golden, 1_000, None, None))])
    return bus


def test_its_features_are_those_of_the_set_and_its_outputs_are_what_was_answered(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    golden = made(chosen)
    with closing(world(chosen, golden)) as bus:
        before = reference_of(chosen, "m0", "1", bus)
        assert {(field.name, field.role, field.type) for field in before.fields} == {
            ("amount", "feature", "numeric"),
            ("colour", "feature", "categorical"),
            ("new", "feature", "boolean"),
        }
        assert any("not watched: no evaluation says" in warning for warning in before.warnings)
        wrong = np.arange(ROWS) % 10 == 0
        answered(bus, chosen, golden, np.where(wrong, 1 << golden.places, 0).astype(np.int64))
        profile = reference_of(chosen, "m0", "1", bus)
        assert reference_of(chosen, "m0", "2", bus).fields == before.fields, "of another version nothing is known"
    assert (profile.rows, profile.first, profile.volume) == (ROWS, None, None)
    [prediction] = [field for field in profile.fields if field.role == "prediction"]
    labels = np.array([one.label == "yes" for one in golden.rows])
    yes = int((labels ^ wrong).sum())
    told = prediction.values
    assert told is not None
    assert dict(zip(told.categories, told.counts, strict=False)) == {"yes": yes, "no": ROWS - yes}  # type: ignore[union-attr]  # of a class


@pytest.mark.parametrize("loss", ["brier", "log_loss"])
def test_of_two_classes_the_probability_that_was_answered_is_known(tmp_path: Path, loss: Loss) -> None:
    chosen = settings(tmp_path)
    golden = made(chosen, loss)
    score = np.random.default_rng(3).beta(2, 2, ROWS)
    of_right = np.where([one.label == "yes" for one in golden.rows], score, 1 - score)
    lost = np.square(1 - of_right) if loss == "brier" else -np.log(of_right)
    with closing(world(chosen, golden)) as bus:
        answered(bus, chosen, golden, np.rint(lost * 2**golden.places).astype(np.int64))
        profile = reference_of(chosen, "m0", "1", bus)
    [field] = [field for field in profile.fields if field.role == "score"]
    assert field.values is not None
    assert field.values.mean == pytest.approx(score.mean(), abs=1e-4)  # type: ignore[union-attr]  # of numbers


def test_of_numbers_only_how_far_off_they_are_is_known(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    golden = made(chosen, "absolute")
    with closing(world(chosen, golden)) as bus:
        answered(bus, chosen, golden, np.ones(ROWS, dtype=np.int64))
        assert {field.role for field in reference_of(chosen, "m0", "1", bus).fields} == {"feature"}


def test_what_differs_from_the_golden_set_is_told(tmp_path: Path) -> None:
    """Through the pipeline: as with any reference."""
    chosen, draw = settings(tmp_path), np.random.default_rng(5)
    with closing(world(chosen, made(chosen))) as bus:
        name = ArtifactStore(chosen.artifacts).put(reference_of(chosen, "m0", "1", bus).encoded())
        announce(bus, chosen, Announcement(model="m0", version="1", reference=name, since=FROM_START, rows=ROWS))
        sent = []
        for second in range(SECONDS):
            value = {"model": "m0", "version": "1", "features": row(draw, 1.0 if second >= 900 else 0.0)}
            sent.append(Output("scored", second % 4, None, msgspec.json.encode(value), (), BEGINNING + second * 1_000))
        bus.publish([*sent, *end_records("test", "scored", 4, BEGINNING + SECONDS * 1_000)])
        with closing(Pipeline(bus, chosen)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        found = [event.content for events in everything(bus, chosen.topics.drift).values() for event in events]
    assert [[signal["name"] for signal in event["signals"]] for event in found if event.get("status") == "opened"] == [["amount"]]


def test_without_a_set_it_is_told_what_to_do(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [])
        with pytest.raises(UnusableReference, match="build one: driftbus golden build m0"):
            reference_of(chosen, "m0", "1", bus)
    with pytest.raises(UnusableReference, match="needs the bus"):
        reference_of(chosen, "m0", "1")
