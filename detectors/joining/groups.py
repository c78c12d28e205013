"""Rows of one key, brought together: whole batches at a time."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]  # structured
Spots = NDArray[np.int64]
Ids = NDArray[np.uint64]  # halves of ids


class Groups(NamedTuple):
    """An order in which rows of one key stand side by side, as they came; and where in it each key begins."""

    order: Spots
    begins: Spots

    @property
    def firsts(self) -> Spots:
        """The first row of each key."""
        return self.order[self.begins]

    @property
    def lasts(self) -> Spots:
        """The last row of each key."""
        return self.order[np.append(self.begins[1:], len(self.order)) - 1] if len(self.order) else self.order

    @property
    def sizes(self) -> Spots:
        """How many rows each key has."""
        return np.diff(np.append(self.begins, len(self.order)))


def grouped(*columns: NDArray[Any]) -> Groups:  # halves of ids, codes, times
    """Rows by the values of these columns, each of shape (n,); quick where all of the first differ.

    >>> grouped(np.array([7, 5, 7]), np.array([1, 1, 1]))
    Groups(order=array([1, 0, 2]), begins=array([0, 1]))
    """
    rows = len(columns[0])
    inorder = np.sort(columns[0])
    if (inorder[1:] != inorder[:-1]).all():
        order = np.arange(rows)
        return Groups(order, order)
    order = np.lexsort(columns[::-1])
    begins = np.zeros(rows, dtype=bool)
    begins[:1] = True
    for column in columns:
        values = column[order]
        begins[1:] |= values[1:] != values[:-1]
    return Groups(order, np.flatnonzero(begins))
