"""Progress: how far a partition of an input stream has been counted."""

import msgspec

from ..fact import Fact
from ..identity import derived_id


class InputPartition(Fact):
    """A partition of an input topic. The topic's id belongs to it: a topic made again starts at offset 0 and is another one."""

    topic: str
    topic_id: str
    partition: int

    @property
    def key(self) -> tuple[str, str, int]:
        """For dictionaries and order."""
        return self.topic, self.topic_id, self.partition


class InputTopic(Fact):
    """A topic of a stream as a profiler knows it."""

    topic: str
    topic_id: str
    partitions: int


class Progress(Fact):
    """``source`` is complete through ``through`` (ms): every bucket that ends at or before it has all its panes in front of this record."""

    stream: str
    source: InputPartition
    through: int | None = None
    ended: bool = False
    by_clock: bool = False  #: the wall clock said so, not the data
    topics: tuple[InputTopic, ...] = ()
    #: Models of the stream all of whose versions are retired, each with the bucket boundary (ms) behind which none is left. Said when it is
    #: news: at the latest in the first progress of whoever takes the partition over.
    retired: dict[str, int] = {}

    @property
    def id(self) -> str:
        """Derived from what is said, so that a repetition is recognised as one."""
        retired = (fact for model in sorted(self.retired.items()) for fact in model)
        return derived_id("progress", self.stream, *self.source.key, self.through, int(self.ended), *retired)

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(self.model_dump())

    @classmethod
    def decoded(cls, value: bytes) -> "Progress":
        """What `encoded` wrote."""
        return cls.model_validate(msgspec.msgpack.decode(value))
