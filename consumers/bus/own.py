"""Records on driftbus's own topics, as they are read: one place decides whose they are, and whether they can be.

*Guarantee.* Whatever lies on such a topic stops nobody: a record of another application is passed over, one that cannot be read is set
aside with the reason. Which, is a function of the record alone. Both are told once, not each: `Told`.

*Trap.* A newer form is neither: `driftbus.schemas.form.NewerForm` ends the process, since to guess, or to leave out, would change results.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec
from pydantic import ValidationError

from ...schemas.cloud_events import Headers, attributes
from ...schemas.form import NewerForm
from ...schemas.messages.dead_letter import MOST_PER_RUN
from ...schemas.mismatch import mismatch
from ...schemas.text import MODEL, unfit
from .addressing import source

#: Of so many offsets, `MOST_PER_RUN` records that cannot be read become dead letters, and one notice tells of them; the rest are counted.
BLOCK = 10_000
#: Applications that are told by name.
MOST_APPLICATIONS = 100
_SOURCE = re.compile(re.escape(source("")) + r"([A-Za-z0-9._-]{1,249})")
_OURS = "io.driftbus."
#: What reading raises where the content is not of its type.
DAMAGED = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, msgspec.MsgspecError)

Content = TypeVar("Content")


class OfModel(Protocol):
    """Content that lies under a key of its own."""

    @property
    def key(self) -> str:
        """Of the record."""
        ...

    @property
    def model(self) -> str:
        """Whose it is."""
        ...


class OfAnybody(Protocol):
    """Content that any client may write, under a key that follows from it."""

    @property
    def key(self) -> str:
        """Of the record."""
        ...

    @property
    def application(self) -> str | None:
        """For whom it is."""
        ...

    def lies_under(self, key: bytes) -> bool:
        """Whether a key is its own, however it is escaped."""
        ...


AnybodysContent = TypeVar("AnybodysContent", bound=OfAnybody)
ModelContent = TypeVar("ModelContent", bound=OfModel)


class Foreign(Exception):
    """A record of another application."""

    def __init__(self, application: str) -> None:
        super().__init__(f"a record of application {application}")
        self.application = application


class Unreadable(Exception):
    """A record that cannot be read; the message is the reason."""


def owner(headers: Headers | None) -> str | None:
    """The application that wrote a record; None: it does not say."""
    whose = _SOURCE.fullmatch(attributes(headers or ()).get("source", ""))
    return None if whose is None else whose[1]


def read(
    application: str, readers: Mapping[str, Callable[[bytes], Content]], value: bytes | None, headers: Headers | None
) -> Content | None:
    """The content of a record, by its CloudEvents type; None: of a type that a newer release has, and this one need not know.

    Raises `Foreign` and `Unreadable`.
    """
    said = attributes(headers or ())
    if said.get("source") != source(application):
        whose = owner(headers)
        if whose is not None:
            raise Foreign(whose)
        msg = "no record of driftbus: its header ce_source names no application"
        raise Unreadable(msg)
    kind = said.get("type", "")
    if kind not in readers:
        if kind.startswith(_OURS):
            return None
        msg = "no record of driftbus: its header ce_type names none"
        raise Unreadable(msg)
    if not value:
        msg = f"a record of type {kind} without a value"
        raise Unreadable(msg)
    return content(readers[kind], value)


def read_of_model(
    application: str, readers: Mapping[str, Callable[[bytes], ModelContent]], key: bytes | None, value: bytes | None, headers: Headers
) -> ModelContent | None:
    """`read`; what lies under another key, or is of a model or version that nobody could write, is unreadable too."""
    said = read(application, readers, value, headers)
    if said is None:
        return None
    if said.key.encode() != key:
        msg = f"a record under the key of another: {said.key[:200]}"
        raise Unreadable(msg)
    if why := unfit(said.model, MODEL) or unfit(getattr(said, "version", ""), MODEL):
        msg = f"its model or version is {why}"
        raise Unreadable(msg)
    return said


def of_anybody(application: str, reader: Callable[[bytes], AnybodysContent], key: bytes, value: bytes, headers: Headers) -> AnybodysContent:
    """What any client may have written: no header is needed, but where one, or the content, says for whom it is, that holds.

    Raises `Foreign` and `Unreadable`; this, too, where it does not lie under its own key.
    """
    said = content(reader, value)
    whose = said.application or owner(headers)
    if whose is not None and whose != application:
        raise Foreign(whose)
    if not said.lies_under(key):
        msg = f"its key is not that of its event, and compaction would take one for another: write {said.key}"
        raise Unreadable(msg)
    return said


def content(reader: Callable[[bytes], Content], value: bytes) -> Content:
    """What a reader makes of a value. Raises `Unreadable`."""
    try:
        return reader(value)
    except NewerForm:
        raise
    except DAMAGED as error:
        why = mismatch(error) if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
        msg = " ".join(f"it cannot be read: {why}".split())[:300].encode("utf-8", "replace").decode()
        raise Unreadable(msg) from error


@dataclass
class Told:
    """What has been told of the strangers in one partition. It belongs to the snapshot, so that it is a function of the log."""

    applications: set[str] = field(default_factory=set)
    block: int = -1  #: of the last record that could not be read
    count: int = 0  #: so many of that block

    def foreign(self, application: str) -> bool:
        """Take note of a record; whether its application is to be told."""
        new = application not in self.applications and len(self.applications) < MOST_APPLICATIONS
        if new:
            self.applications.add(application)
        return new

    def unreadable(self, offset: int) -> tuple[bool, bool]:
        """Take note of a record; whether it becomes a dead letter, and whether a notice is due."""
        block = offset // BLOCK
        self.block, self.count = block, self.count + 1 if block == self.block else 1
        return self.count <= MOST_PER_RUN, self.count == 1

    def plain(self) -> dict[str, Any]:  # names and numbers
        """As it stands in a snapshot."""
        return {"applications": sorted(self.applications), "block": self.block, "count": self.count}

    @classmethod
    def restored(cls, plain: Mapping[str, Any]) -> "Told":
        """What `plain` wrote."""
        return cls(set(plain.get("applications", ())), plain.get("block", -1), plain.get("count", 0))
