"""Snapshots on their compacted topic: written in the transaction that commits the offset they belong to, read back on assignment."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from ...schemas.stored.snapshot import CHUNK, FORM, PartitionState, Snapshot
from .interface import Bus, Output, TopicPartition


class Restored(NamedTuple):
    """What the last snapshot of a summaries partition holds."""

    state: PartitionState
    states: dict[str, bytes]
    keys: frozenset[bytes]  #: of the records it consists of


def written(topic: str, partition: int, state: PartitionState, states: Mapping[str, bytes], before: Iterable[bytes]) -> list[Output]:
    """The records of a snapshot, the partition's own last; keys of the one ``before`` that are gone become tombstones."""
    records: dict[bytes, bytes] = {}
    for key, content in {**states, "": msgspec.msgpack.encode(state.model_dump())}.items():
        chunks = max(1, -(-len(content) // CHUNK))
        for chunk in range(chunks):
            part = content[chunk * CHUNK : (chunk + 1) * CHUNK]
            one = Snapshot(partition=partition, number=state.position, key=key, chunk=chunk, chunks=chunks, content=part)
            records[one.record_key.encode()] = one.encoded()
    gone = [Output(topic, partition, key, None) for key in sorted(set(before) - set(records))]
    return gone + [Output(topic, partition, key, value) for key, value in records.items()]


def read(bus: Bus, topic: str, partition: int) -> Restored | None:
    """The last snapshot of a partition; None if there is none, or one of another form (by another version of driftbus).

    Read to the end as it is under *uncommitted* reads: a transaction that a dead predecessor left open is waited for.
    """
    place = TopicPartition(topic, partition)
    start, _ = bus.watermarks(place)
    _, end = bus.watermarks(place, committed=False)
    latest: dict[bytes, bytes] = {}
    for batch in bus.read(place, start, end):
        for key, value in zip(batch.keys(), batch.values, strict=True):
            if key is not None and value:
                latest[key] = value
            elif key is not None:
                latest.pop(key, None)
    parts: dict[str, list[Snapshot]] = {}
    for value in latest.values():
        snapshot = Snapshot.decoded(value)
        parts.setdefault(snapshot.key, []).append(snapshot)
    if "" not in parts:
        return None
    contents = {key: _whole(chunks) for key, chunks in parts.items()}
    state = PartitionState.model_validate(msgspec.msgpack.decode(contents.pop("")))
    if state.form != FORM:
        return None
    missing = [key for key in state.states if key not in contents]
    if missing:
        msg = f"{place}: the snapshot at {state.position} lacks {', '.join(missing)}: the topic must be compacted, never deleted from"
        raise LookupError(msg)
    return Restored(state, {key: contents[key] for key in state.states}, frozenset(latest))


def _whole(chunks: list[Snapshot]) -> bytes:
    chunks.sort(key=lambda one: one.chunk)
    if [one.chunk for one in chunks] != list(range(chunks[0].chunks)) or len({one.number for one in chunks}) > 1:
        msg = f"snapshot of {chunks[0].key or 'the partition'}: {len(chunks)} of {chunks[0].chunks} chunks"
        raise LookupError(msg)
    return b"".join(one.content for one in chunks)
