"""Recordings keep everything that results rest on."""

import json
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, BusError, Output, TopicPartition
from driftbus.consumers.bus.recording import load_recording, write_recording

from .worlds import World, all_batches, numbered


def _records(bus: Bus, topic: str) -> list[tuple[object, ...]]:
    return [
        (batch.source, batch.append_time, *record)
        for batch in all_batches(bus, topic)
        for record in zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.headers(), batch.values, strict=True)
    ]


def test_a_recording_restores_offsets_times_and_ids(world: World, tmp_path: Path) -> None:
    bus, topic, other = world.bus(), world.topic(partitions=3), world.topic(settings={"message.timestamp.type": "LogAppendTime"})
    for _ in range(3):  # transactions leave gaps on Kafka
        bus.publish([*numbered(topic, 4), Output(topic, 1, b"\xff", None, (("h", b"\x00\xff"), ("text", b"1")), 5), *numbered(other, 2)])
    file = tmp_path / "recording.jsonl"
    assert write_recording(bus, [topic, other], file) == 21

    copy = EmbeddedBus(":memory:", "copy", "one")
    restored = load_recording(copy, file)
    for name in (topic, other):
        assert (restored[name].id, restored[name].partitions) == (bus.describe([name])[name].id, bus.describe([name])[name].partitions)
        assert _records(bus, name) == _records(copy, name)
    copy.close()


def test_a_recording_by_hand_needs_no_topic_lines(tmp_path: Path) -> None:
    file = tmp_path / "by-hand.jsonl"
    record: dict[str, object] = {
        "topic": "t",
        "topic_id": "x",
        "key": None,
        "timestamp": 7,
        "timestamp_type": "append",
        "headers": [],
        "value": "{}",
    }
    lines = [json.dumps(record | {"partition": p, "offset": o}) for p, o in [(0, 10), (0, 12), (2, 5)]]
    file.write_text("\n".join([*lines, ""]))
    bus = EmbeddedBus(":memory:", "copy", "one")
    described = load_recording(bus, file)["t"]
    assert (described.id, described.partitions) == ("x", 3)
    assert bus.watermarks(TopicPartition("t", 0)) == (10, 13)
    (batch,) = bus.read(TopicPartition("t", 0), 0, 100)
    assert batch.offsets.tolist() == [10, 12]
    assert batch.append_time
    with pytest.raises(BusError, match=r"t\[0\]: an offset from 10 to 12 is there already"):
        load_recording(bus, file)
    bus.close()


def test_what_is_no_recording_says_where(tmp_path: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text('{"topic": "t", "topic_id": "x", "offset": 0}\n{"topic": 1}\n')
    bus = EmbeddedBus(":memory:", "copy", "one")
    with pytest.raises(BusError, match=r"broken\.jsonl:2"):
        load_recording(bus, file)
    bus.close()


@pytest.mark.parametrize(("begins", "first"), [({"begins": [0, 5]}, (0, 5)), ({}, (2, 5))])
def test_a_gap_in_front_of_all_records_is_told_apart_from_what_retention_took(
    tmp_path: Path, begins: dict[str, object], first: tuple[int, int]
) -> None:
    """On Kafka a transaction that was given up leaves one; a replay that took it for deleted records would say so."""
    file, again = tmp_path / "one.jsonl", tmp_path / "again.jsonl"
    place = {"topic": "t", "topic_id": "x"}
    record = {**place, "key": None, "timestamp": 7, "value": "{}"}
    lines = [{**place, "partitions": 2, "settings": {}, **begins}, *(record | {"partition": p, "offset": o} for p, o in [(0, 2), (1, 5)])]
    file.write_text("\n".join(map(json.dumps, lines)))
    for recording in (file, again):
        bus = EmbeddedBus(":memory:", "copy", "one")
        load_recording(bus, recording)
        assert [bus.watermarks(TopicPartition("t", partition))[0] for partition in (0, 1)] == [*first]
        write_recording(bus, ["t"], again)
        bus.close()
