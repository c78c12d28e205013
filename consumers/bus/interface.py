"""What every bus offers. Two implementations, Kafka and the embedded log, pass one contract suite (``tests/bus``)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers


class TopicPartition(NamedTuple):
    """One partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        """``topic[partition]``."""
        return f"{self.topic}[{self.partition}]"


class Position(NamedTuple):
    """The next offset to read, with the string committed beside it."""

    offset: int
    metadata: str = ""


class Output(NamedTuple):
    """A record to write. ``partition`` None: the bus chooses by the key; ``timestamp`` None: now (ms)."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int | None = None


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one partition, column by column (all of one length n).

    Offsets increase and may have gaps (control records, compaction). Headers and keys are read only when asked for: on Kafka they cost.
    """

    source: TopicPartition
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]  #: ms
    values: Sequence[bytes | None]
    keys: Callable[[], Sequence[bytes | None]]
    headers: Callable[[], Sequence[Headers]]
    append_time: bool = False  #: the timestamps are the log's (LogAppendTime), not the producer's

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True)
class TopicDescription:
    """A topic as the bus knows it. A topic deleted and created again has another id."""

    name: str
    id: str
    partitions: int
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What one input partition contributes to a transaction: its outputs, and the position behind the records they came from."""

    source: TopicPartition
    outputs: Sequence[Output]
    position: Position


class Assignment(Protocol):
    """Told of changes of a session's partitions. Called from within `Session.consume` and `Session.commit` only."""

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> Mapping[TopicPartition, int]:
        """New partitions, each with what its group committed (None: nothing). Returns the offset to read each from.

        A partition left out is read from its committed position, else from its beginning. An offset that the topic does not hold (any
        more: compare `Bus.watermarks`) ends the session with a `BusError` that says the range; nothing is ever reset in silence.
        """
        ...

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """These belong to somebody else now: forget them; nothing of theirs can be committed any more."""
        ...


class Session(Protocol):
    """One member of a consumer group with a transactional producer of its own.

    *Guarantee*: outputs and positions of a `commit` become visible together or not at all, to readers of committed records. A process that
    dies at any point leaves either all of a commit or nothing of it; its successor (same instance) starts from the committed positions.
    """

    def consume(self, most: int, timeout_s: float) -> list[Batch]:
        """Up to about ``most`` records, waiting at most ``timeout_s`` for the first; runs of one partition as batches, in offset order."""
        ...

    def commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        """Write all outputs and positions in one transaction; retried until done. Returns the partitions it was done for.

        Work of partitions revoked meanwhile is dropped. Raises `Fenced` when another process has taken this instance's place.
        """
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this session's now."""
        ...

    def joined(self) -> bool:
        """Whether it is a member of its group by now: before that it has no partitions, whatever the group would give it."""
        ...

    def at_end(self) -> Mapping[TopicPartition, int]:
        """Partitions read to their end (trailing control records included), with the position there. New records take a partition out."""
        ...

    def uncommitted(self) -> Mapping[TopicPartition, int]:
        """Partitions read to their end behind which stand records that nobody can read yet, and how many offsets these take up.

        A transaction of some producer is open in front of them.
        """
        ...

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing of these until `resume`, or until they are revoked: one that comes back is delivered."""
        ...

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver these again."""
        ...

    def paused(self) -> frozenset[TopicPartition]:
        """Those of ours of which nothing is delivered. Ask, and keep no copy: a rebalance changes it."""
        ...

    def seek(self, source: TopicPartition, offset: int) -> None:
        """Read on from here."""
        ...

    def close(self) -> None:
        """Leave the group; uncommitted work is lost, and read again by the successor."""
        ...


class Bus(Protocol):
    """Topics, and the ways to read and write them."""

    def describe(self, topics: Sequence[str], *, settings: bool = True) -> dict[str, TopicDescription]:
        """Those of the topics that exist; their ``settings`` may be left out where they are not needed."""
        ...

    def create(self, topic: str, partitions: int, replication: int = 1, settings: Mapping[str, str] | None = None) -> None:
        """Make a topic. Raises `TopicExists` if it is there."""
        ...

    def delete(self, topic: str) -> None:
        """Remove a topic, and what groups had committed on it."""
        ...

    def watermarks(self, source: TopicPartition, *, committed: bool = True) -> tuple[int, int]:
        """First offset, and the end: of committed records (no open transaction in front of it), or of all."""
        ...

    def offset_at(self, source: TopicPartition, time_ms: int) -> int:
        """The first offset whose record's timestamp is at or after a time; the end of committed records if there is none.

        Records need not be in the order of their times: behind it there may be earlier ones. No record in front of it is so late, and that
        is all that can be relied on: Kafka finds control records, too, by the time of their commit.
        """
        ...

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Position]:
        """What a group has committed; waits for transactions that are about to say. Partitions without are left out."""
        ...

    def read(self, source: TopicPartition, start: int, end: int) -> Iterator[Batch]:
        """Committed records with start <= offset < end, outside any group. Ends when the position has passed ``end``."""
        ...

    def publish(self, outputs: Sequence[Output]) -> None:
        """Write these, all at once or none, outside any group: commands, recordings, tests."""
        ...

    def session(self, role: str, topics: Sequence[str], assignment: Assignment) -> Session:
        """Join group ``application-role`` on these topics as this process's instance. Raises `InstanceInUse` where that can be told."""
        ...

    def stop(self) -> None:
        """The process is to end. From any thread: what waits for the brokers raises `Stopped` within seconds; what they answer is done."""
        ...

    def close(self) -> None:
        """Release everything; sessions are closed."""
        ...


def check_start(group: str, source: TopicPartition, start: int, held: tuple[int, int]) -> None:
    """Refuse an offset that a topic does not hold: what is lost is said, never skipped."""
    low, high = held
    if not low <= start <= high:
        why = f"offsets {start} to {low - 1} are lost to retention" if start < low else "it is not the topic that was read before"
        msg = f"group {group} is to read {source} from offset {start}, but it holds {low} to {high}: {why}"
        raise BusError(msg)


class BusError(Exception):
    """The bus refused, and says what to change."""


class TopicExists(BusError):
    """A topic of that name is there already."""


class Fenced(BusError):
    """Another process has this instance's name: this one must end."""


class InstanceInUse(BusError):
    """A live process has this instance's name already."""


class Stopped(BusError):
    """What was being waited for is not waited for any more: the process was told to stop."""
