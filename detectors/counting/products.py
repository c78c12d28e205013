"""Counting pairs: products of rank scores, over rows that have both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .layout import Signal
from .ranks import RANK_SCALE

#: Sums of products are of multiples of 2^-20: each product lies within +-3.
PAIR_SCALE = float(RANK_SCALE**2)


class Products:
    """Pairs of columns that are counted together."""

    def __init__(self, pairs: Sequence[tuple[int, int, Signal]]) -> None:
        """Of two columns each, and where they are counted."""
        self._first = np.array([first for first, _, _ in pairs], dtype=np.int64)
        self._second = np.array([second for _, second, _ in pairs], dtype=np.int64)
        self._sums = np.array([signal.start for _, _, signal in pairs], dtype=np.int64)
        self._rows = np.array([signal.rows.start for _, _, signal in pairs], dtype=np.int64)

    def add(self, scores: NDArray[np.float64], vector: NDArray[np.int64]) -> None:
        """Count the products of rows of rank scores, whole numbers by row and column; NaN where a value is absent."""
        absent = np.isnan(scores)
        if absent.any():
            there = (~absent).astype(np.float64)
            scores = np.where(absent, 0.0, scores)
            vector[self._rows] += self._both(there)
        else:
            vector[self._rows] += len(scores)
        vector[self._sums] += self._both(scores)

    def _both(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Per pair, the sum of the products of its columns: of whole numbers, far below 2^53."""
        columns = np.ascontiguousarray(rows.T)
        # BLAS would be five times as fast, and on a busy machine, waiting for its threads, a hundred times as slow.
        return np.asarray(np.einsum("in,jn->ij", columns, columns)[self._first, self._second], dtype=np.int64)
