"""Rows of a feature log one by one: which meet, what is told of bad ones, and what of users' data goes into the joins topic."""

from collections.abc import Iterable
from contextlib import closing
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.console.agreement import compared_of, sentences
from driftbus.consumers.decode.personal import key_id
from driftbus.consumers.pipeline.own_topics import own_topics
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import FORM, Block
from driftbus.schemas.stored.reference import FieldRule, Reference

from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .test_agreement import LOG, SERVED, settings
from .test_joiner import MINUTE, run

KEY = "0123456789abcdef0123456789abcdef"
FEATURES = {"amount": 0.5, "age": 30, "colour": "red"}
ONE = {"m0": {"agreement": {"log": "warehouse"}}}
TIME = "2023-11-14T22:13:20.500Z"  # half a second behind the beginning


def served(features: dict[str, Any], at: int = 0, model: str = "m0", **more: object) -> Output:
    named = {"customer": "customer-1", "as_of": BEGINNING + 500} | more
    value = {"model": model, "version": "1", "features": features, "score": 0.5, **named}
    return Output(SERVED, 0, None, msgspec.json.encode(value), (), BEGINNING + at)


def offline(values: object, /, *, at: int = 1_000, **more: object) -> Output:
    value = {"entity": "customer-1", "as_of": TIME, "values": values, **more}
    return Output(LOG, 0, None, msgspec.json.encode(value), (), BEGINNING + at)


class World:
    """What comes of some records."""

    def __init__(self, chosen: Configuration, sent: Iterable[Output], references: Iterable[Reference] = ()) -> None:
        with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
            prepare(bus, chosen, [*references] or [reference("m0"), reference("m1")])
            bus.create(LOG, 3, settings={"retention.ms": "-1"})
            bus.publish(list(sent))
            for topic, partitions in ((SERVED, 4), (LOG, 3)):
                bus.publish(end_records("test", topic, partitions, BEGINNING + 100 * MINUTE))
            run(bus, chosen, "profiler", "joiner")
            self.told = list(sentences(compared_of(bus, chosen)))
            letters = (event for own in everything(bus, chosen.topics.dead_letter).values() for event in own)
            self.letters = [dict(one.headers) for one in letters]
            joins = [event for own in everything(bus, chosen.topics.joins).values() for event in own]
            self.joins = b"".join(event.value for event in joins)
            self.blocks = [Block.decoded(event.value) for event in joins if dict(event.headers)["ce_type"] == b"io.driftbus.block"]


def test_one_row_meets_its_prediction() -> None:
    world = World(settings(), [served(FEATURES), offline(FEATURES | {"amount": 50})])
    assert world.told == [
        "m0/1: 1 of 1 predictions met a row of the feature log; they differ in amount 100.0%",
        "m1: 1 rows of the feature log met no prediction",  # for the row says no model
    ]
    assert not world.letters
    assert {(block.side, block.form, block.compared) for block in world.blocks} == {
        ("served", FORM, 3),
        ("offline", FORM, 3),
        ("offline", FORM, 2),
    }


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (offline(FEATURES, at=29 * MINUTE), 1),
        (offline(FEATURES, at=32 * MINUTE), 0),
        (offline(FEATURES, entity="c2"), 0),
        (offline(FEATURES, as_of=BEGINNING + 501), 0),
        (offline(FEATURES, as_of=(BEGINNING + 500) / 1000), 1),
        (offline({"unknown": 1}), 1),  # a row, without anything that could be compared
    ],
)
def test_what_meets(row: Output, met: int) -> None:
    told, *more = World(settings(models=ONE), [served(FEATURES), row]).told
    assert told == f"m0/1: {met} of 1 predictions met a row of the feature log; none differs"
    assert (f"m0: {1 - met} rows of the feature log met no prediction" in more) == (not met)


def test_a_row_may_say_its_model() -> None:
    chosen = settings({"mapping": {"model": "model"}})
    sent = [served(FEATURES), served(FEATURES, model="m1"), offline(FEATURES | {"age": 18}, model="m1")]
    assert World(chosen, sent).told == [
        "m0/1: 0 of 1 predictions met a row of the feature log; none differs",
        "m1/1: 1 of 1 predictions met a row of the feature log; they differ in age 100.0%",
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (offline(FEATURES, entity=None), "entity: no entity, so nobody knows whose values they are"),
        (offline(FEATURES, entity=["customer-1"]), "entity: a list is not an entity's name"),
        (offline(FEATURES, as_of="soon"), 'as_of: "soon" is not a time, so nobody knows as of when the values are'),
        (offline(FEATURES, as_of=None), "as_of: no time, so nobody knows as of when the values are"),
        (offline(FEATURES, rev="a"), 'rev: "a" is not a whole number'),
        (offline(None), "values: no values of features"),
        (offline(FEATURES | {"age": "old"}), 'values.age: "old" is not a number'),
        (Output(LOG, 0, None, b"{", (), BEGINNING + 1_000), "not JSON"),
    ],
)
def test_bad_rows_are_dead_letters_that_say_why(row: Output, reason: str) -> None:
    world = World(settings(models=ONE), [served(FEATURES), row, offline(FEATURES, at=2_000)])
    assert world.told == ["m0/1: 1 of 1 predictions met a row of the feature log; none differs"]
    (letter,) = world.letters
    assert letter["driftbus-reason"].decode().startswith(reason)
    assert (letter["driftbus-topic"], letter["driftbus-offset"]) == (LOG.encode(), b"0")


def test_personal_data_is_joined_as_the_rules_leave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)
    personal = {"drop": ["age"], "hash": ["colour"], "key": "KEY"}
    models = {"m0": {"agreement": {"log": "warehouse"}, "personal": personal}}
    rule = FieldRule(hash=key_id(KEY.encode()))
    fields = [one for one in reference("m0").fields if one.name != "age"]
    fields = [one.model_copy(update={"rule": rule}) if one.name == "colour" else one for one in fields]
    ruled = reference("m0").model_copy(update={"fields": tuple(fields)})
    chosen = settings({"key": "KEY"}, models=models)
    planted = FEATURES | {"colour": "PLANTED"}
    same = World(chosen, [served(planted), offline(planted | {"age": 18})], [ruled])
    assert same.told == ["m0/1: 1 of 1 predictions met a row of the feature log; none differs"]
    assert {block.compared for block in same.blocks} == {2}
    other = World(chosen, [served(planted), offline(planted | {"colour": "PLANTED2"})], [ruled])
    assert other.told == ["m0/1: 1 of 1 predictions met a row of the feature log; they differ in colour 100.0%"]
    assert not any(word in world.joins for world in (same, other) for word in (b"PLANTED", b"customer-1"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"features": {}}, "models.m0.agreement.log: 'warehouse' is not among features: there are none"),
        ({"stream": {"mapping": {}}}, "write streams.predictions.mapping.entity"),
        ({"stream": {"pane": "500 rows", "mapping": {"entity": "c"}}}, "a feature log needs panes of a fixed time"),
        (
            {"features": {"predictions": {"topics": [LOG]}}, "models": {"m0": {"agreement": {"log": "predictions"}}}},
            "features.predictions: is the name of a stream, too",
        ),
        ({"models": {"m0": {}}}, "no model is compared with this log"),
        ({"features": {"warehouse": {"topics": [SERVED]}}}, "features.warehouse.where: scored holds predictions, too"),
        ({"models": {"m0": {"agreement": {"log": "warehouse", "features": ["a", "a"]}}}}, "a: twice in the list"),
        ({"models": {"m0": {"agreement": {"log": "warehouse", "features": 25}}}}, "less than or equal to 24"),
        (
            {"models": {"m0": {"agreement": {"log": "warehouse", "features": ["a"]}, "personal": {"drop": ["a"]}}}},
            "agreement.features: a is dropped by personal.drop",
        ),
    ],
)
def test_what_cannot_hold_is_refused(changes: dict[str, Any], why: str) -> None:
    plain: dict[str, Any] = {
        "features": {"warehouse": {"topics": [LOG]}},
        "models": {"m0": {"agreement": {"log": "warehouse"}}},
        "stream": {"mapping": {"entity": "customer"}},
    }
    with pytest.raises(ValidationError, match=why.replace("(", r"\(")):
        configuration(**{**plain, **changes})


def test_the_joins_topic_is_kept_as_long_as_rows_wait() -> None:
    chosen = settings({"wait": "10d", "early": "1d"}, stream={"pane": "1m", "clock": "live", "mapping": {"entity": "c"}})
    (joins,) = (topic for topic in own_topics(chosen) if topic.name == chosen.topics.joins)
    assert int(joins.settings["retention.ms"]) == 21 * 86_400_000 * 5 // 4
