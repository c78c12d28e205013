"""How far a partition that is folded was last said to be complete, and when that is to be said again."""

from ...schemas.messages.progress import InputPartition
from ..bus.interface import Output
from .fold import Progressing

#: Said at least so often, in ms, while nothing comes.
PROGRESS_EVERY = 10_000
#: Committed beside a position behind which it was said: who has no partition learns from it that nothing is left to say.
COMPLETE = "complete"


class Reach:
    """Of one partition in this process's hands; of what is no `Progressing` nothing is ever said."""

    def __init__(self, folded: object, place: InputPartition, partitions: int) -> None:
        self._folded = folded if isinstance(folded, Progressing) else None
        self._place, self._partitions = place, partitions
        self._at, self._position = 0, -1  # when, and behind what; -1: not yet
        self.final = self._folded is None  #: whether it was said that nothing more is to come
        self.unmarked = False  #: there is nothing to say of it, and others of the group do not know that yet

    def go_on(self) -> None:
        """More may have come, and behind it that nothing more is to come is to be said again."""
        self.final = self._folded is None

    def due(self, position: int, now: int, *, ended: bool) -> bool:
        """Whether something is to be said behind the records up to a position, if that is where the partition ends."""
        return self._folded is not None and (self._anew(position, ended) or not 0 <= now - self._at < PROGRESS_EVERY)

    def progress(self, position: int, now: int, *, ended: bool) -> list[Output]:
        """It ends there: what is said."""
        if self._folded is None:
            return []
        said = self._folded.progress(self._place, self._partitions, now, anew=position > self._position, ended=ended)
        if ended and not said and not self.final:  # that nothing more is to come was said before, or nobody waits for it
            self.final = self.unmarked = True
        return said

    def committed(self, position: int, now: int, *, ended: bool) -> None:
        """What was to be said is."""
        self._at, self._position, self.final = now, position, self.final or ended
        self.unmarked = False

    def _anew(self, position: int, ended: bool) -> bool:
        return position > self._position or (ended and not self.final)
