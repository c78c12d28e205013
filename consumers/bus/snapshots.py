"""Snapshots on their compacted topic: written in the transaction that commits the offset they belong to, read back on assignment.

*Guarantee.* A snapshot is read whole or not at all; of several that are there, the last that is whole. What lies between, of other
applications, other forms, or of nobody, does not change that. One that cannot be read is told, and the one before it is used, or none:
then the topic is folded again from its beginning, with the same result as long as it is all there. In front of a whole one nothing is told:
compaction, which stops anywhere, leaves parts of earlier ones.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from ...schemas.configuration import Configuration
from ...schemas.stored.snapshot import CHUNK, FORM, PartitionState, Snapshot, keys_of
from .addressing import addressed
from .interface import Bus, Output, TopicPartition
from .own import Unreadable, content


class Restored(NamedTuple):
    """What the last snapshot of a partition holds."""

    state: PartitionState
    states: dict[str, bytes]


class Read(NamedTuple):
    """What was found of one partition's snapshots."""

    last: Restored | None
    keys: frozenset[bytes]  #: of all records there are of it: those that the next one does not write again are to be tombstones
    unreadable: Mapping[int, str]  #: records behind the last that were passed over: offsets, with reasons


def written(
    configuration: Configuration, role: str, partition: int, state: PartitionState, parts: Mapping[str, bytes], before: Iterable[bytes]
) -> list[Output]:
    """The records of a snapshot, the partition's own last; keys of the one ``before`` that are gone become tombstones."""
    topic, records = configuration.topics.snapshots, dict[bytes | None, Output]()
    for part, whole in {**parts, "": msgspec.msgpack.encode(state.model_dump())}.items():
        chunks = max(1, -(-len(whole) // CHUNK))
        for chunk in range(chunks):
            one = Snapshot(
                application=configuration.application,
                role=role,
                partition=partition,
                number=state.position,
                part=part,
                chunk=chunk,
                chunks=chunks,
                content=whole[chunk * CHUNK : (chunk + 1) * CHUNK],
                form=state.form,
            )
            output = addressed(configuration, topic, one, partition)
            records[output.key] = output
    gone = [Output(topic, partition, key, None) for key in sorted(set(before) - set(records))]
    return gone + list(records.values())


def read(bus: Bus, configuration: Configuration, role: str, partition: int, form: int = FORM) -> Read:
    """The last snapshot of a partition that a role of this application wrote, and that is whole.

    Read to the end as it is under *uncommitted* reads: a transaction that a dead predecessor left open is waited for.
    """
    place = TopicPartition(configuration.topics.snapshots, partition)
    ours = keys_of(configuration.application, role, partition, form).encode()
    start, _ = bus.watermarks(place)
    _, end = bus.watermarks(place, committed=False)
    last: Restored | None = None
    keys, unreadable, parts = set[bytes](), dict[int, str](), _Parts(form)
    for batch in bus.read(place, start, end):
        for offset, key, value in zip(batch.offsets.tolist(), batch.keys(), batch.values, strict=True):
            if key is None or not key.startswith(ours):
                continue
            if value is None:
                keys.discard(key)
                continue
            keys.add(key)
            try:
                if whole := parts.add(key, value):
                    last = whole
                    unreadable.clear()
            except Unreadable as error:
                unreadable[offset] = str(error)
    return Read(last, frozenset(keys), unreadable)


class _Parts:
    """Of the records read, those that no whole snapshot has been made of yet: by number, part and chunk."""

    def __init__(self, form: int) -> None:
        self._form = form
        self._read: dict[int, dict[str, dict[int, Snapshot]]] = {}

    def add(self, key: bytes, value: bytes) -> Restored | None:
        """Take a record; the snapshot that it completes. Raises `Unreadable`; what was read before is then as it was."""
        one = content(Snapshot.decoded, value)
        if one.key.encode() != key or not 0 <= one.chunk < one.chunks:
            msg = f"a snapshot's record under another's key: {one.key}"
            raise Unreadable(msg)
        self._read.setdefault(one.number, {}).setdefault(one.part, {})[one.chunk] = one
        if one.part or one.chunk + 1 < one.chunks:
            return None
        whole = self._whole(one.number)
        self._read.clear()  # a snapshot's last record is the partition's: what came before it belongs to none that is to come
        return whole

    def _whole(self, number: int) -> Restored:
        found = self._read[number]
        state = content(_state, _joined(found[""]))
        if state.form != self._form or state.position != number:
            msg = f"a snapshot of form {state.form} at {state.position}, under form {self._form} at {number}"
            raise Unreadable(msg)
        missing = [part for part in state.states if part not in found]
        if missing:
            msg = f"the snapshot at {number} lacks {', '.join(missing)[:200]}: the topic must be compacted, never deleted from"
            raise Unreadable(msg)
        return Restored(state, {part: _joined(found[part]) for part in state.states})


def _joined(chunks: Mapping[int, Snapshot]) -> bytes:
    expected = next(iter(chunks.values())).chunks
    if sorted(chunks) != list(range(expected)) or {one.chunks for one in chunks.values()} != {expected}:
        msg = f"{len(chunks)} of {expected} chunks of a snapshot"
        raise Unreadable(msg)
    return b"".join(chunks[number].content for number in sorted(chunks))


def _state(whole: bytes) -> PartitionState:
    return PartitionState.model_validate(msgspec.msgpack.decode(whole))
