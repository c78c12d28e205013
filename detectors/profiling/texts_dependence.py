"""Dependence of texts on those before them, as far as their words show it."""

import numpy as np
from numpy.typing import NDArray

from .dependence import BATCHES

Sums = NDArray[np.int64]
_FEWEST_BATCHES = 16
_LONGEST = BATCHES[-1]
#: In fewer texts a word shows no dependence that could be told from chance.
_FEWEST_TEXTS = 32


class WordDependence:
    """The taus of a vocabulary (`driftbus.detectors.profiling.dependence`): of each word's indicator, and of all of them together.

    Together: the variances of batch means, summed over the words, against those of independent texts. What most words are too rare to
    show by themselves, whether neighbouring texts are about the same, shows there.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._open = np.zeros((0, size), dtype=np.bool_)
        self._texts = 0
        self._total: Sums = np.zeros(size, dtype=np.int64)
        #: Per batch length and word, of the counts in whole batches: their sum, and that of their squares.
        self._sums: Sums = np.zeros((len(BATCHES), 2, size), dtype=np.int64)

    def add(self, contains: NDArray[np.bool_]) -> None:
        """Which words the next texts contain: [text, word]."""
        self._texts += len(contains)
        self._total += np.count_nonzero(contains, axis=0)
        self._open = np.concatenate((self._open, contains))
        while len(self._open) >= _LONGEST:
            self._sums += self._of(self._open[:_LONGEST])
            self._open = self._open[_LONGEST:]

    def _of(self, contains: NDArray[np.bool_]) -> Sums:
        sums = np.zeros_like(self._sums)
        counts, length = contains, 1
        for row, batch in enumerate(BATCHES):
            whole, joined = len(contains) // batch, batch // length
            counts, length = counts[: whole * joined].reshape(whole, joined, self._size).sum(axis=1, dtype=np.int64), batch
            sums[row] = counts.sum(axis=0), (counts * counts).sum(axis=0)
        return sums

    def tau(self) -> tuple[float, list[float]]:
        """Of all words together, and of each; at least 1."""
        share = self._total / max(self._texts, 1)
        alone = share * (1 - share)
        together, each = 1.0, np.ones(self._size)
        shown = (self._total >= _FEWEST_TEXTS) & (alone > 0)
        for batch, (total, square) in zip(BATCHES, (self._sums + self._of(self._open)).astype(np.float64), strict=True):
            batches = self._texts // batch
            if batches < _FEWEST_BATCHES:
                break
            varied = (square - total**2 / batches) / (batches - 1) / batch
            least = 1 + 3 * (2 / batches) ** 0.5  # what independent texts would show by chance
            ratio = float(varied.sum()) / max(float(alone.sum()), 1e-12)
            together = max(together, ratio if ratio > least else 1.0)
            ratios = np.divide(varied, alone, out=np.ones(self._size), where=shown)
            each = np.maximum(each, np.where(ratios > least, ratios, 1.0))
        return together, each.tolist()
