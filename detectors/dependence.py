"""Dependence of a series on its own past: how many rows count as one independent row (tau)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Lengths at which the variance of batch means is compared with that of independent rows. Each divides the next.
BATCHES = (8, 32, 128, 512, 2048)
_FEWEST_BATCHES = 16
_LONGEST = BATCHES[-1]


class Dependence:
    """The taus of several series in the order of time, each a function of the row's code: ``table[code]``, shape [codes, series].

    For every batch length B with at least 16 batches, B Var(batch means) / Var is about tau; the largest of these that exceeds
    1 + 3 sqrt(2 / batches), what independent rows would give by chance, is taken. A heuristic, not a theorem: a cycle longer than the
    longest batch, or than the data, is not seen. Sums are kept by blocks of fixed rows, so that the result does not depend on chunks.

    >>> day_and_night = Dependence(np.eye(2))
    >>> day_and_night.add(np.arange(100_000) // 100 % 2)
    >>> bool(day_and_night.tau()[0] > 20)
    True
    """

    def __init__(self, table: Floats) -> None:
        self._table = np.ascontiguousarray(table, dtype=np.float64)
        self._open: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._rows = 0
        #: Per batch length (0: the rows), of whole blocks: the sum of the batches' sums, and of their squares.
        self._sums = np.zeros((len(BATCHES) + 1, 2, self._table.shape[1]))

    def add(self, codes: NDArray[np.int64]) -> None:
        """The next rows."""
        self._rows += len(codes)
        codes = np.concatenate((self._open, codes))
        whole = len(codes) // _LONGEST * _LONGEST
        for block in codes[:whole].reshape(-1, _LONGEST):
            self._sums += self._of(block)
        self._open = codes[whole:]

    def _of(self, codes: NDArray[np.int64]) -> Floats:
        x = self._table[codes]
        sums = np.zeros_like(self._sums)
        sums[0] = x.sum(axis=0), (x * x).sum(axis=0)
        length = 1
        for row, batch in enumerate(BATCHES, start=1):
            whole, joined = len(x) * length // batch, batch // length
            x = x[: whole * joined].reshape(whole, joined, x.shape[1]).sum(axis=1)
            sums[row] = x.sum(axis=0), (x * x).sum(axis=0)
            length = batch
        return sums

    def tau(self) -> Floats:
        """One tau per series, at least 1; 1 for a series that never changes."""
        sums = self._sums + self._of(self._open)
        n, largest = max(self._rows, 1), np.ones(self._table.shape[1])
        variance = sums[0, 1] / n - (sums[0, 0] / n) ** 2
        varies = variance > 1e-12
        for (total, square), batch in zip(sums[1:], BATCHES, strict=True):
            batches = self._rows // batch
            if batches < _FEWEST_BATCHES:
                break
            of_means = (square - total**2 / batches) / (batches - 1) / batch**2
            ratio = np.divide(batch * of_means, variance, out=np.ones_like(variance), where=varies)
            largest = np.where(ratio > 1 + 3 * np.sqrt(2 / batches), np.maximum(largest, ratio), largest)
        return largest
