"""What a fold of the joins topic must be told of the two kinds of joins: labels, and feature logs."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.joining.joiner import Ledger as Telling
from ...detectors.joining.joiner import Outcome, Settings
from ...schemas.messages.block import Block, Whose

Rows = NDArray[np.void]


class Counting(Telling, Protocol):
    """A ledger that forgets."""

    def keep(self, known: Callable[[int, int], bool]) -> None:
        """Forget how rows are counted of versions and places, as codes, that are no longer known."""
        ...

    def __len__(self) -> int:
        """Versions and places of which it is remembered how their rows are counted."""
        ...


class Taken(NamedTuple):
    """Rows of some steps, in their order, and the step of each."""

    predictions: Rows
    at: NDArray[np.int64]
    labels: Rows
    labels_at: NDArray[np.int64]


class Kind(Protocol):
    """One join's kind."""

    @property
    def of(self) -> str:
        """The kind of its progress."""
        ...

    @property
    def settings(self) -> Settings:
        """How its rows meet."""
        ...

    @property
    def ledger(self) -> Counting:
        """What happened to its rows, added up."""
        ...

    def taken(self, blocks: Sequence[Block], ends: Sequence[int], step: int) -> Taken:
        """The rows of blocks, of which each came to the step that ends then; ``step``: the last one."""
        ...

    def told(self, outcome: Outcome, whose: Whose) -> dict[str, Any]:  # fields of any type
        """What a pane says of it, beside what all panes say."""
        ...
