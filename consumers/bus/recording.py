"""Recordings: topics as lines of JSON, to replay elsewhere with the same offsets, times and ids.

A record is ``{topic, topic_id, partition, offset, key, timestamp, timestamp_type, headers, value}``; bytes are text where they are UTF-8,
else ``{"base64": ...}``. In front of a topic's records stands a line with its ``partitions`` and ``settings``; it may be missing. Its
``begins`` are the first offsets of all partitions, where a transaction that was given up, and not retention, left a gap behind one.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from .embedded import EmbeddedBus
from .interface import Batch, Bus, BusError, TopicDescription, TopicPartition
from .log import BEGINS, Recorded

#: Records restored in one transaction.
_TOGETHER = 10_000
#: A recording's first line is shorter; another file may have no lines at all.
_LONGEST_LINE = 1 << 24
_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}


class Base64(msgspec.Struct, frozen=True):
    """Bytes that are no text."""

    base64: str


Bytes = str | Base64 | None


class TopicLine(msgspec.Struct, frozen=True, kw_only=True):
    """A topic, in front of its records."""

    topic: str
    topic_id: str
    partitions: int
    settings: dict[str, str] = {}
    begins: list[int] = []


class RecordLine(msgspec.Struct, frozen=True, kw_only=True):
    """A record."""

    topic: str
    topic_id: str
    partition: int
    offset: int
    key: Bytes
    timestamp: int
    timestamp_type: Literal["create", "append"] = "create"
    headers: list[tuple[str, Bytes]] = []
    value: Bytes


class _Line(TopicLine, frozen=True, kw_only=True):
    """Either; a record by its offset."""

    partitions: int = 0
    partition: int = 0
    offset: int | None = None
    key: Bytes = None
    timestamp: int = 0
    timestamp_type: Literal["create", "append"] = "create"
    headers: list[tuple[str, Bytes]] = []
    value: Bytes = None


def _written(content: bytes | None) -> Bytes:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return Base64(base64.b64encode(content).decode())


def _read(content: Bytes) -> bytes | None:
    if isinstance(content, Base64):
        return base64.b64decode(content.base64, validate=True)
    return None if content is None else content.encode()


def write_recording(bus: Bus, topics: Sequence[str], file: Path) -> int:
    """Write all committed records of these topics, as far as they are there now; how many."""
    described = bus.describe(topics)
    if missing := [topic for topic in topics if topic not in described]:
        msg = f"topic {missing[0]} does not exist: nothing is recorded"
        raise BusError(msg)
    count = 0
    with file.open("wb") as out:
        for topic in described.values():
            begins = _begins(bus, topic)
            told = TopicLine(topic=topic.name, topic_id=topic.id, partitions=topic.partitions, settings={**topic.settings}, begins=begins)
            out.write(msgspec.json.encode(told))
            out.write(b"\n")
            for partition in range(topic.partitions):
                source = TopicPartition(topic.name, partition)
                for batch in bus.read(source, *bus.watermarks(source)):
                    out.write(msgspec.json.Encoder().encode_lines(list(_lines(topic, batch))))
                    count += len(batch)
    return count


def _begins(bus: Bus, topic: TopicDescription) -> list[int]:
    """Where its partitions begin; nothing where all do at their first records."""
    sources = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
    begins = [bus.watermarks(source)[0] for source in sources]
    firsts = [next((int(batch.offsets[0]) for batch in bus.read(source, *bus.watermarks(source)) if len(batch)), 0) for source in sources]
    return begins if any(begin < first for begin, first in zip(begins, firsts, strict=True)) else []


def _lines(topic: TopicDescription, batch: Batch) -> Iterator[RecordLine]:
    columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.headers(), batch.values, strict=True)
    for offset, timestamp, key, headers, value in columns:
        yield RecordLine(
            topic=topic.name,
            topic_id=topic.id,
            partition=batch.source.partition,
            offset=offset,
            key=_written(key),
            timestamp=timestamp,
            timestamp_type="append" if batch.append_time else "create",
            headers=[(name, _written(content)) for name, content in headers],
            value=_written(value),
        )


def is_recording(file: Path) -> bool:
    """Whether a file is one, by its first line."""
    with file.open("rb") as lines:
        try:
            first = msgspec.json.decode(lines.readline(_LONGEST_LINE))
        except (ValueError, msgspec.DecodeError):
            return False
    return isinstance(first, dict) and {"topic", "topic_id"} <= first.keys()


def load_recording(bus: EmbeddedBus, file: Path) -> dict[str, TopicDescription]:
    """Restore a recording's topics; those it held."""
    described: dict[str, TopicDescription] = {}
    with file.open("rb") as lines:
        parsed = _parsed(file, lines)
        while chunk := list(islice(parsed, _TOGETHER)):
            by_topic: dict[str, list[Recorded]] = {}
            for line in chunk:
                records = by_topic.setdefault(line.topic, [])
                if line.offset is None:
                    begins = {BEGINS: ",".join(map(str, line.begins))} if line.begins else {}
                    described[line.topic] = TopicDescription(line.topic, line.topic_id, line.partitions, line.settings | begins)
                    continue
                if line.topic not in described:
                    settings = _APPEND_TIME if line.timestamp_type == "append" else {}
                    described[line.topic] = TopicDescription(line.topic, line.topic_id, line.partition + 1, settings)
                told = described[line.topic]
                if line.timestamp_type == "append" and not told.settings:  # who recorded it was not allowed to read them
                    described[line.topic] = replace(told, settings=_APPEND_TIME)
                headers = tuple((name, _read(content) or b"") for name, content in line.headers)
                records.append(Recorded(line.partition, line.offset, line.timestamp, _read(line.key), _read(line.value), headers))
            for topic, records in by_topic.items():
                bus.restore(described[topic], records)
    return bus.describe(list(described))


def recorded(file: Path, topic: str) -> Iterator[Recorded]:
    """The records of one topic, in the order in which they stand there."""
    with file.open("rb") as lines:
        for line in _parsed(file, lines):
            if line.topic == topic and line.offset is not None:
                headers = tuple((name, _read(content) or b"") for name, content in line.headers)
                yield Recorded(line.partition, line.offset, line.timestamp, _read(line.key), _read(line.value), headers)


def _parsed(file: Path, lines: Iterator[bytes]) -> Iterator[_Line]:
    decoder = msgspec.json.Decoder(_Line)
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"{file.name}:{number}: not a line of a recording: {error}"
            raise BusError(msg) from error
