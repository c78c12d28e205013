"""A partition of the retrain topic, as the registrar knows it: which steps are open, in which order."""

from dataclasses import dataclass, field, replace

from ...schemas.messages.progress import InputPartition
from ...schemas.messages.promotion import Promotion
from ..bus.interface import Output, Position
from ..process.strangers import Strangers
from .step import LAST, Step


@dataclass
class Owned:
    """One partition in a registrar's hands."""

    place: InputPartition
    strangers: Strangers
    position: int
    committed: Position | None
    begun: int = 0  #: steps in front of it may be begun: that they were read was committed by their owner
    open: dict[str, Step] = field(default_factory=dict)  #: by id, in their order
    outputs: list[Output] = field(default_factory=list)  #: of strangers; not yet committed

    def feed(self, offset: int, said: Promotion) -> None:
        """Take note of a step."""
        if said.id in self.open:
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

    def standing(self, without: set[str]) -> Position:
        """What is to be committed when these are done: in front of the oldest of the others."""
        oldest = min((step.offset for name, step in self.open.items() if name not in without), default=self.position)
        return Position(oldest, str(self.position))


def read_to(committed: Position) -> int:
    """So far what is strange has been told."""
    return int(committed.metadata or committed.offset)
