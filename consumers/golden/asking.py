"""What every way of asking a model has in common: rows in, answers out, and no answer in time is one too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ...schemas.stored.golden import GoldenRow
from ..calls.answers import MOST_BYTES, Erred, Invalid, TimedOut, decoded, found
from ..decode.marked import mark

__all__ = ["MOST_BYTES", "Asked", "Batch", "Caller", "Erred", "Invalid", "Replies", "TimedOut", "decoded", "found"]


class Asked(NamedTuple):
    """For whom a model is asked."""

    evaluation: str
    attempt: int
    model: str
    version: str

    def id(self, row: int) -> str:
        """Of a call, by the first row that it asks for: it tells everybody that this is no traffic."""
        return mark(self.evaluation, self.attempt, row)


@dataclass(frozen=True)
class Batch:
    """Rows that are asked together."""

    asked: Asked
    first: int  #: the place in the set of the first
    rows: Sequence[GoldenRow]

    @property
    def id(self) -> str:
        """Of the call."""
        return self.asked.id(self.first)


class Replies(NamedTuple):
    """By row, what the model answered (JSON), or why there is no answer; and the version that answered, where it says so."""

    values: Sequence[object]
    versions: Sequence[str | None]


class Caller(Protocol):
    """One way to ask a model, used by one thread."""

    def ask(self, batch: Batch, deadline: float) -> Replies:
        """The answers, by ``deadline`` of the monotonic clock. Raises `TimedOut`, `Erred` or `Invalid` where all rows have none.

        A row by itself may have one of these in place of its answer.
        """
        ...

    def cut(self) -> None:
        """From any thread, at any time: give up what is under way, and do nothing more."""
        ...

    def close(self) -> None:
        """By the thread that asks: it asks no more."""
        ...
