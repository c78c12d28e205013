"""Snapshots: whole, or not at all; whoever else writes to the topic."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest

from driftbus.consumers.bus import snapshots
from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.schemas.stored.snapshot import CHUNK, FORM, PartitionState, Snapshot

from ..streaming import configuration

OURS = configuration()
ROLE = "detector"


def state(position: int, *states: str, form: int = FORM) -> PartitionState:
    return PartitionState(form=form, position=position, states=states, aligners={}, pending=())


def bus(policy: str = "compact") -> EmbeddedBus:
    """``delete``: as a compacted topic is on Kafka until the broker has compacted it."""
    made = EmbeddedBus(":memory:", "test", "a")
    made.create(OURS.topics.snapshots, 1, settings={"cleanup.policy": policy})
    return made


def written(
    of: PartitionState, parts: Mapping[str, bytes], before: Iterable[bytes] = (), application: str = "test", role: str = ROLE
) -> Any:
    chosen, stands = OURS.model_copy(update={"application": application}), snapshots.Stands(frozenset(before))
    return snapshots.written(chosen, role, 0, of, parts, stands).records


def read(log: EmbeddedBus, form: int = FORM) -> snapshots.Read:
    return snapshots.read(log, OURS, ROLE, 0, form)


def test_the_last_one_is_read_in_all_its_chunks() -> None:
    log, large = bus(), bytes(range(256)) * (CHUNK // 100)
    log.publish(written(state(5, "a", "b"), {"a": large, "b": b"1"}))
    first = read(log)
    assert first.last is not None
    assert first.last.states == {"a": large, "b": b"1"}
    log.publish(written(state(9, "a"), {"a": b"small"}, first.keys))
    second = read(log)
    assert second.last is not None
    assert (second.last.state.position, second.last.states) == (9, {"a": b"small"})
    assert len(second.keys) == 2  # what the large one was made of is gone
    assert not second.unreadable


@pytest.mark.parametrize("policy", ["compact", "delete"])
def test_what_lasts_is_written_once(policy: str) -> None:
    """And found again, whether what lies between has been compacted or not."""
    log, large = bus(policy), b"x" * (2 * CHUNK)
    stands, parts = snapshots.NOTHING, {"a": large, "b": b"1", "c": b"2"}
    for position, changes in ((5, {}), (7, {"b": b"3"}), (9, {"b": b"4"}), (11, {"c": b"5"})):
        parts = {**parts, **changes}
        one = snapshots.written(OURS, ROLE, 0, state(position, *parts), parts, stands, lasting=True)
        assert len(one.records) == (5 if position == 5 else 2)  # chunks of the large one, and the partition's own
        stands = one.stands
        log.publish(one.records)
        found = read(log)
        assert found.last is not None
        assert found.last.states == parts
        assert found.stands(lasting=True) == stands
    last = snapshots.written(OURS, ROLE, 0, state(13, "b"), {"b": b"4"}, read(log).stands(lasting=True), lasting=True)
    log.publish(last.records)
    found = read(log)
    assert found.last is not None
    assert found.last.states == {"b": b"4"}
    assert len(found.keys) == 2, "what is listed no more is gone"


def test_none_is_none() -> None:
    assert read(bus()) == snapshots.Read(None, frozenset(), {})


@pytest.mark.parametrize("order", ["old first", "new first"])
def test_two_releases_side_by_side_leave_each_others_alone(order: str) -> None:
    log, forms = bus(), (FORM, FORM + 1) if order == "old first" else (FORM + 1, FORM)
    for form in forms:
        log.publish(written(state(form, "k", form=form), {"k": b"x" * (CHUNK * (3 - form % 2))}, read(log, form).keys))
    for form in forms:
        found = read(log, form)
        assert found.last is not None
        assert (found.last.state.position, len(found.last.states["k"])) == (form, CHUNK * (3 - form % 2))
        assert not found.unreadable


@pytest.mark.parametrize("whose", [("another", ROLE), ("test", "joiner"), ("test-again", ROLE), ("test", "detector/0")])
def test_those_of_others_are_none_of_ours(whose: tuple[str, str]) -> None:
    log = bus()
    log.publish(written(state(5, "a"), {"a": b"1"}, (), *whose))
    assert read(log).last is None
    log.publish(written(state(3, "a"), {"a": b"ours"}, read(log).keys))
    log.publish(written(state(9, "a"), {"a": b"theirs"}, (), *whose))
    found = read(log)
    assert found.last is not None
    assert found.last.states == {"a": b"ours"}
    assert all(key.startswith(b"test/detector/") for key in found.keys)


def snapshot(**changes: object) -> Snapshot:
    return Snapshot(application="test", role=ROLE, partition=0, number=9, part="a", content=b"1").model_copy(update=changes)


KEY, LAST = snapshot().key.encode(), snapshot(part="").key.encode()
GARBAGE = {
    "no msgpack": (LAST, b"\xc1\xff"),
    "nothing": (LAST, b""),
    "no snapshot": (LAST, b"\x80"),
    "a number": (LAST, b"\x07"),
    "large": (LAST, b"\x00" * 1_000_000),
    "of others under our key": (LAST, snapshot(application="another", part="").encoded()),
    "a chunk of none": (KEY, snapshot(chunk=3).encoded()),
    "damaged part": (KEY, b"garbage"),
    "its own record damaged": (LAST, snapshot(part="", content=b"\xc1").encoded()),
    "another form within": (LAST, snapshot(part="", content=msgspec.msgpack.encode(state(9, form=9).model_dump())).encoded()),
    "parts missing": (LAST, snapshot(part="", content=msgspec.msgpack.encode(state(9, "a", "b").model_dump())).encoded()),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_of_what_cannot_be_read_the_one_before_is_used_and_it_is_told(what: str) -> None:
    log, (key, value) = bus("delete"), GARBAGE[what]
    log.publish([Output(OURS.topics.snapshots, 0, key, value)])
    assert read(log).last is None
    assert list(read(log).unreadable) == [0]
    log.publish(written(state(5, "a"), {"a": b"good"}, read(log).keys))
    log.publish([Output(OURS.topics.snapshots, 0, key, value)])
    found = read(log)
    assert found.last is not None
    assert found.last.states == {"a": b"good"}
    assert list(found.unreadable) == [3], "what lies in front of a whole one is nobody's loss"
    log.publish(written(state(12, "a"), {"a": b"better"}, found.keys))
    again = read(log).last
    assert again is not None
    assert again.state.position == 12


LARGE = b"x" * (CHUNK * 2 + 1)
#: Of two snapshots of two states, three chunks and one: what compaction, which stops anywhere, has left.
COMPACTED = {
    "a chunk": [1, 2, 3, 4],
    "chunks": [2, 3, 4],
    "a part": [0, 1, 2, 4],
    "all parts": [4],
    "nothing yet": [0, 1, 2, 3, 4],
}


@pytest.mark.parametrize("what", COMPACTED)
def test_what_compaction_has_left_of_an_earlier_one_is_not_told(what: str) -> None:
    log, whole = bus("delete"), written(state(5, "a", "b"), {"a": LARGE, "b": b"1"})
    log.publish([whole[place] for place in COMPACTED[what]])
    alone = read(log)
    assert list(alone.unreadable) == ([] if what == "nothing yet" else [len(COMPACTED[what]) - 1]), "without a later one it is a loss"
    log.publish(written(state(9, "a"), {"a": b"2"}))
    found = read(log)
    assert found.last is not None
    assert found.last.states == {"a": b"2"}
    assert not found.unreadable
    assert found.keys >= alone.keys
    log.publish([whole[4]])  # and behind it, it is one again
    assert list(read(log).unreadable) == [len(COMPACTED[what]) + 2]


@pytest.mark.parametrize("key", [b"\xff\xfe", b"", None, b"test/detector", b"0//0", b"another/detector/3/0/0/"])
def test_records_under_nobodys_key_are_passed_over(key: bytes | None) -> None:
    log = bus("delete")
    log.publish(written(state(5, "a"), {"a": b"good"}))
    log.publish([Output(OURS.topics.snapshots, 0, key, b"garbage")])
    found = read(log)
    assert found.last is not None
    assert not found.unreadable
