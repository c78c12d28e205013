"""Examples: every prediction that counts, with its features as the profiler read them, and its first label, step by step."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.joiner.blocks import Blocks
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.learning.learner import Learner, Settings
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import Block
from driftbus.schemas.messages.examples import LARGEST, Example, Examples, Outcome
from driftbus.schemas.messages.progress import Progress
from driftbus.schemas.outcome import id_halves, sampled
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField
from driftbus.schemas.text import CATEGORY, fitted

from ..detectors.learning.test_documented import READER
from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .test_blocks import LABELS, PREDICTIONS
from .test_joiner import MINUTE, SPAN, WAIT, run
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


def blocks_of(bus: Bus, chosen: Configuration) -> list[Block]:
    events = [event for found in everything(bus, chosen.topics.joins).values() for event in found]
    return [Block.decoded(event.value) for event in events if dict(event.headers)["ce_type"] == Block.TYPE.encode()]


def letters(bus: Bus, chosen: Configuration) -> list[str]:
    found = [event for events in everything(bus, chosen.topics.dead_letter).values() for event in events]
    return [dict(event.headers)["driftbus-reason"].decode() for event in found]


@pytest.mark.parametrize(("fields", "fits"), [(700, True), (1_300, False)])
def test_a_row_that_fits_into_no_record_is_told_of_and_counts_all_the_same(fields: int, *, fits: bool) -> None:
    """Names of 500 characters alone make it so large: a record beyond what brokers take would end whoever writes it at every start."""
    chosen, draw = settings(), np.random.default_rng(0)
    profile, present = profile_of(draw.normal(size=600)), AvailabilityProfile(counts=(600, 0, 0, 0))
    wide = tuple(ProfiledField(name=f"{i:04}" + "x" * 496, type="numeric", values=profile, availability=present) for i in range(fields))
    own = reference("m0")
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [own.model_copy(update={"fields": (*own.fields, *wide)})])
        bus.create(LABELS, 3)
        bus.publish(log(1, 9)[0])
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + SPAN + 70 * MINUTE))
        run(bus, chosen, *ROLES)
        for topic, kind in ((chosen.topics.joins, "block"), (chosen.topics.examples, "examples")):
            assert max(len(event.value) for found in everything(bus, topic).values() for event in found) <= RECORDS[kind]
        assert sum(block.rows for block in blocks_of(bus, chosen) if block.side == "predictions") == 3
        assert sum(len(one.predictions) for one in told(bus, chosen)) == (3 if fits else 0)
        assert sum(reason.startswith("no example: ") for reason in letters(bus, chosen)) == (0 if fits else 3)


NO_FEATURES: dict[str, bytes] = {
    "garbage": b"\xc1",
    "half": b"\x81",
    "a list": b"\x90",
    "a name that is none": b"\x81\x01\x01",
    "an object": b"\x81\xa1x\x80",
    "no number": b"\x81\xa1x\xcb\x7f\xf8" + bytes(6),
    "no end": b"\x81\xa1x\xcb\x7f\xf0" + bytes(6),
    "bytes": b"\x81\xa1x\xc4\x01\xff",
    "a megabyte": b"\x00" * 900_000,
}


@pytest.fixture(scope="module")
def joined() -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, settings(), log(1, 60)[0])
        run(bus, settings(), *ROLES)
        yield bus


@pytest.mark.parametrize("damage", NO_FEATURES.values(), ids=NO_FEATURES)
def test_a_block_whose_features_are_none_costs_itself(joined: EmbeddedBus, damage: bytes) -> None:
    """And is told of: at its step it would have stopped whatever came behind it."""
    chosen, records, lost = settings(), list[Output](), set[str]()
    for number, events in everything(joined, chosen.topics.joins).items():
        for event in events:
            value, is_block = event.value, dict(event.headers)["ce_type"] == Block.TYPE.encode()
            if is_block and not lost and any((block := Block.decoded(value)).whole):
                lost = {f"{hi:016x}{lo:016x}" for hi, lo in block.halves.tolist()}
                value = block.model_copy(update={"whole": tuple(damage for _ in block.whole)}).encoded()
            records.append(Output(chosen.topics.joins, number, event.key, value, event.headers))
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        publish(bus, chosen, [])
        bus.publish(records)
        run(bus, chosen, "joiner")
        found = {one.id for examples in told(bus, chosen) for one in examples.predictions}
        assert found == {one.id for examples in told(joined, chosen) for one in examples.predictions} - lost
        assert len(letters(bus, chosen)) == 1


def test_features_count_among_the_bytes_that_wait(joined: EmbeddedBus) -> None:
    block = next(one for one in blocks_of(joined, settings()) if one.whole)
    sizes = []
    for whole in ((), (b"\x80",) * block.rows, (b"x" * 10_000,) * block.rows):
        waiting = Blocks(lambda start, end, wanted: iter(()), 1 << 30)
        waiting.put(0, block.model_copy(update={"whole": whole}))
        sizes.append(waiting.bytes)
    assert [size - sizes[0] for size in sizes] == [0, block.rows, block.rows * 10_000]
