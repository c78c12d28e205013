"""Whole-number vectors: their products are exact, on any processor and in any batch."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.int16]
Floats = NDArray[np.float64]

#: Of every vector. Partial sums of a product are at most |a| |b| < 2^24 (Cauchy-Schwarz), and so exact in float32.
LENGTH = 4_000
#: More numbers would not have an exact sum of squares: 2^13 (2^20)^2 = 2^53.
MOST_NUMBERS = 1 << 13
_STEPS = 2.0**20


def whole(sums: Floats) -> Vectors:
    """Vectors in the direction of these, of whole numbers and of length 4,000 [n, size]; zeros where a direction is none.

    A vector of zeros, or with a number that is not finite, has none. Every operation is elementwise and correctly rounded, or a sum of
    whole numbers below 2^53; hence no order of rows, batch or processor shows in the result. The largest error of a cosine is .0004.

    >>> whole(np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 1.0]])).tolist()
    [[2400, 3200], [0, 0], [0, 0]]
    """
    if sums.ndim != 2 or not 0 < sums.shape[1] <= MOST_NUMBERS:
        msg = f"vectors of shape {sums.shape}: at most {MOST_NUMBERS:,} numbers a vector"
        raise ValueError(msg)
    largest = np.abs(sums).max(axis=1, initial=0.0, keepdims=True)
    there = np.isfinite(largest) & (largest > 0)  # NaN is the maximum of what it is in
    steps = np.rint(np.divide(sums, largest, out=np.zeros(sums.shape), where=there) * _STEPS)
    lengths = np.sqrt(np.einsum("ij,ij->i", steps, steps))[:, None]
    vectors: Vectors = np.rint(np.divide(steps, lengths, out=np.zeros(sums.shape), where=there) * LENGTH).astype(np.int16)
    return vectors


def embedded(given: NDArray[np.floating]) -> Vectors:
    """Of embeddings that arrive in messages [n, size], in floats of any width."""
    return whole(np.asarray(given, dtype=np.float64))


def scorable(vectors: Vectors) -> NDArray[np.bool_]:
    """Which have a direction [n]."""
    return np.asarray(vectors.any(axis=1), dtype=np.bool_)
