"""What every way of asking a model has in common: rows in, answers out, and no answer in time is one too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec

from ...schemas.stored.golden import GoldenRow
from ..decode.marked import mark

#: Of an answer to one call: a model that sends more is not read to the end.
MOST_BYTES = 32 * 1024 * 1024


class TimedOut(Exception):
    """The model did not answer in time."""


class Erred(Exception):
    """The model answered that it cannot, or could not be reached. The message is one of ours: nothing of an answer stands in it."""


class Invalid(Exception):
    """The model's answer is none. The message is one of ours."""


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


def decoded(body: bytes) -> object:
    """The JSON of an answer. Raises `Invalid`."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        msg = "the answer is no JSON"
        raise Invalid(msg) from error


def found(answer: object, path: Sequence[str], what: str) -> object:
    """What stands at a place in an answer: keys, or places in a list. Raises `Invalid`."""
    here = answer
    for step in path:
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step[:9]) < len(here):
            here = here[int(step[:9])]
        else:
            msg = f"the answer has no {what} at {'.'.join(path)}"
            raise Invalid(msg)
    return here
