"""Rows of a reference in regions of like ones: of most queries that are familiar the nearest region shows that they are.

Which regions there are, and which are looked at, decides how soon a query is known to be familiar, and nothing else: no result shows it.
(An inverted file, as of Sivic and Zisserman 2003, Video Google, but without its loss: what regions leave open is compared with all rows.)
"""

import numpy as np
from numpy.typing import NDArray

from .nearest import NEIGHBOURS, largest
from .vectors import LENGTH, Vectors

Singles = NDArray[np.float32]
Integers = NDArray[np.int64]

#: Rows of a region on the average: fewer make the middles cost more than the rows. And how often middles are moved: more gains little.
_ROWS_OF_ONE, _MOVES = 100, 3
#: How many of the nearest regions are looked at in turn, as long as a query is open; later ones decide few, and cost as much.
_TURNS = (1, 3, 8)
#: Queries whose products are looked at together: with regions, where more of them share one; and with all rows, so many rows at a time.
_QUERIES, _OPEN, _ROWS = 4_096, 256, 5_000


class Regions:
    """A reference's rows, region by region, each around its middle."""

    def __init__(self, reference: Vectors) -> None:
        rows = reference.astype(np.float32)
        self._middles = _middles(rows)
        region = _region(rows, self._middles)
        #: Of the rows, as places in the reference that was given.
        self.order: Integers = np.argsort(region, kind="stable")
        self.rows: Singles = rows[self.order]
        self._starts = np.searchsorted(region[self.order], np.arange(len(self._middles) + 1))

    def familiar(self, queries: Vectors, enough: Integers) -> Integers:
        """The score of each query, or a lower bound of it that is already ``enough`` [n].

        Further rows of the reference only raise a score, so that all that compares it with a threshold up to ``enough`` is exact.
        """
        scores = np.zeros(len(queries), dtype=np.int64)
        for begin in range(0, len(queries), _QUERIES):
            here = slice(begin, begin + _QUERIES)
            scores[here] = self._scores(queries[here].astype(np.float32), enough[here])
        return scores

    def _scores(self, vectors: Singles, enough: Integers) -> Integers:
        scores, open_ = enough.copy(), np.arange(len(vectors))
        near = vectors @ self._middles.T
        best = np.full((len(vectors), NEIGHBOURS), -np.inf, dtype=np.float32)
        seen = 0
        for turn in _TURNS:
            number = min(turn, near.shape[1] - seen)  # no region twice
            if not number or not len(open_):
                break
            seen += number
            regions = np.argpartition(near, -number, axis=1)[:, -number:]
            np.put_along_axis(near, regions, -np.inf, axis=1)
            best = largest(np.concatenate([best, self._of(vectors, regions)], axis=1))
            still = best.sum(axis=1, dtype=np.float64) < enough[open_]
            open_, vectors, near, best = open_[still], vectors[still], near[still], best[still]
        scores[open_] = self._of_all(vectors, enough[open_])
        return scores

    def _of(self, vectors: Singles, regions: Integers) -> Singles:
        """The largest products with the rows of each one's regions [n, regions]: [n, regions x 5]."""
        of = regions.ravel()
        order = np.argsort(of, kind="stable")
        starts = np.searchsorted(of[order], np.arange(len(self._middles) + 1))
        found = np.full((len(of), NEIGHBOURS), -np.inf, dtype=np.float32)
        for region in np.flatnonzero(np.diff(starts)).tolist():
            pairs = order[starts[region] : starts[region + 1]]
            best = largest(vectors[pairs // regions.shape[1]] @ self.rows[self._starts[region] : self._starts[region + 1]].T)
            found[pairs, : best.shape[1]] = best
        return found.reshape(len(vectors), -1)

    def _of_all(self, vectors: Singles, enough: Integers) -> Integers:
        """As `familiar`, by products with one row after the other."""
        scores = np.zeros(len(vectors), dtype=np.int64)
        for begin in range(0, len(vectors), _OPEN):
            left = np.arange(begin, min(begin + _OPEN, len(vectors)))
            best = np.zeros((len(left), 0), dtype=np.float32)
            for first in range(0, len(self.rows), _ROWS):
                best = largest(np.concatenate([best, largest(vectors[left] @ self.rows[first : first + _ROWS].T)], axis=1))
                scores[left] = best.sum(axis=1, dtype=np.float64).astype(np.int64)
                still = scores[left] < enough[left]
                left, best = left[still], best[still]
        return scores


def _middles(rows: Singles) -> Singles:
    """By k-means on a sphere, from the first rows on."""
    number = -(-len(rows) // _ROWS_OF_ONE)
    middles = rows[:number] / np.float32(LENGTH)
    for _ in range(_MOVES):
        region = _region(rows, middles)
        for place in range(number):
            total = rows[region == place].sum(axis=0)
            middles[place] = total / max(float(np.sqrt(total @ total)), 1.0)
    return middles


def _region(rows: Singles, middles: Singles) -> Integers:
    return np.asarray(np.argmax(rows @ middles.T, axis=1))
