"""A step that is open, and how it stands: what the hand, its threads and a registry say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ...schemas.identity import derived_id
from ...schemas.messages.model_event import ModelEvent
from ...schemas.messages.promotion import Promotion

#: Behind these a version's earlier steps are none any more.
LAST = frozenset({"promote", "roll_back", "refuse"})


@dataclass(frozen=True)
class Step:
    """One that is to be done."""

    offset: int
    said: Promotion
    over: bool = False  #: a later one of its version has taken its place: it is only written down
    references: tuple[str, ...] = ()  #: that it announces
    made: ModelEvent | None = None  #: the event by which its version was registered

    @property
    def id(self) -> str:
        """Its name."""
        return self.said.id

    @property
    def job(self) -> str:
        """By what its events are told from those of other steps, of the same kind too: twice is once."""
        made = self.said.job or self.said.id
        return made if self.said.number == 1 else f"{made}.{self.said.number}"

    @property
    def origin(self) -> str:
        """By what a registry finds its version again, at every step: the job that made it, else the event that registered it."""
        return self.said.job or (derived_id("registered", self.said.model, self.said.version) if self.made is None else self.made.id)


class Done(NamedTuple):
    """How a step stands."""

    ended: bool
    why: str = ""
    again_s: float = 0.0  #: when to try again, where it has not ended
    references: Mapping[str, int] = {}  #: those that can be announced, with their rows
    refused: bool = False  #: it will never be done as it was meant: it is a dead letter


class Known(NamedTuple):
    """What a registry is told of a version."""

    step: str
    job: str  #: that made it, or what stands for it
    version: str
    parent: str | None
    made: ModelEvent | None  #: the event by which it was registered


class Registry(Protocol):
    """Where versions are known by aliases.

    *Trap.* Called by threads: it may wait for its server, but each call has an end. Raises `TimedOut`, `Erred`, `Invalid` of `calls`.
    """

    def ensure(self, known: Known) -> None:
        """Make that it is as after this step. May be called as often as one likes."""
        ...

    def stop(self) -> None:
        """From any thread: give up what is under way."""
        ...
