"""Snapshots: what the detector of one summaries partition must remember, as plain numbers on a compacted topic."""

from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from ..cloud_events import MSGPACK
from ..fact import Fact
from ..identity import derived_id

#: A record's share of a large state: well below a broker's default limit of 1 MB.
CHUNK = 512 * 1024
#: Of the numbers inside a snapshot: one of another form is not read; what is folded is folded again from its beginning.
FORM = 4


def keys_of(application: str, role: str, partition: int, form: int) -> str:
    """How the keys of all records of a snapshot begin; an application's name holds no slash.

    >>> keys_of("fraud-watch", "detector", 3, 2)
    'fraud-watch/detector/2/3/'
    """
    return f"{application}/{quote(role, safe='')}/{form}/{partition}/"


class Snapshot(Fact):
    """One record of a snapshot: a chunk of one state, or (`key` empty) the partition's own last record.

    A snapshot is valid as a whole: every state that the last record lists, at the ``number`` it names, or at that of the one before in
    which it stands already.
    """

    TYPE: ClassVar = "io.driftbus.snapshot"
    content_type: ClassVar = MSGPACK

    application: str
    role: str  #: whose fold it is
    partition: int
    number: int  #: the offset P of the topic that is folded that was committed with it
    part: str = ""  #: of a state, as its fold names it (the detector's: `StateKey`, in JSON); empty: the partition's record
    chunk: int = 0
    chunks: int = 1
    content: bytes = b""
    form: int = FORM

    @property
    def key(self) -> str:
        """On the compacted topic. Every form has keys of its own: an older and a newer release side by side leave each other's alone."""
        return self.key_of(self.application, self.role, self.partition, self.form, self.chunk, self.part)

    @staticmethod
    def key_of(application: str, role: str, partition: int, form: int, chunk: int, part: str) -> str:
        """Of a chunk of a part."""
        return f"{keys_of(application, role, partition, form)}{chunk}/{part}"

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("snapshot", self.key, self.number)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"{self.role}/{self.partition}"

    @property
    def time(self) -> None:
        """It speaks of none."""
        return

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(self.model_dump())

    @classmethod
    def decoded(cls, value: bytes) -> "Snapshot":
        """What `encoded` wrote."""
        return cls.model_validate(msgspec.msgpack.decode(value))


class PartitionState(Fact):
    """The content of a snapshot's last record: the aligners' numbers, the panes not yet evaluated, and which states belong to it."""

    form: int = 0
    position: int  #: P: the next summaries offset to fold
    topic_id: str = ""  #: of the topic that is folded; empty: of a release that did not say
    states: tuple[str, ...]  #: the key of every state
    aligners: dict[str, Any]  # plain numbers, by stream; the aligner knows their form
    pending: tuple[int, ...]  #: summaries offsets of panes received and not yet evaluated
    clock: tuple[int, int | None] = (0, None)  #: of the fold's timers: ms since it began, and the last append time
    strangers: dict[str, Any] = {}  #: of others' records on the topic that is folded, what has been told
    kept: dict[str, int] = {}  #: of states that have not changed, the number of the snapshot in which they stand
    fold: dict[str, Any] = {}  # what else the fold remembers (models reported as unmonitored, ...)
