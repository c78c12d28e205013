"""A sample of rows that anybody draws again: by a hash of their number, so that no rhythm of the data meets one of the sample."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.identity import derived_id


def drawn(numbers: NDArray[np.int64], part: float) -> NDArray[np.bool_]:
    """Which rows are in a sample of this part of all: their numbers hashed (splitmix64's finalizer; Steele, Lea, Flood 2014).

    >>> int(drawn(np.arange(100_000), 0.1).sum())
    9829
    """
    if part >= 1:
        return np.ones(len(numbers), dtype=np.bool_)
    return np.asarray(_mixed(numbers.astype(np.uint64)) < np.uint64(int(part * 2.0**64)), dtype=np.bool_)


def hashes(topic_id: str, partition: int, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of records, by where they stand: those with the smallest are a sample that anybody draws again, and that of parts merges. 53 bits."""
    seed = np.uint64(int(derived_id("record", topic_id, partition)[:16], 16))
    return np.asarray(_mixed(offsets.astype(np.uint64) ^ seed) >> np.uint64(11), dtype=np.int64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = numbers * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
