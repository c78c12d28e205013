"""What a table of true by predicted classes says, counted or expected."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Confusion = NDArray[np.int64] | NDArray[np.float64]


class OfClass(NamedTuple):
    """One class against all others; None where there is nothing to divide by."""

    precision: float | None
    recall: float | None
    f1: float | None


def ratio(part: float, of: float) -> float | None:
    """A share; None of nothing.

    >>> ratio(1, 2), ratio(0, 0)
    (0.5, None)
    """
    return float(part) / float(of) if of > 0 else None


def of_class(confusion: Confusion, place: int) -> OfClass:
    """Precision, recall and F1 of one class.

    >>> of_class(np.array([[8, 2], [1, 3]]), 1)
    OfClass(precision=0.6, recall=0.75, f1=0.6666666666666666)
    """
    right, true, predicted = float(confusion[place, place]), float(confusion[place].sum()), float(confusion[:, place].sum())
    return OfClass(ratio(right, predicted), ratio(right, true), ratio(2 * right, true + predicted))


def macro(classes: list[OfClass]) -> OfClass:
    """The mean over those classes of which it is known.

    >>> macro([OfClass(1.0, 0.5, 0.6), OfClass(None, 0.0, 0.0)])
    OfClass(precision=1.0, recall=0.25, f1=0.3)
    """
    return OfClass(
        *(ratio(sum(known), len(known)) for known in ([each for each in of if each is not None] for of in zip(*classes, strict=True)))
    )
