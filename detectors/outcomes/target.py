"""Where rows are counted: vectors one behind the other in one array."""

from typing import NamedTuple

import numpy as np

from .values import Integers


class Target(NamedTuple):
    """Vectors with one number more each, for what has no place, and which of them each row belongs to."""

    flat: Integers
    base: Integers  #: of every row: where its vector begins
    nowhere: int  #: from there: the number behind the last

    def of(self, rows: Integers) -> "Target":
        """For some of the rows."""
        return self._replace(base=self.base[rows])

    def add(self, places: Integers, amounts: Integers | int) -> None:
        """Add to each row's vector, at places of shape (n,) or (n, ...); those that are negative are nowhere.

        >>> target = Target(np.zeros(6, dtype=np.int64), np.array([0, 0, 3]), 2)
        >>> target.add(np.array([1, 1, -1]), 1)
        >>> target.flat.tolist()
        [0, 2, 0, 0, 0, 1]
        """
        base = self.base.reshape(-1, *(1,) * (places.ndim - 1))
        found = base + np.where(places < 0, self.nowhere, places)
        if isinstance(amounts, np.ndarray):
            # Of one dimension and one type: what numpy adds five times as fast.
            amounts = np.broadcast_to(amounts, found.shape).astype(np.int64).ravel()
        np.add.at(self.flat, found.ravel(), amounts)

    def add_to(self, place: int, amounts: Integers | int) -> None:
        """Add to each row's vector at one place."""
        if isinstance(amounts, np.ndarray):
            amounts = amounts.astype(np.int64)
        np.add.at(self.flat, self.base + place, amounts)
