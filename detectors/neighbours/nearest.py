"""The five nearest rows of a reference: exact, by products in float32 of whole numbers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .vectors import Vectors

Singles = NDArray[np.float32]
Integers = NDArray[np.int64]

#: A score is the sum of so many largest products.
NEIGHBOURS = 5
#: Queries whose products are looked at together.
_QUERIES = 512
#: Products of one query of which the largest is looked at first, where there are so many groups of these that it pays.
_GROUP, _GROUPS = 50, 20


class Five(NamedTuple):
    """Nearest rows of queries, nearest first, those of equal product by their number; -1: the reference has no more."""

    scores: Integers  #: [n]
    rows: Integers  #: [n, 5], as places in the reference
    products: Singles  #: [n, 5], with these; 0 where there is none


def largest(products: Singles) -> Singles:
    """Of every row the `NEIGHBOURS` largest, in any order; all where there are no more."""
    count = products.shape[1]
    if count >= _GROUP * _GROUPS:
        products = _of_best_groups(products)
        count = products.shape[1]
    return products if count <= NEIGHBOURS else np.partition(products, count - NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]


def _of_best_groups(products: Singles) -> Singles:
    """All products of the groups with the `NEIGHBOURS` largest maxima, among which are the `NEIGHBOURS` largest of all; and the rest.

    A group is every so manieth product, so that maxima are taken of whole stretches of memory.
    """
    groups = products.shape[1] // _GROUP
    grouped = products[:, : groups * _GROUP].reshape(-1, _GROUP, groups)
    best = np.argpartition(grouped.max(axis=1), groups - NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
    chosen = np.take_along_axis(grouped, best[:, None, :], axis=2).reshape(len(products), -1)
    return np.concatenate([chosen, products[:, groups * _GROUP :]], axis=1)


def five_nearest(queries: Vectors, reference: Singles, numbers: Integers) -> Five:
    """Scores and nearest rows of queries. ``numbers`` [rows]: by which rows of equal product are ordered."""
    scores = np.zeros(len(queries), dtype=np.int64)
    rows, found = np.full((len(queries), NEIGHBOURS), -1), np.zeros((len(queries), NEIGHBOURS), dtype=np.float32)
    most = min(NEIGHBOURS, len(reference))
    for begin in range(0, len(queries) if most else 0, _QUERIES):
        products = queries[begin : begin + _QUERIES].astype(np.float32) @ reference.T
        best = largest(products)
        here = slice(begin, begin + len(products))
        scores[here] = best.sum(axis=1, dtype=np.float64).astype(np.int64)
        query, row = np.nonzero(products >= best.min(axis=1, keepdims=True))  # all that are tied for the last place
        order = np.lexsort((numbers[row], -products[query, row], query))
        query, row = query[order], row[order]
        rank = np.arange(len(query)) - np.searchsorted(query, query)
        chosen = rank < most
        query, row, rank = query[chosen], row[chosen], rank[chosen]
        rows[begin + query, rank], found[begin + query, rank] = row, products[query, row]
    return Five(scores, rows, found)
