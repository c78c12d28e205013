"""Rank scores: where a number lies among the reference's, on a scale of mean 0 and, for a continuous column, variance 1."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..schemas.reference import NumericProfile
from .bins import intervals

Floats = NDArray[np.float64]

#: Scores are whole multiples of 2^-10 within +-sqrt(3): floats add 2^31 products of two without rounding, so their order, and with it
#: BLAS, shows in no sum.
RANK_SCALE = 2**10


def rank_scores(profile: NumericProfile) -> Floats:
    """z = sqrt(3) (2 F - 1) of every interval of a profile, in units of 1 / `RANK_SCALE`: F the share of rows below and half of those in it.

    >>> rank_scores(profile_of(np.array([1.0, 2.0, 2.0, 5.0]))).tolist()
    [-1774.0, -1330.0, -887.0, 0.0, 887.0, 1330.0, 1774.0]
    """
    bin_of = np.asarray(profile.bin_of)
    sharing = np.bincount(bin_of, minlength=len(profile.counts))  # intervals that are one bin
    rows = (np.asarray(profile.counts) / np.maximum(sharing, 1))[bin_of]
    middle = np.cumsum(rows) - rows / 2
    return np.rint(math.sqrt(3) * (2 * middle / max(float(rows.sum()), 1.0) - 1) * RANK_SCALE)


class Ranks:
    """The rank scores of several columns of numbers."""

    def __init__(self, profiles: Sequence[NumericProfile]) -> None:
        self._edges = [np.asarray(profile.edges) for profile in profiles]
        # behind a column's last interval stands what is no number
        self._scores = [np.append(rank_scores(profile), np.nan) for profile in profiles]

    def of(self, numbers: NDArray[np.float64]) -> Floats:
        """Of numbers by row and column, likewise; NaN where a value is absent."""
        scores = np.empty(numbers.shape)
        for column, (edges, own) in enumerate(zip(self._edges, self._scores, strict=True)):
            values = np.ascontiguousarray(numbers[:, column])
            place = intervals(edges, values)
            place[np.isnan(values)] = len(edges) + 1
            scores[:, column] = own[place]
        return scores
