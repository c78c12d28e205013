"""What is said of rows that are compared with the training data, whatever of them is."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.layout import layout
from ...detectors.familiarity.places import CORE, FAMILIAR, FAR, NOTHING, OUTLIER, OUTSIDE, UNLIKE, UNSCORED
from ...detectors.neighbours.bins import OUTLIERS as AN_OUTLIER
from ...detectors.neighbours.bins import OUTSIDE as OUTSIDE_CORE
from ...detectors.neighbours.bins import InBins
from ...detectors.neighbours.vectors import Vectors
from ...schemas.messages.ood import Near
from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.stored.reference import Reference
from ...schemas.text import CATEGORY, fitted

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

#: Cells of p from which on a row is an outlier; and that of a row with nothing to compare.
OUTLIERS, NO_CELL = 3, 5
#: By the cell of a row's p-value (above .2, to .05, to .01, to .005, or not; none): its flag, and what is known of it.
_FLAGS = np.array([FAMILIAR, FAMILIAR, UNLIKE, UNLIKE, FAR, NOTHING], dtype=np.uint8)
_LOOKED = np.array([CORE, OUTSIDE, OUTSIDE, OUTLIER, OUTLIER, UNSCORED], dtype=np.uint8)


#: By what is known of a row, its cell again, as `InBins` takes it.
_CELLS = np.array([0, OUTSIDE_CORE, AN_OUTLIER], dtype=np.uint8)


class Decoded(Protocol):
    """Decoded rows, as a profiler has them, or who builds a reference."""

    @property
    def numeric(self) -> NDArray[np.float64]:
        """By row and field; what is no number is a NaN."""
        ...

    @property
    def categorical(self) -> Sequence[Sequence[object]]:
        """By field, then row: texts, or marks."""
        ...

    @property
    def vectors(self) -> Sequence[NDArray[np.float64]]:
        """By field, then row; of one that is not there the first number is a NaN."""
        ...


class Scored(NamedTuple):
    """Of rows: their flags, and what is known of them exactly, as `driftbus.detectors.familiarity.places` has them."""

    flags: Bytes
    looked: Bytes
    outliers: NDArray[np.bool_]  #: p <= .01

    @classmethod
    def of(cls, cells: Bytes) -> "Scored":
        """Rows whose cells of p are these."""
        return cls(_FLAGS[cells], _LOOKED[cells], (cells >= OUTLIERS) & (cells != NO_CELL))


class Inside:
    """A reference's bins, in which rows lie that were looked at exactly."""

    def __init__(self, reference: Reference) -> None:
        self._bins = InBins(layout(reference))

    def counts(self, decoded: Decoded, rows: Integers, looked: Bytes) -> Integers:
        """Of these rows, of which this is known: of those looked at, outside the core, outliers; as in a pane, and empty of none."""
        there = np.flatnonzero(looked != UNSCORED)
        chosen = rows[there] if self._bins.size else rows[:0]
        if not len(chosen):
            return np.zeros(0, dtype=np.int64)
        texts = [[column[row] for row in chosen.tolist()] for column in decoded.categorical]
        return self._bins.counts(self._bins.codes(decoded.numeric[chosen], texts), _CELLS[looked[there]]).ravel()


class Content(NamedTuple):
    """What a row holds of a subject, and the class that the model predicted for it."""

    value: object
    predicted: str | None


class Shown(NamedTuple):
    """A flagged row that people are told of."""

    place: int  #: among those that it was given with
    alike: int  #: of these, with itself
    p: float
    nearest: tuple[Near, ...]


class Compared(Protocol):
    """One of the things of a row that are compared."""

    @property
    def profile(self) -> FamiliarityProfile:
        """What the reference says of it."""
        ...

    @property
    def inside(self) -> Inside | None:
        """Where it is what says whether a row is in the core: the reference's bins."""
        ...

    def scored(self, decoded: Decoded, rows: Integers, exactly: NDArray[np.bool_]) -> Scored:
        """Of these rows; and which are to be looked at ``exactly``."""
        ...

    def contents(self, decoded: Decoded, rows: Integers) -> list[Content]:
        """What these rows hold of it, for `shown`."""
        ...

    def vectors(self, contents: Sequence[Content]) -> Vectors | None:
        """By which two are nearly the same; None: nothing says that."""
        ...

    def shown(self, panes: Sequence[Sequence[Content]], most: int) -> list[list[Shown]]:
        """Of each pane's flagged rows the first, ``most`` of them, that are not nearly the same as an earlier one.

        Of all panes at once: their products cost a fraction then.
        """
        ...


def classes_of(column: Sequence[object], rows: Integers) -> list[str | None]:
    """The classes that were predicted for these rows, as categories are written; None of those without any."""
    return [fitted(value, CATEGORY) if isinstance(value, str) else None for value in (column[row] for row in rows.tolist())]
