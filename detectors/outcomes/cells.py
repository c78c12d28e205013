"""Cells of calibration: predictions that are alike, so that it can be said how often such ones are right."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.outcomes import OutcomeBasis
from .values import BITS, Classes, Integers, numbers_of

#: Equal parts of [0, 1]: 64 are no better. A score of 1 lies in the last.
SCORE_BINS = 16
#: Of one predicted class: those of its scores, and one of rows without a score.
CELLS_OF_CLASS = SCORE_BINS + 1


def binned(scores: NDArray[np.int32], bins: int) -> Integers:
    """The bin of each score, of so many equal ones, a power of two; of no score -1.

    >>> binned(np.array([-1, 0, 65_535, 65_536, 1 << 20], dtype=np.int32), 16).tolist()
    [-1, 0, 0, 1, 15]
    """
    return np.asarray(np.minimum(scores.astype(np.int64) >> (BITS - bins.bit_length() + 1), bins - 1), dtype=np.int64)


def cells_in(basis: OutcomeBasis) -> int:
    """How many cells there are."""
    if basis.task == "number":
        return len(basis.edges) + 2
    return (len(Classes(basis).names) + 1) * CELLS_OF_CLASS


def cells_of(basis: OutcomeBasis, values: Integers, scores: NDArray[np.int32]) -> NDArray[np.uint16]:
    """The cell of every prediction: predicted class x score bin; of a number the bin of its value, those that are not finite in the last.

    >>> cells_of(OutcomeBasis(task="binary"), np.array([0, 0, 1, 1]), np.array([0, -1, 1 << 19, 1 << 20])).tolist()
    [0, 16, 25, 32]
    """
    if basis.task == "number":
        numbers = numbers_of(values)
        place = np.searchsorted(np.asarray(basis.edges), numbers, side="right")
        return np.where(np.isfinite(numbers), place, len(basis.edges) + 1).astype(np.uint16)
    bins = binned(scores, SCORE_BINS)
    return (Classes(basis).of(values) * CELLS_OF_CLASS + np.where(bins < 0, SCORE_BINS, bins)).astype(np.uint16)
