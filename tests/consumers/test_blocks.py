"""Predictions and labels as they wait for each other: the blocks of the joins topic, compared with what was sent, row by row."""

from collections import defaultdict
from contextlib import closing
from typing import Any

import msgspec
import numpy as np
import pytest
import xxhash
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.waiting import Named, Waiting, rows_of
from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.records import end_records
from driftbus.consumers.streams.spans import Spans
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import Block, Whose
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.outcome import NO_VALUE, class_code, id_halves, number_code

from ..streaming import BEGINNING, configuration, everything, message, prepare, reference

LABELS, PREDICTIONS = "known", "scored"


def settings(labels: dict[str, Any] | None = None, **changes: Any) -> Configuration:  # keys of any type
    own = {"topics": [LABELS], "wait": "1h", "early": "1m", **(labels or {})}
    models = {"m0": {"labels": "outcomes"}, "m1": {"labels": "outcomes"}, "m2": {}}
    return configuration(labels={"outcomes": own}, models=models, **changes)


def predicted(draw: np.random.Generator, model: str, id_: object, **more: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(message(draw, model)) | {"id": id_} | more)


def made(
    chosen: Configuration, sent: list[Output], seconds: int = 60, bus: EmbeddedBus | None = None
) -> tuple[list[Block], dict[int, Any]]:
    """The blocks that come of these records, and the dead letters."""
    with closing(bus or EmbeddedBus(":memory:", "test", "one")) as own:
        prepare(own, chosen, [reference(model) for model in ("m0", "m1", "m2")])
        own.create(LABELS, 3, settings={"retention.ms": "-1"})
        own.publish(sent)
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            own.publish(end_records("test", topic, partitions, BEGINNING + seconds * 1000))
        pipeline = Pipeline(own, chosen, ["profiler"])
        for _ in pipeline.run_until_end():
            pass
        pipeline.close()
        joins = everything(own, chosen.topics.joins)
        blocks = [
            Block.decoded(event.value)
            for number in sorted(joins)
            for event in joins[number]
            if dict(event.headers)["ce_type"] == b"io.driftbus.block"
        ]
        for number, events in joins.items():
            own_blocks = [Block.decoded(event.value) for event in events if dict(event.headers)["ce_type"] == b"io.driftbus.block"]
            assert {block.number for block in own_blocks} <= {number}
        return blocks, everything(own, chosen.topics.dead_letter)


def flat(blocks: list[Block]) -> dict[tuple[str, int, int], tuple[Any, ...]]:
    """Rows by side, partition and offset."""
    found: dict[tuple[str, int, int], tuple[Any, ...]] = {}
    for block in blocks:
        second = block.scores if block.side == "predictions" else block.revisions
        for row in range(block.rows):
            whose = block.whose[int(block.of[row])]
            key = block.side, block.partition, block.first + int(block.offsets[row])
            assert key not in found
            digest = int(block.halves[row, 0]) << 64 | int(block.halves[row, 1])
            assert digest & (2**64 - 1) == int(block.halves[row, 1])
            assert int(block.halves[row, 1]) % 8 == block.number
            found[key] = digest, whose.model, whose.version, block.bucket, int(block.values[row]), int(second[row])
            assert block.bucket + int(block.waters[row]) >= block.start
    return found


def known(block: Block) -> bytes:
    return block.model_copy(update={"topic_id": ""}).encoded()


def hashed(text: str) -> int:
    return xxhash.xxh3_128_intdigest(text.encode())


def world(seed: int, rows: int = 600) -> tuple[list[Output], dict[tuple[str, int, int], tuple[Any, ...]]]:
    """Predictions of three models, one without labels, and labels of every kind; and the rows that are to wait."""
    draw, sent, expected, offsets = (
        np.random.default_rng(seed),
        list[Output](),
        dict[tuple[str, int, int], tuple[Any, ...]](),
        defaultdict[Any, int](int),
    )
    for i in range(rows):
        time = BEGINNING + i * 100
        bucket = (time // 10_000 + 1) * 10_000
        if draw.random() < 0.6:
            model, place, score = f"m{i % 3}", int(draw.integers(4)), float(draw.random())
            sent.append(Output(PREDICTIONS, place, None, predicted(draw, model, f"id{i // 2}" if i % 5 else i, score=score), (), time))
            if model != "m2":
                value = int(score >= 0.5), round(score * 2**20)
                expected["predictions", place, offsets["p", place]] = hashed(f"id{i // 2}" if i % 5 else str(i)), model, "1", bucket, *value
            offsets["p", place] += 1
        else:
            place, kind = int(draw.integers(3)), i % 6
            label: dict[str, Any] = {"id": f"id{int(draw.integers(rows // 2))}", "label": (True, False, 1, "0", None, "true")[kind]}
            if i % 7 == 0:
                label["model"], label["rev"] = "m1", i
            sent.append(Output(LABELS, place, None, msgspec.json.encode(label), (), time))
            value = (1, 0, 1, 0, NO_VALUE, 1)[kind], label.get("rev", 0)
            expected["labels", place, offsets["l", place]] = hashed(label["id"]), label.get("model", ""), "", bucket, *value
            offsets["l", place] += 1
    return sent, expected


MAPPED = {"mapping": {"model": "model", "revision": "rev"}}


@pytest.mark.parametrize("seed", range(3))
def test_every_row_waits_once_where_its_id_does(seed: int) -> None:
    sent, expected = world(seed)
    blocks, letters = made(settings(MAPPED), sent)
    found = flat(blocks)
    # a row may be late, and stand in the next bucket: all else is as it was sent
    assert {key: (*row[:3], *row[4:]) for key, row in found.items()} == {key: (*row[:3], *row[4:]) for key, row in expected.items()}
    assert sum(found[key][3] != row[3] for key, row in expected.items()) <= len(expected) // 50
    assert not letters
    again, _ = made(settings(MAPPED), sent)
    assert [known(block) for block in again] == [known(block) for block in blocks]


def test_a_sample_is_the_same_ids_on_both_sides_and_part_of_a_larger_one() -> None:
    sent, _ = world(7)
    whole = {row[0] for row in flat(made(settings(MAPPED), sent)[0]).values()}
    before = whole
    for rate in (0.5, 0.2):
        found = flat(made(settings({**MAPPED, "sample": rate}), sent)[0])
        ids = {row[0] for row in found.values()}
        assert ids == {one for one in whole if one >> 64 < rate * 2**64}
        assert ids < before
        before = ids


CLASSES: dict[str, tuple[dict[str, Any], Any, int]] = {
    "a class": ({"outcome": "category"}, "cat", class_code("cat")),
    "a class that is a number": ({"outcome": "category"}, 3.0, class_code("3")),
    "a number": ({"outcome": "number"}, 2.5, number_code(2.5)),
    "a number as text": ({"outcome": "number"}, "-1e3", number_code(-1000.0)),
    "minus zero": ({"outcome": "number"}, -0.0, number_code(0.0)),
    "one of two words": ({"positive": "fraud"}, "fraud", 1),
    "the other": ({"positive": "fraud"}, "legit", 0),
    "two numbers": ({"positive": "2"}, 2, 1),
    "taken back": ({"mapping": {"retracted": "gone"}}, None, NO_VALUE),
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_label_is_read_as_its_kind(name: str) -> None:
    own, label, value = CLASSES[name]
    blocks, letters = made(settings(own), [Output(LABELS, 0, None, msgspec.json.encode({"id": "a", "label": label}), (), BEGINNING)])
    assert [row[4] for row in flat(blocks).values()] == [value]
    assert not letters


BAD: dict[str, tuple[bytes | None, str]] = {
    "no id": (b'{"label": 1}', "id: no id"),
    "an empty id": (b'{"id": "", "label": 1}', "id: no id"),
    "an id that is a list": (b'{"id": [1], "label": 1}', "id: a list is not an id"),
    "half a surrogate": (b'{"id": "\\ud800", "label": 1}', "is not an id"),
    "no label": (b'{"id": "a"}', "label: no label"),
    "a label of another kind": (b'{"id": "a", "label": "yes"}', 'label: "yes" is not true or false'),
    "no JSON": (b"{", "not JSON"),
    "a revision that is no number": (b'{"id": "a", "label": 1, "rev": "x"}', 'rev: "x" is not a whole number'),
    "half a revision": (b'{"id": "a", "label": 1, "rev": 1.5}', "is not a whole number"),
    "a model that is an object": (b'{"id": "a", "label": 1, "model": {}}', "is not a model"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_label_that_cannot_be_read_is_a_dead_letter_and_costs_only_itself(name: str) -> None:
    value, reason = BAD[name]
    good = msgspec.json.encode({"id": "a", "label": 1})
    sent = [Output(LABELS, 0, None, one, (), BEGINNING) for one in (good, value, good, None)]
    blocks, letters = made(settings(MAPPED), sent)
    assert [key[2] for key in flat(blocks)] == [0, 2]
    ((letter,),) = letters.values()
    assert reason in str(letter.headers) + str(letter.value)


def test_blocks_fit_into_records_whatever_the_names() -> None:
    waiting, rows = Waiting(), 2_000
    halves = id_halves([str(i) for i in range(rows)])
    of = np.array([waiting.code(Whose(f"{i}" + "\U0001f600" * 490, "\U0001f600" * 500, "r" * 71, i)) for i in range(rows)])
    waiting.add(rows_of(halves, of=of, bucket=10_000, water=9_000, offset=np.arange(rows), value=2**62, beside=2**20))
    named = Named("outcomes", "predictions", "predictions", InputPartition(topic="t", topic_id="i", partition=0))
    blocks = waiting.blocks(named, 0, rows, Every(10_000), 2)
    assert sum(block.rows for block in blocks) == rows
    assert max(len(block.encoded()) for block in blocks) + 2_000 <= RECORDS["block"]
    assert len({block.id for block in blocks}) == len(blocks)


@pytest.mark.parametrize("place", ["key", "header:row"])
def test_ids_may_stand_beside_the_message(place: str) -> None:
    draw = np.random.default_rng(0)
    beside = (b"a", ()) if place == "key" else (None, (("row", b"a"),))
    stream, labels = {"mapping": {"id": place}}, {"mapping": {"id": place}}
    sent = [
        Output(PREDICTIONS, 0, beside[0], message(draw, "m0"), beside[1], BEGINNING),
        Output(PREDICTIONS, 0, None, message(draw, "m0"), (), BEGINNING),  # without any: it waits for nothing
        Output(LABELS, 0, beside[0], b'{"label": true}', beside[1], BEGINNING),
    ]
    blocks, letters = made(settings(labels, stream=stream), sent)
    assert [row[0] for row in flat(blocks).values()] == [hashed("a")] * 2
    assert not letters


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"order": "matured"}, "matured needs maturity"),
        ({"wait": "1h", "maturity": "61m"}, "maturity: 61m is longer than wait, 1h"),
    ],
)
def test_a_maturity_that_cannot_hold_is_refused(own: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        settings(own)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ({"pane": "10s"}, {"pane": "1m"}, "pane"),
        ({"clock": "record"}, {"clock": "live"}, "clock"),
        ({"clock": "record"}, {"clock": "record", "grace": "2s"}, "grace"),
        ({"clock": "live"}, {"clock": "live", "patience": "1m"}, "patience"),
        ({"clock": "record"}, {"clock": "record", "patience": "1m"}, None),  # nobody is given up
    ],
)
def test_streams_of_models_with_the_same_labels_are_alike(one: dict[str, str], other: dict[str, str], apart: str | None) -> None:
    streams = {"one": {"topics": ["a"], "mapping": {"id": "id"}, **one}, "other": {"topics": ["b"], "mapping": {"id": "id"}, **other}}
    models = {"m0": {"labels": "outcomes", "stream": "one"}, "m1": {"labels": "outcomes", "stream": "other"}}
    plain = {"application": "test", "bus": "embedded", "streams": streams, "models": models, "labels": {"outcomes": {"topics": [LABELS]}}}
    if apart is None:
        assert Configuration.model_validate(plain).awaited_by("outcomes") == ("one", "other")
        return
    with pytest.raises(ValidationError, match=f"streams.one.{apart} is .*, and streams.other.{apart} is .* must be alike"):
        Configuration.model_validate(plain)


def test_a_maturity_is_whole_panes() -> None:
    own = {"order": "matured", "wait": "90s", "maturity": "61s"}
    assert Spans.of(settings(own, stream={"pane": "1m"}), "outcomes").maturity == 120_000
    assert Spans.of(settings(own | {"order": "arrival"}, stream={"pane": "1m"}), "outcomes").maturity is None
