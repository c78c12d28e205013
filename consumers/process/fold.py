"""What a folding consumer folds: a pure function of the records of a partition, which can be written down and restored."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from ...schemas.cloud_events import Headers
from ...schemas.messages.progress import InputPartition
from ...schemas.stored.snapshot import PartitionState
from ..bus.interface import Output

Fact = TypeVar("Fact")
Said = TypeVar("Said")
_In = TypeVar("_In", contravariant=True)
_Out = TypeVar("_Out", covariant=True)


class Fold(Protocol[_In, _Out]):
    """The state of one partition, and what it makes of the next record."""

    def feed(self, offset: int, appended: int, fact: _In) -> Sequence[_Out]:
        """Take one record; ``appended`` is its append time. Returns what follows from it."""
        ...

    def due(self, now: int) -> Sequence[_Out]:
        """What follows from the time that has come: called before every record is fed."""
        ...

    @property
    def changed(self) -> bool:
        """What was restored was made by another configuration, so that the first commit must write what `resumed` makes of it."""
        ...

    def resumed(self) -> Sequence[_Out]:
        """What is to be said once when a restored fold is live again."""
        ...

    def snapshot(self, position: int) -> tuple[PartitionState, Mapping[str, bytes]]:
        """Everything that must be remembered at this offset, larger parts by their keys."""
        ...

    def totals(self) -> Mapping[str, int]:
        """Numbers since it was made."""
        ...


@runtime_checkable
class Situated(Protocol):
    """A fold to which it matters where its records stand, and whose their times are."""

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Of the next records; ``append_time``: the times are the log's, not their writers'."""
        ...


class Folded(Protocol[Fact, Said]):
    """What a folding consumer folds: a topic, how its records are read, and how what a fold says is written."""

    role: str
    topic: str

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Fact | None:
        """A record's content; None: none of this fold's business. Raises as `driftbus.consumers.bus.own.read` does."""
        ...

    def begin(self) -> Fold[Fact, Said]:
        """A fold that has seen nothing."""
        ...

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Fact]) -> Fold[Fact, Said]:
        """The fold that wrote a snapshot; ``facts`` are the records at the offsets it lists as pending, less what retention took."""
        ...

    def outputs(self, said: Said, partition: int) -> list[Output]:
        """What a fold of this partition said, as it is written."""
        ...


@runtime_checkable
class Progressing(Protocol):
    """What is folded, where it is also said how far that is complete: by the wall clock, so the fold has no part in it."""

    def progress(self, place: InputPartition, partitions: int, now: int, *, anew: bool, ended: bool) -> list[Output]:
        """Of a partition that has been read to its end. ``anew``: for the first time, or since something more was read; ``ended``: that is
        all there is to come.
        """
        ...


@runtime_checkable
class Sparing(Protocol[Fact]):
    """What is folded, where its folds fetch what they need of records that waited: a snapshot may await more than memory holds."""

    def spared(self, fact: Fact) -> Fact:
        """As much of such a record as must be at hand."""
        ...


@runtime_checkable
class OfCompacted(Protocol):
    """What is folded, where its topic is compacted: what has been read may be gone when it is to be folded again, so the state is written
    down whenever something was said.
    """

    compacted: bool


@runtime_checkable
class Slow(Protocol):
    """What is folded, where a record takes long: all that its process turns waits for a batch."""

    most_records: int  #: of a batch


@runtime_checkable
class Lasting(Protocol):
    """What is folded, where most parts of a snapshot are as they were: these are not written again. A part that has not changed should be
    the same object, for then it is not compared.
    """

    lasting: bool
