"""Rank scores: where a number lies among the reference's, on a scale of mean 0 and, for a continuous column, variance 1."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile
from .bins import intervals

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Scores are whole multiples of 2^-10 within +-sqrt(3): floats add 2^31 products of two without rounding, in whatever order.
RANK_SCALE = 2**10


def rank_scores(profile: NumericProfile) -> Floats:
    """z = sqrt(3) (2 F - 1) of every interval of a profile, in units of 1 / `RANK_SCALE`; F: the rows below, and half of those in it.

    >>> from driftbus.detectors.counting.bins import profile_of
    >>> rank_scores(profile_of(np.array([1.0, 2.0, 2.0, 5.0]))).tolist()
    [-1774.0, -1330.0, -887.0, 0.0, 887.0, 1330.0, 1774.0]
    """
    bin_of = np.asarray(profile.bin_of)
    sharing = np.bincount(bin_of, minlength=len(profile.counts))  # intervals that are one bin
    rows = (np.asarray(profile.counts) / np.maximum(sharing, 1))[bin_of]
    middle = np.cumsum(rows) - rows / 2
    return np.asarray(np.rint(math.sqrt(3) * (2 * middle / max(float(rows.sum()), 1.0) - 1) * RANK_SCALE))


class Ranks:
    """The rank scores of several columns of numbers."""

    def __init__(self, profiles: Sequence[NumericProfile]) -> None:
        self._edges = [np.asarray(profile.edges) for profile in profiles]
        # One table for all columns, in which an absent value stands before each column's first interval.
        tables = [np.append(np.nan, rank_scores(profile)) for profile in profiles]
        self._scores = np.concatenate([*tables, np.zeros(0)])
        self._first = np.cumsum([1, *map(len, tables)], dtype=np.int64)[:-1]

    def places(self, numbers: Floats) -> Integers:
        """The interval of every number, by row and column; -1 for NaN."""
        places = np.empty(numbers.shape, dtype=np.int64)
        for column, (values, edges) in enumerate(zip(np.ascontiguousarray(numbers.T), self._edges, strict=True)):
            places[:, column] = intervals(edges, values)
        places[np.isnan(numbers)] = -1
        return places

    def at(self, places: Integers) -> Floats:
        """The scores of intervals, likewise; NaN at -1."""
        return np.asarray(self._scores[places + self._first])
