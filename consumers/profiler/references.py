"""What a profiler must be told about references."""

from collections.abc import Sequence
from typing import Protocol

from ..reference.holding import Holding, Monitored
from ..reference.scored import Compared


class References(Protocol):
    """What a profiler asks about references."""

    def holding(self, model: str, version: str, bucket: int) -> Holding:
        """Which reference holds in the bucket that ends then."""
        ...

    def announced(self, model: str) -> bool:
        """Whether there was ever a reference of this model, of whatever version."""
        ...

    def monitored(self, reference: str) -> Monitored:
        """How rows are counted against it."""
        ...

    def subjects(self, reference: str) -> Sequence[Compared]:
        """What of its rows is compared with the training data; none, where nobody asks for it."""
        ...

    def retired(self, stream: str) -> dict[str, int]:
        """The models of a stream of which no version is left, each with the boundary from which on that is so."""
        ...

    def keep_up(self) -> None:
        """Take note of what has been announced, now and then."""
        ...
