"""Progress: how far a partition of an input stream has been counted."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
from pydantic import Field

from ..cloud_events import MSGPACK
from ..fact import Fact
from ..form import check_form, lean
from ..identity import derived_id
from ..integers import Boundary, Count, PartitionNumber, Time
from .pane import PREDICTIONS

#: How progress is to be read: as a pane's.
FORM = 1


class InputPartition(Fact):
    """A partition of an input topic. The topic's id belongs to it: a topic made again starts at offset 0 and is another one."""

    topic: str
    topic_id: str
    partition: PartitionNumber

    @property
    def key(self) -> tuple[str, str, int]:
        """For dictionaries and order."""
        return self.topic, self.topic_id, self.partition


class InputTopic(Fact):
    """A topic of a stream as a profiler knows it."""

    topic: str
    topic_id: str
    partitions: Annotated[int, Field(ge=0, le=100_000)]


#: Of `Progress.read` in one record: with the longest names, of 500 characters of 4 bytes, some 420 KB.
MOST_READ = 200


class ReadRecords(NamedTuple):
    """What was read of one bucket in a run. Said where the events of the model, or of the stream, are published, and nowhere else."""

    bucket: Time  #: its end, ms
    model: str  #: of which the records are; empty: of the stream
    unread: Count  #: records that cannot be read; of the stream those of which not even the model can
    records: Count  #: all records; 0 of a model, whose panes say it
    looks: str  #: what the unread ones look like, most of them


class Progress(Fact):
    """``source`` is complete through ``through`` (ms): every bucket that ends at or before it has all its panes in front of this record."""

    TYPE: ClassVar = "io.driftbus.progress"
    content_type: ClassVar = MSGPACK

    stream: str
    source: InputPartition
    through: Time | None = None
    ended: bool = False
    by_clock: bool = False  #: the wall clock said so, not the data
    complete: bool = True  #: all there was is in these panes; not where a partition was given up, or rows came behind their bucket
    topics: tuple[InputTopic, ...] = ()
    #: Models of the stream all of whose versions are retired, each with the bucket boundary (ms) behind which none is left. Said when it is
    #: news: at the latest in the first progress of whoever takes the partition over.
    retired: dict[str, Boundary] = {}
    read: tuple[ReadRecords, ...] = ()  #: of the runs that are published with it
    of: str = PREDICTIONS  #: of which panes: each kind completes by itself
    form: int = FORM

    def with_read(self, read: Sequence[ReadRecords]) -> "list[Progress]":
        """As many records as these counts take; only the last one says how far it is complete."""
        *earlier, last = [tuple(read[at : at + MOST_READ]) for at in range(0, len(read), MOST_READ)] or [()]
        ahead = {"through": None, "ended": False, "by_clock": False}
        return [*(self.model_copy(update={**ahead, "read": part}) for part in earlier), self.model_copy(update={"read": last})]

    @property
    def id(self) -> str:
        """Derived from what is said, so that a repetition is recognised as one."""
        kind: tuple[str | int, ...] = () if self.of == PREDICTIONS else (self.of,)
        retired = (fact for model in sorted(self.retired.items()) for fact in model)
        if self.through is None:  # said in front of how far it is complete
            kind += tuple(fact for one in self.read for fact in one)
        return derived_id("progress", self.stream, *self.source.key, self.through, int(self.ended), *retired, *kind)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def key(self) -> str:
        """Of the record."""
        return f"{self.source.topic}/{self.source.partition}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.key

    @property
    def time(self) -> int:
        """How far the partition is complete; the epoch where nothing is known."""
        return max(self.through or 0, 0)

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(lean(self.model_dump(), {"of": PREDICTIONS, "form": 1, "read": (), "complete": True}))

    @classmethod
    def decoded(cls, value: bytes) -> "Progress":
        """What `encoded` wrote. Raises `NewerForm`, and `ValueError` where it is damaged."""
        plain = msgspec.msgpack.decode(value, type=dict[str, Any])
        check_form("progress", plain, FORM)
        return cls.model_validate(plain)
