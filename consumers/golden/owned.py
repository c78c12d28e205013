"""A partition of the golden topic, as its owner knows it, and what he commits beside its position."""

from dataclasses import dataclass, field

from ...detectors.golden.fold import Fold
from ...schemas.messages.progress import InputPartition
from ..bus.interface import Output, Position
from ..process.strangers import Strangers
from .attempt import Attempt


@dataclass
class Owned:
    """One partition in an evaluator's hands."""

    place: InputPartition
    strangers: Strangers
    fold: Fold
    position: int
    committed: int  #: in front of it nothing is to be done any more; how far strangers are told stands beside it
    committed_at: int
    until: int = 0  #: behind all that was written here
    looked: int = -1  #: where it was when it was last looked for records that can no longer matter
    attempt: Attempt | None = None
    outputs: list[Output] = field(default_factory=list)  #: of strangers; not yet committed
    events: int = 0  #: model events in front of this offset have been asked for
    events_committed: int = 0
    asked_to: int = 0  #: behind the requests of model events that were written here

    @property
    def metadata(self) -> str:
        """What stands beside the position."""
        return f"{self.position} {self.events}"


def beside(committed: Position) -> tuple[int, int]:
    """What `Owned.metadata` said: how far strangers are told, and model events asked for."""
    told, _, events = committed.metadata.partition(" ")
    return int(told or committed.offset), int(events or 0)
