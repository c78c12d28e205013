"""How numeric fields of a reference hang together, pair by pair."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile, PairProfile
from ..betting.pairs import PAIR_TILTS
from ..counting.ranks import RANK_SCALE, rank_scores
from .dependence import Dependence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Fewer rows with both values say too little about them.
FEWEST_BOTH = 500
#: A product that varies less than this (sd) says nothing: one of its fields is constant.
_LEAST_SD = 1e-3


class PairProfiling:
    """All pairs of some fields, over the reference's rows in the order of time.

    What two fields have in common is a table of rows by both intervals: whole numbers, so that no chunk shows in the result.
    """

    def __init__(self, names: Sequence[str], profiles: Sequence[NumericProfile]) -> None:
        self._names = names
        self._scores = [rank_scores(profile) / RANK_SCALE for profile in profiles]
        self._joint = {pair: _Joint(*(self._scores[place] for place in pair)) for pair in combinations(range(len(names)), 2)}

    def add(self, places: Integers) -> None:
        """The next rows: by row and field, the interval of the value; -1 where it is absent."""
        columns = [np.ascontiguousarray(column) for column in places.T]
        there = [column >= 0 for column in columns]
        whole = [bool(present.all()) for present in there]
        for (first, second), joint in self._joint.items():
            if whole[first] and whole[second]:
                joint.add(columns[first], columns[second])
            else:
                both = there[first] & there[second]
                joint.add(columns[first][both], columns[second][both])

    def profiles(self, sample: int) -> tuple[PairProfile, ...]:
        """Of the pairs that can tell anything, when panes count one row in ``sample``."""
        found = (joint.profile(self._names[first], self._names[second], sample) for (first, second), joint in self._joint.items())
        return tuple(profile for profile in found if profile is not None)


class _Joint:
    """The rows of two fields by both their intervals."""

    def __init__(self, first: Floats, second: Floats) -> None:
        self._products = np.multiply.outer(first, second).ravel()
        self._width = len(second)
        self._rows = np.zeros(len(self._products), dtype=np.int64)
        self._dependence = Dependence(self._products[:, None])

    def add(self, first: Integers, second: Integers) -> None:
        codes = first * self._width + second
        self._rows += np.bincount(codes, minlength=len(self._rows))
        self._dependence.add(codes)

    def profile(self, first: str, second: str, sample: int) -> PairProfile | None:
        rows = int(self._rows.sum())
        if rows < FEWEST_BOTH:
            return None
        held = self._rows > 0
        share, product = self._rows[held] / rows, self._products[held]
        mean, square = float((share * product).sum()), float((share * product**2).sum())
        if square - mean**2 < _LEAST_SD**2:
            return None
        tilts = np.array(PAIR_TILTS)[:, None]
        means = (share * np.exp(tilts * product)).sum(axis=1)
        squares = (share * np.exp(2 * tilts * product)).sum(axis=1)
        tau = float(self._dependence.tau()[0])
        return PairProfile(
            first=first,
            second=second,
            rows=rows,
            correlation=mean,
            square=square,
            log_means=tuple(np.log(means).tolist()),
            sensitivities=tuple(np.sqrt(np.maximum(squares / means**2 - 1, 0.0)).tolist()),
            tau=tau,
            # Of rows drawn by chance only one in ``sample`` of those that each depends on is drawn with it.
            sampled_tau=1 + (tau - 1) / sample,
        )
