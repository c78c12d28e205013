"""The five nearest rows of a reference: exact, by products in float32 of whole numbers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .vectors import Vectors

Singles = NDArray[np.float32]
Integers = NDArray[np.int64]

#: A score is the sum of so many largest products.
NEIGHBOURS = 5
#: Queries, and reference rows, whose products are looked at together. Few rows decide most queries that are familiar; a query that they
#: decide is not compared with the others.
_QUERIES = 512
_FIRST = (256, 1_024, 2_048)
_ROWS = 2_000


class Five(NamedTuple):
    """Nearest rows of queries, nearest first, those of equal product by their number; -1: the reference has no more."""

    scores: Integers  #: [n]
    rows: Integers  #: [n, 5], as places in the reference


def _largest(products: Singles) -> Singles:
    count = products.shape[1]
    return products if count <= NEIGHBOURS else np.partition(products, count - NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]


def familiar(queries: Vectors, reference: Singles, enough: Integers) -> Integers:
    """The score of each query, or a lower bound of it that is already ``enough`` [n].

    Further rows of the reference only raise a score, so that all that compares it with a threshold up to ``enough`` is exact.
    """
    scores = np.zeros(len(queries), dtype=np.int64)
    ends = [*(end for end in _FIRST if end < len(reference)), *range(_FIRST[-1] + _ROWS, len(reference), _ROWS), len(reference)]
    for begin in range(0, len(queries), _QUERIES):
        left = np.arange(begin, min(begin + _QUERIES, len(queries)))
        vectors = queries[left].astype(np.float32)
        best = np.zeros((len(left), 0), dtype=np.float32)
        first = 0
        for last in ends:
            best = _largest(np.concatenate([best, _largest(vectors @ reference[first:last].T)], axis=1))
            first = last
            scores[left] = best.sum(axis=1, dtype=np.float64).astype(np.int64)
            open_ = scores[left] < enough[left]
            left, vectors, best = left[open_], vectors[open_], best[open_]
            if not len(left):
                break
    return scores


def five_nearest(queries: Vectors, reference: Singles, numbers: Integers) -> Five:
    """Scores and nearest rows of queries. ``numbers`` [rows]: by which rows of equal product are ordered."""
    scores = np.zeros(len(queries), dtype=np.int64)
    rows = np.full((len(queries), NEIGHBOURS), -1)
    most = min(NEIGHBOURS, len(reference))
    for begin in range(0, len(queries) if most else 0, _QUERIES):
        products = queries[begin : begin + _QUERIES].astype(np.float32) @ reference.T
        best = _largest(products)
        here = slice(begin, begin + len(products))
        scores[here] = best.sum(axis=1, dtype=np.float64).astype(np.int64)
        query, row = np.nonzero(products >= best.min(axis=1, keepdims=True))  # all that are tied for the last place
        order = np.lexsort((numbers[row], -products[query, row], query))
        query, row = query[order], row[order]
        rank = np.arange(len(query)) - np.searchsorted(query, query)
        chosen = rank < most
        rows[begin + query[chosen], rank[chosen]] = row[chosen]
    return Five(scores, rows)
