"""Examples: every prediction that counts, with its features as the profiler read them, and its first label, step by step."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.detectors.learning.learner import Learner, Settings
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.examples import LARGEST, Example, Examples, Outcome
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.outcome import id_halves, sampled
from driftbus.schemas.text import CATEGORY, fitted

from ..detectors.learning.test_documented import READER
from ..streaming import BEGINNING, configuration, everything
from .test_blocks import LABELS
from .test_joiner import MINUTE, WAIT, run
from .test_outcome_columns import Row, log, publish

WAIT_MS = 30 * MINUTE


def settings(sample: float = 1.0, **changes: Any) -> Configuration:  # keys of any type
    models: dict[str, dict[str, Any]] = {name: {"labels": "outcomes"} for name in ("m0", "m1", "m2")}
    models["m0"]["examples"] = {"sample": sample}
    return configuration(
        labels={"outcomes": {"topics": [LABELS], **WAIT}}, models=models, stream={"pane": "1m"}, topics={"partitions": 2}, **changes
    )


def told(bus: Bus, chosen: Configuration) -> list[Examples]:
    """All of them, in the order of the topic."""
    events = [event for found in everything(bus, chosen.topics.examples).values() for event in found]
    return [Examples.decoded(event.value) for event in events if dict(event.headers)["ce_type"] == Examples.TYPE.encode()]


def text_of(id_: str) -> str:
    hi, lo = id_halves([id_])[0].tolist()
    return f"{hi:016x}{lo:016x}"


def seen(features: dict[str, Any]) -> dict[str, Any]:
    """As a reference of two numbers and a category has them."""
    colour = features.get("colour")
    return {"amount": features.get("amount"), "age": features.get("age"), "colour": colour and fitted(colour, CATEGORY)}


def of_model(rows: Sequence[Row]) -> dict[str, Row]:
    return {text_of(f"p{number}"): row for number, row in enumerate(rows) if row.model == "m0"}


def test_predictions_come_whole_and_labels_behind_them() -> None:
    chosen, (sent, rows) = settings(), log(1)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        found = told(bus, chosen)
    wanted = of_model(rows)
    assert {one.model for one in found} == {"m0"}
    predictions = {one.id: one for examples in found for one in examples.predictions}
    assert predictions.keys() == wanted.keys()
    for id_, row in wanted.items():
        assert predictions[id_].features == seen(row.features)
        assert predictions[id_].score == pytest.approx(row.score, abs=1e-6)
    made: dict[str, int] = {}
    first: dict[str, int] = {}
    for examples in found:
        made |= {one.id: examples.bucket for one in examples.predictions}
        for outcome in examples.labels:
            assert outcome.id not in first  # each prediction once
            first[outcome.id] = examples.bucket
            assert outcome.label in (0, 1)
    assert first.keys() <= made.keys()
    assert all(made[id_] <= step for id_, step in first.items())
    assert {id_ for id_, row in wanted.items() if row.value is not None} <= first.keys()


def test_a_learner_reads_them_as_documented() -> None:
    known: dict[str, Any] = {}
    exec(READER, known)
    chosen, (sent, rows) = settings(), log(5)
    learner = Learner(Settings(wait=WAIT_MS))
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        found = told(bus, chosen)
    for examples in sorted(found, key=lambda one: (one.bucket, one.partition)):
        known["learn"](learner, examples.encoded())
    labelled = {one.id for examples in found for one in examples.labels}
    assert learner.rows == {
        "scored": len(of_model(rows)),
        "compared": len(labelled),
        "learnt": len(labelled),
        "expired": learner.rows["expired"],
    }


def test_a_sample_is_of_the_same_ids_on_both_sides() -> None:
    chosen, (sent, rows) = settings(0.3), log(2)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        found = told(bus, chosen)
    kept, _ = sampled([f"p{number}" for number in range(len(rows))], b"", 0.3)
    wanted = {text_of(f"p{number}") for number in kept.tolist() if rows[number].model == "m0"}
    assert {one.id for examples in found for one in examples.predictions} == wanted
    labels = {one.id for examples in found for one in examples.labels}
    assert set() < labels <= wanted


def test_each_model_and_step_is_told_before_the_progress_behind_it() -> None:
    chosen, (sent, _) = settings(), log(3)
    through = -(1 << 62)
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, sent)
        run(bus, chosen, *ROLES)
        of_partitions = everything(bus, chosen.topics.examples)
        assert len(of_partitions) == 2
        for events in of_partitions.values():
            reached: dict[int, int] = {}
            for event in events:
                if dict(event.headers)["ce_type"] == Progress.TYPE.encode():
                    progress = Progress.decoded(event.value)
                    reached[progress.source.partition] = progress.through or through
                else:
                    examples = Examples.decoded(event.value)
                    assert examples.bucket > reached.get(examples.partition, through)
            assert min(reached.values()) > BEGINNING
            assert len(reached) == 2


def test_who_asks_for_none_has_no_topic() -> None:
    chosen = configuration(labels={"outcomes": {"topics": [LABELS], **WAIT}}, models={"m0": {"labels": "outcomes"}}, stream={"pane": "1m"})
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, log(4, 30)[0])
        run(bus, chosen, *ROLES)
        assert not bus.describe([chosen.topics.examples])


def test_without_labels_nothing_becomes_known() -> None:
    with pytest.raises(ValidationError, match="write labels: NAME"):
        configuration(models={"m0": {"examples": {}}})


def test_one_that_is_large_travels_in_parts() -> None:
    rows = [Example(id=f"{number:032x}", version="1", features={"text": "x" * 1_000}) for number in range(1_500)]
    labels = tuple(Outcome(id=row.id, version="1", label=1) for row in rows[:5])
    whole = Examples(
        join="outcomes",
        topic="t",
        topic_id="i",
        partition=0,
        first=MINUTE,
        bucket=MINUTE,
        model="m",
        predictions=tuple(rows),
        labels=labels,
    )
    parts = whole.split()
    assert max(len(part.encoded()) for part in parts) < 1.1 * LARGEST
    assert len({part.id for part in parts}) == len(parts) == 4
    assert [row for part in parts for row in part.predictions] == rows
    assert [one for part in parts for one in part.labels] == list(labels)
    assert Examples.decoded(parts[-1].encoded()) == parts[-1]
