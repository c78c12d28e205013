"""Conformal p-values: how many rows that the reference never saw are as unfamiliar, among those of the same predicted class.

p = (1 + #{calibration scores <= score}) / (m + 1); Vovk, Gammerman, Shafer, *Algorithmic Learning in a Random World*, 2005. Scores are
whole numbers, larger ones more familiar, so that ties and thresholds are the same on every machine.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

#: A class with fewer calibration rows is one of the rest.
LEAST = 200
#: No score is below it.
NEVER = np.iinfo(np.int64).min


class Calibrated(NamedTuple):
    """Ascending scores of calibration rows, by class."""

    classes: tuple[str, ...]  #: those with scores of their own
    scores: tuple[Integers, ...]  #: of the rest first, then one for each

    @classmethod
    def of(cls, scores: Integers, classes: Sequence[str] | None = None) -> "Calibrated":
        """The rest is of all rows where it would be too few.

        >>> Calibrated.of(np.arange(500), ["a"] * 300 + ["b"] * 200).classes
        ('a', 'b')
        """
        names: Sequence[str] = () if classes is None else classes
        found, index, counts = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True, return_counts=True)
        own = np.flatnonzero(counts >= LEAST)
        rest = np.ones(len(scores), dtype=np.bool_) if classes is None else ~np.isin(index, own)
        if np.count_nonzero(rest) < LEAST:
            rest[:] = True
        return cls(tuple(found[own].tolist()), (np.sort(scores[rest]), *(np.sort(scores[index == place]) for place in own)))

    def of_classes(self, classes: Sequence[str] | None, rows: int) -> Integers:
        """Which of `scores` each row is compared with."""
        if classes is None or not self.classes:
            return np.zeros(rows, dtype=np.int64)
        places = {name: place for place, name in enumerate(self.classes, start=1)}
        return np.fromiter((places.get(name, 0) for name in classes), dtype=np.int64, count=rows)

    def p(self, scores: Integers, of: Integers) -> NDArray[np.float64]:
        """The p-value of every score, ``of`` being what `of_classes` says."""
        found = np.ones(len(scores))
        for place, own in enumerate(self.scores):
            rows = of == place
            found[rows] = (1 + np.searchsorted(own, scores[rows], side="right")) / (len(own) + 1)
        return found

    def thresholds(self, level: float) -> Integers:
        """By class, the largest score with p <= level; `NEVER` where so few calibration rows allow none."""
        return np.array([threshold(own, level) for own in self.scores], dtype=np.int64)


def threshold(ascending: Integers, level: float) -> int:
    """The largest whole number with p <= level.

    >>> threshold(np.arange(19), 0.05), threshold(np.arange(18), 0.05) == NEVER
    (-1, True)
    """
    most = int(level * (len(ascending) + 1) + 1e-9)  # that may be as unfamiliar, the row itself among them
    return int(ascending[most - 1]) - 1 if 0 < most <= len(ascending) else int(NEVER)
