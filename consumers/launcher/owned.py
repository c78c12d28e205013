"""A partition of the retrain topic, as a launcher knows it: what is open in it, and what is committed beside its position."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...schemas.messages.job import JobStatus
from ...schemas.messages.retrain import RetrainRequest
from ..bus.interface import Output, Position
from ..process.strangers import Strangers
from .seen import Job, State

_NO_MEMORY = "-"
#: Ends of a partition that are remembered, at most: of a hundred jobs a day those of years.
MOST_ENDED = 50_000


class Beside(NamedTuple):
    """What stands beside a committed position."""

    read_to: int  #: what is strange in front of it has been told
    memory: str  #: whose memory the launcher had; "" of one that needs none

    @classmethod
    def of(cls, position: Position) -> "Beside":
        """What `metadata` wrote."""
        read_to, _, memory = position.metadata.partition(" ")
        return cls(int(read_to or position.offset), "" if memory == _NO_MEMORY else memory)

    @property
    def metadata(self) -> str:
        """As it is committed."""
        return f"{self.read_to} {self.memory or _NO_MEMORY}"


@dataclass
class Request:
    """One that is open."""

    offset: int
    model: str
    value: bytes
    job: Job
    told: State | None = None  #: the state that was written last


@dataclass
class Owned:
    """One partition in a launcher's hands."""

    name: str  #: of the launcher
    strangers: Strangers
    position: int
    committed: Position | None
    begun: int = 0  #: requests in front of it may be begun: that they were read was committed by their owner
    open: dict[str, Request] = field(default_factory=dict)
    ended: dict[str, None] = field(default_factory=dict)  #: in their order; asked for again, they are not begun again
    closed: list[str] = field(default_factory=list)  #: jobs whose ends have been read back, and not yet been told
    outputs: list[Output] = field(default_factory=list)  #: of strangers; not yet committed

    def feed(self, offset: int, value: bytes, said: RetrainRequest | JobStatus) -> None:
        """Take note of a record."""
        if isinstance(said, RetrainRequest):
            if said.on == self.name and said.job not in self.open and said.job not in self.ended:
                job = Job(said.job, value, said.plain(), said.requested)
                self.open[said.job] = Request(offset, said.model, value, job)
        elif request := self.open.get(said.job):
            if said.final:
                del self.open[said.job]
                self.closed.append(said.job)
                self.ended[said.job] = None
                if len(self.ended) > MOST_ENDED:
                    del self.ended[next(iter(self.ended))]
            elif said.state == "started" and not request.job.started:
                request.job = request.job.now(started=True)
            elif said.state == "cancelling":
                request.job = request.job.now(cancelling=True)

    def jobs(self) -> Mapping[str, Job]:
        """Those that may be begun, in the order in which they were asked for."""
        return {name: request.job for name, request in self.open.items() if request.offset < self.begun}

    @property
    def waits(self) -> bool:
        """Whether something is open that may not be begun before the next commit."""
        return any(request.offset >= self.begun for request in self.open.values())

    def standing(self, memory: str) -> Position:
        """What is to be committed: in front of the oldest that is open."""
        oldest = min((request.offset for request in self.open.values()), default=self.position)
        return Position(oldest, Beside(self.position, memory).metadata)
