"""A sample of rows that anybody draws again: by a hash of their number, so that no rhythm of the data meets one of the sample."""

import numpy as np
from numpy.typing import NDArray


def drawn(numbers: NDArray[np.int64], part: float) -> NDArray[np.bool_]:
    """Which rows are in a sample of this part of all: their numbers hashed (splitmix64's finalizer; Steele, Lea, Flood 2014).

    >>> int(drawn(np.arange(100_000), 0.1).sum())
    9829
    """
    if part >= 1:
        return np.ones(len(numbers), dtype=np.bool_)
    x = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((x ^ (x >> np.uint64(31))) < np.uint64(int(part * 2.0**64)), dtype=np.bool_)
