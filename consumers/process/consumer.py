"""What a consumer is: the contract between a role and the process that turns it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ...schemas.configuration import Configuration
from ..bus.interface import Bus
from ..reference.artifacts import ArtifactStore

#: A *fold* is a function of the log: it may be run over a recording. A *hand* acts on the world: never in a replay.
Kind = Literal["fold", "hand"]


class Consumer(Protocol):
    """Reads topics, calls pure functions, writes topics; turned by one thread, beside others of its process.

    *Guarantee.* What it publishes is written in the transaction that commits the positions it came from. It may die anywhere: its successor
    goes on from what is committed, and publishes what it would have published.

    *Trap.* A turn holds up every other consumer of the process. Work of more than some ten milliseconds belongs in a thread of its own, and
    what that found is written down in a later turn.

    How it ends: an error of a record sets that record aside (`last_net`); an error that waiting can heal is waited out by the bus; every
    other error leaves `turn`, and the process ends with it. Nothing needs to be undone.
    """

    @property
    def role(self) -> str:
        """Its name in the topology; of the roles that one configures, starts and gives rights to."""
        ...

    def turn(self, timeout_s: float) -> bool:
        """Read once, publish once; whether there was anything to do. Waits ``timeout_s`` at most for the first record."""
        ...

    def finish(self) -> None:
        """From now on, be `done` when all that its topics hold now has been read, and what follows from it is committed."""
        ...

    @property
    def done(self) -> bool:
        """Whether `finish` has been called, and everything it spoke of is committed, by this process or by others of its group."""
        ...

    def totals(self) -> Mapping[str, int]:
        """Numbers since this process began, by what they count (``rows``, ``panes``, ...)."""
        ...

    def close(self) -> None:
        """Commit what can be committed, and leave the group. Called once, also after an error."""
        ...


@dataclass(frozen=True)
class Making:
    """What a role's consumers are made of."""

    bus: Bus
    configuration: Configuration
    store: ArtifactStore
    wall: Callable[[], int]  #: the wall clock, ms: for linger, and for how often something is said; never for what is said
