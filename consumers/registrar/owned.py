"""A partition of the retrain topic, as the registrar knows it: which steps are open, in which order."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...schemas.messages.promotion import Promotion
from ..bus.interface import Output, Position
from ..process.strangers import Strangers
from .step import LAST, Step

#: Steps behind an open one that are remembered to be done, at most: what stands beside a position is short.
MOST_DONE = 400


class Beside(NamedTuple):
    """What stands beside a committed position."""

    read_to: int  #: what is strange in front of it has been told
    done: frozenset[int] = frozenset()  #: offsets of steps behind the position that are done

    @classmethod
    def of(cls, position: Position) -> "Beside":
        """What `metadata` wrote."""
        told, _, done = position.metadata.partition(" ")
        return cls(int(told or position.offset), frozenset(position.offset + int(one) for one in done.split(",") if one))

    def metadata(self, offset: int) -> str:
        """As it is committed with an offset."""
        listed = ",".join(str(one - offset) for one in sorted(self.done)[:MOST_DONE] if one > offset)
        return f"{self.read_to} {listed}".rstrip()


@dataclass
class Owned:
    """One partition in a registrar's hands."""

    strangers: Strangers
    position: int
    committed: Position | None
    begun: int = 0  #: steps in front of it may be begun: that they were read was committed by their owner
    open: dict[str, Step] = field(default_factory=dict)  #: by id, in their order
    done: set[int] = field(default_factory=set)  #: offsets of those that are done, behind one that is open
    outputs: list[Output] = field(default_factory=list)  #: of strangers; not yet committed

    def feed(self, offset: int, said: Promotion) -> None:
        """Take note of a step."""
        if said.id in self.open or offset in self.done:
            return
        if said.step in LAST:
            for name, step in self.open.items():
                if (step.said.model, step.said.version) == (said.model, said.version):
                    self.open[name] = replace(step, over=True)
        self.open[said.id] = Step(offset, said)

    def next(self) -> dict[str, Step]:
        """The first of each model, as far as it may be begun."""
        first: dict[str, Step] = {}
        for step in self.open.values():
            first.setdefault(step.said.model, step)
        return {step.id: step for step in first.values() if step.offset < self.begun}

    @property
    def waits(self) -> bool:
        """Whether something is open that may not be begun before the next commit."""
        return any(step.offset >= self.begun for step in self.open.values())

    def standing(self, without: Collection[str]) -> Position:
        """What is to be committed when these are done: in front of the oldest of the others."""
        oldest = min((step.offset for name, step in self.open.items() if name not in without), default=self.position)
        done = frozenset((*self.done, *(self.open[name].offset for name in without)))
        return Position(oldest, Beside(self.position, done).metadata(oldest))

    def close(self, names: Collection[str]) -> None:
        """These are done, and it is committed."""
        self.done |= {self.open.pop(name).offset for name in names if name in self.open}
        oldest = min((step.offset for step in self.open.values()), default=self.position)
        self.done = {offset for offset in self.done if offset > oldest}
