"""Snapshots: what the detector of one summaries partition must remember, as plain numbers on a compacted topic."""

from typing import Any

import msgspec

from ..fact import Fact

#: A record's share of a large state: well below a broker's default limit of 1 MB.
CHUNK = 512 * 1024


class Snapshot(Fact):
    """One record of a snapshot: a chunk of one state, or (`key` empty) the partition's own last record.

    A snapshot is valid as a whole: every state that the last record lists, at the ``number`` it names.
    """

    partition: int
    number: int  #: the summaries offset P that was committed with it
    key: str = ""  #: of a state, as its fold names it (the detector's: `StateKey`, in JSON); empty: the partition's record
    chunk: int = 0
    chunks: int = 1
    content: bytes = b""

    @property
    def record_key(self) -> str:
        """The key on the compacted topic."""
        return f"{self.partition}/{self.key}/{self.chunk}"

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(self.model_dump())

    @classmethod
    def decoded(cls, value: bytes) -> "Snapshot":
        """What `encoded` wrote."""
        return cls.model_validate(msgspec.msgpack.decode(value))


#: Of the numbers inside a snapshot: one of another form is not read; the summaries are folded again from their beginning.
FORM = 1


class PartitionState(Fact):
    """The content of a snapshot's last record: the aligners' numbers, the panes not yet evaluated, and which states belong to it."""

    form: int = 0
    position: int  #: P: the next summaries offset to fold
    states: tuple[str, ...]  #: the key of every state
    aligners: dict[str, Any]  # plain numbers, by stream; the aligner knows their form
    pending: tuple[int, ...]  #: summaries offsets of panes received and not yet evaluated
    clock: tuple[int, int | None] = (0, None)  #: of the fold's timers: ms since it began, and the last append time
    fold: dict[str, Any] = {}  # what else the fold remembers (models reported as unmonitored, ...)
