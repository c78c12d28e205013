"""Chance that anybody draws again: a number of every row, by where it lies in the log."""

import numpy as np
import xxhash
from numpy.typing import NDArray

from ..joining.mixed import mixed

Draws = NDArray[np.uint64]


def draws(topic_id: str, partition: int, offsets: NDArray[np.int64]) -> Draws:
    """A number of 64 bits for each offset of a partition, uniform and independent as far as anybody can tell (splitmix64).

    >>> draws("t", 0, np.arange(2)) >> np.uint64(56)
    array([50, 89], dtype=uint64)
    """
    seed = np.uint64(xxhash.xxh3_64_intdigest(f"{topic_id}/{partition}".encode()))
    return mixed(offsets.astype(np.uint64), np.full(len(offsets), seed))


def unit(numbers: Draws) -> NDArray[np.float64]:
    """As numbers above 0, at most 1.

    >>> unit(np.array([0, 2**63, 2**64 - 1], dtype=np.uint64)).tolist()
    [5.421010862427522e-20, 0.5, 1.0]
    """
    return (numbers.astype(np.float64) + 1) / 2.0**64
