"""Names hold any character: what is known by several of them is told apart, however they would read side by side."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from driftbus.consumers.bus import addressing
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.detector.fold import Fold
from driftbus.consumers.detector.unexpected import UnexpectedFields
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.messages.notice import Notice
from driftbus.schemas.messages.pane import Pane, Unexpected
from driftbus.schemas.messages.progress import InputPartition

from ..streaming import Event, Sent, configuration, everything, prepare, send

#: Of each pair, model and version side by side, or with a slash between them, are one text.
PAIRS = [
    (("a/b", "1"), ("a", "b/1")),
    (("a", "/1"), ("a/", "1")),
    (("ab", "c"), ("a", "bc")),
    (("(others)", "-"), ("(others)/-", "")),
    (('["a"', "b]"), ('["a","b"]', "")),
]


def notices(bus: EmbeddedBus) -> list[Event]:
    return [event for partition in everything(bus, "driftbus.drift").values() for event in partition]


@pytest.mark.parametrize("pair", PAIRS)
def test_unmonitored_versions_are_told_each(pair: tuple[tuple[str, str], tuple[str, str]], tmp_path: Path) -> None:
    chosen = configuration(artifacts=str(tmp_path), models={})
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [], partitions=1)
    one = {"features": {"amount": 1.0}}
    send(bus, [Sent(0, i * 1000, msgspec.json.encode({"model": m, "version": v, **one})) for i in range(30) for m, v in pair if v])
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    found = notices(bus)
    named = {(event.content["model"], event.content["version"]) for event in found}
    assert named == {names for names in pair if names[1]}
    assert len({dict(event.headers)["ce_id"] for event in found}) == len(named)


def pane(names: tuple[str, str], field: str) -> Pane:
    place: dict[str, Any] = {"topic": "scored", "topic_id": "x", "partition": 0, "first": 0, "last": 9, "bucket": 10_000, "about": 10_000}
    found = (Unexpected(field, "number", 1),)
    return Pane(stream="predictions", model=names[0], version=names[1], rows=9, sampled=1, unexpected=found, **place)


@pytest.mark.parametrize("pair", PAIRS)
def test_unexpected_fields_are_told_of_each_version_also_after_a_restart(pair: tuple[tuple[str, str], tuple[str, str]]) -> None:
    told: list[Notice] = []
    fields = UnexpectedFields(configuration())
    for names in pair:
        told += fields.notices(*names, 10_000, [pane(names, "new")])
        fields = UnexpectedFields.restored(configuration(), msgspec.msgpack.decode(msgspec.msgpack.encode(fields.plain())))
    for names in pair:
        told += fields.notices(*names, 20_000, [pane(names, "new")])  # nothing: it is known
    assert [(notice.model, notice.version) for notice in told] == list(pair)
    assert len({notice.id for notice in told}) == 2


def test_a_field_named_like_a_version_is_another_fact() -> None:
    fields = UnexpectedFields(configuration())
    (one,) = fields.notices("a", "b", 10_000, [pane(("a", "b"), "c/d")])
    (other,) = fields.notices("a", "b/c", 10_000, [pane(("a", "b/c"), "d")])
    assert one.id != other.id


def test_lost_ranges_are_told_apart() -> None:
    ids = [
        Notice.lost("test", None, InputPartition(topic="t", topic_id=topic_id, partition=number), start, first).id
        for topic_id, number, start, first in (("x/1", 2, 3, 4), ("x", 1, 2, 34), ("x/1/2", 3, 4, 5), ("x", 12, 3, 4))
    ]
    assert len(set(ids)) == 4


def test_what_was_told_is_remembered_by_model_and_version() -> None:
    fold = Fold(configuration(), lambda key: pytest.fail(f"{key} has no tests"))
    fold.unmonitored |= {("a/b", "1"), ("(others)",)}
    state, states = fold.snapshot(7)
    again = type(state).model_validate(msgspec.msgpack.decode(msgspec.msgpack.encode(state.model_dump())))
    restored = Fold.restored(configuration(), fold.suite_of, again, states, {})
    assert restored.unmonitored == fold.unmonitored


def test_no_identity_is_a_text_of_several_facts() -> None:
    room = Path(addressing.__file__).parents[1]
    assert [path.name for path in room.rglob("*.py") if 'identity=f"' in path.read_text(encoding="utf-8")] == []
