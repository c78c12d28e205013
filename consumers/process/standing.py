"""How a consumer stands between two turns: what its log line and its metrics say beside its totals."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

from ..bus.interface import TopicPartition


class Standing(NamedTuple):
    """At one time; asked by the thread that turns it."""

    heard: Mapping[TopicPartition, int | None]  #: its partitions: ms of the newest record read, where it is the wall clock's
    at_end: Collection[TopicPartition]  #: those read to their end
    open: int = 0  #: what it holds open: episodes, ...


@runtime_checkable
class Located(Protocol):
    """A consumer that says how it stands."""

    def standing(self) -> Standing:
        """How it stands."""
        ...


@runtime_checkable
class Opening(Protocol):
    """A fold that holds something open."""

    def open_now(self) -> int:
        """How many."""
        ...
