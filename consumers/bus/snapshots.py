"""Snapshots on their compacted topic: written in the transaction that commits the offset they belong to, read back on assignment.

*Guarantee.* A snapshot is read whole or not at all; of several that are there, the last that is whole. What lies between, of other
applications, other forms, or of nobody, does not change that. One that cannot be read is told, and the one before it is used, or none:
then the topic is folded again from its beginning, with the same result as long as it is all there. In front of a whole one nothing is told:
compaction, which stops anywhere, leaves parts of earlier ones.
"""

from collections.abc import Mapping
from types import MappingProxyType
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


class Kept(NamedTuple):
    """A part as it stands on the topic."""

    number: int  #: of the snapshot with which it was written
    content: bytes


class Stands(NamedTuple):
    """What stands of one partition's snapshots on the topic."""

    keys: frozenset[bytes] = frozenset()  #: of all records
    parts: Mapping[str, Kept] = MappingProxyType({})  #: that are not written again while they are the same


NOTHING = Stands()


class Written(NamedTuple):
    """The records of a snapshot, and what stands there with them."""

    records: list[Output]
    stands: Stands


class Read(NamedTuple):
    """What was found of one partition's snapshots."""

    last: Restored | None
    keys: frozenset[bytes]  #: of all records there are of it: those that the next one does not write again are to be tombstones
    unreadable: Mapping[int, str]  #: records behind the last that were passed over: offsets, with reasons

    def stands(self, *, lasting: bool) -> Stands:
        """For the next one; ``lasting``: parts that are the same are not written again."""
        if self.last is None or not lasting:
            return Stands(self.keys)
        numbers = self.last.state.kept
        return Stands(
            self.keys,
            {part: Kept(numbers.get(part, self.last.state.position), content) for part, content in self.last.states.items()},
        )


def written(
    configuration: Configuration,
    role: str,
    partition: int,
    state: PartitionState,
    parts: Mapping[str, bytes],
    before: Stands = NOTHING,
    *,
    lasting: bool = False,
) -> Written:
    """The records of a snapshot, the partition's own last; keys of the one ``before`` that are gone become tombstones.

    ``lasting``: parts that are as they stand there are not written again.
    """
    topic, records, left = configuration.topics.snapshots, dict[bytes | None, Output](), set[bytes]()
    kept = {part: before.parts[part] for part, whole in parts.items() if part in before.parts and before.parts[part].content == whole}
    same = {part: one.number for part, one in kept.items()}
    state = state.model_copy(update={"kept": same})
    for part, whole in {**parts, "": msgspec.msgpack.encode(state.model_dump())}.items():
        chunks = max(1, -(-len(whole) // CHUNK))
        if part in same:
            left |= {
                Snapshot.key_of(configuration.application, role, partition, state.form, chunk, part).encode() for chunk in range(chunks)
            }
            continue
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
    keys = frozenset(key for key in records if key is not None) | left
    gone = [Output(topic, partition, key, None) for key in sorted(before.keys - keys)]
    stand = {part: kept.get(part) or Kept(state.position, whole) for part, whole in parts.items()} if lasting else {}
    return Written(gone + list(records.values()), Stands(keys, stand))


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
        # A snapshot's last record is the partition's: what came before it belongs to none that is to come, but for what is kept.
        numbers = {part: whole.state.kept.get(part, one.number) for part in whole.state.states}
        self._read = _of_these(self._read, numbers)
        return whole

    def _whole(self, number: int) -> Restored:
        state = content(_state, _joined(self._read[number][""]))
        if state.form != self._form or state.position != number:
            msg = f"a snapshot of form {state.form} at {state.position}, under form {self._form} at {number}"
            raise Unreadable(msg)
        found = {part: self._read.get(state.kept.get(part, number), {}).get(part) for part in state.states}
        missing = [part for part, chunks in found.items() if chunks is None]
        if missing:
            msg = f"the snapshot at {number} lacks {', '.join(missing)[:200]}: the topic must be compacted, never deleted from"
            raise Unreadable(msg)
        return Restored(state, {part: _joined(chunks) for part, chunks in found.items() if chunks is not None})


def _of_these(read: Mapping[int, dict[str, dict[int, Snapshot]]], numbers: Mapping[str, int]) -> dict[int, dict[str, dict[int, Snapshot]]]:
    """Of records read those of these parts, of these numbers."""
    kept: dict[int, dict[str, dict[int, Snapshot]]] = {}
    for part, number in numbers.items():
        kept.setdefault(number, {})[part] = read[number][part]
    return kept


def _joined(chunks: Mapping[int, Snapshot]) -> bytes:
    expected = next(iter(chunks.values())).chunks
    if sorted(chunks) != list(range(expected)) or {one.chunks for one in chunks.values()} != {expected}:
        msg = f"{len(chunks)} of {expected} chunks of a snapshot"
        raise Unreadable(msg)
    return b"".join(chunks[number].content for number in sorted(chunks))


def _state(whole: bytes) -> PartitionState:
    return PartitionState.model_validate(msgspec.msgpack.decode(whole))
