"""What is said of rows that are compared with the training data, whatever of them is."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors.neighbours.vectors import Vectors
from ...schemas.messages.ood import Near
from ...schemas.stored.familiarity import FamiliarityProfile
from ...schemas.text import CATEGORY, fitted

Integers = NDArray[np.int64]


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

    flags: NDArray[np.uint8]
    looked: NDArray[np.uint8]
    outliers: NDArray[np.bool_]  #: p <= .01, if that was asked; else p <= .005


class Content(NamedTuple):
    """What a row holds of a subject, and the class that the model predicted for it."""

    value: object
    predicted: str | None


class Shown(NamedTuple):
    """Of a flagged row."""

    p: float
    nearest: tuple[Near, ...]


class Compared(Protocol):
    """One of the things of a row that are compared."""

    @property
    def profile(self) -> FamiliarityProfile:
        """What the reference says of it."""
        ...

    def scored(self, decoded: Decoded, rows: Integers, exactly: NDArray[np.bool_], *, outliers: bool = False) -> Scored:
        """Of these rows; those that are to be looked at ``exactly``, and whether anybody asks which are ``outliers``."""
        ...

    def contents(self, decoded: Decoded, rows: Integers) -> list[Content]:
        """What these rows hold of it, for `leaders` and `shown`."""
        ...

    def leaders(self, contents: Sequence[Content]) -> list[int]:
        """Of each the place of the first that is nearly the same."""
        ...

    def vectors(self, contents: Sequence[Content]) -> Vectors | None:
        """By which two are nearly the same; None: nothing says that."""
        ...

    def shown(self, contents: Sequence[Content]) -> list[Shown]:
        """What people are told of them."""
        ...


def classes_of(column: Sequence[object], rows: Integers) -> list[str | None]:
    """The classes that were predicted for these rows, as categories are written; None of those without any."""
    return [fitted(value, CATEGORY) if isinstance(value, str) else None for value in (column[row] for row in rows.tolist())]
