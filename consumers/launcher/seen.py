"""What a launcher is asked for, and what it says: the contract between the role and the three kinds of launchers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

#: How a job stands, as a launcher sees it.
State = Literal["requested", "started", "succeeded", "failed", "timed_out", "cancelled", "lost"]
#: Behind these nothing comes.
ENDS = frozenset({"succeeded", "failed", "timed_out", "cancelled", "lost"})


@dataclass(frozen=True)
class Job:
    """One that is open."""

    id: str
    event: bytes  #: the request, as it lies on the topic
    facts: Mapping[str, object]  #: the same, read
    requested: int  #: ms
    started: bool = False  #: that it has started is on the log
    cancelling: bool = False  #: it is to end

    def now(self, *, started: bool = False, cancelling: bool = False) -> "Job":
        """The same, of which more is known."""
        return replace(self, started=self.started or started, cancelling=self.cancelling or cancelling)


class Seen(NamedTuple):
    """How a job stands."""

    state: State
    why: str = ""
    again_s: float = 1.0  #: when to look again, where it has no end
    undelivered: bool = False  #: nobody ever answered: it is a dead letter

    @property
    def ended(self) -> bool:
        """Whether nothing comes behind it."""
        return self.state in ENDS


class Launcher(Protocol):
    """One of the three kinds.

    *Trap.* Its methods are called by threads, never in a turn: they may wait for others, but each has an end.
    """

    #: Jobs that are looked at at once.
    at_once: int
    #: Whose memory it has; "" where the other side remembers.
    memory: str

    def ensure(self, job: Job) -> Seen:
        """Make that it has been started, or cancelled; how it stands. May be called as often as one likes."""
        ...

    def lose(self, job: str) -> None:
        """What became of it is known to another memory alone, which is gone: here it is lost."""
        ...

    def closed(self, job: str) -> None:
        """Its end has been read back."""
        ...

    def clean(self, still_open: Collection[str]) -> None:
        """Remove what is older than anybody asks for; now and then."""
        ...

    def stop(self) -> None:
        """From any thread: give up what is under way, where it can be taken up again."""
        ...
