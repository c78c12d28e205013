"""The halves of an id as one number, each bit of which depends on all of theirs: of the ids of a partition or sample neither is uniform."""

import numpy as np

from .groups import Ids

#: Factors and shifts of splitmix64's finalizer (Steele, Lea, Flood 2014); the first one tells the halves apart.
MIX = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


def mixed(hi: Ids, lo: Ids) -> Ids:
    """A number of 64 bits for each id.

    >>> mixed(np.array([0, 1], dtype=np.uint64), np.array([1, 0], dtype=np.uint64)) >> np.uint64(56)
    array([ 86, 226], dtype=uint64)
    """
    x = hi * MIX + lo
    x ^= x >> _SHIFTS[0]
    x *= _FACTORS[0]
    x ^= x >> _SHIFTS[1]
    x *= _FACTORS[1]
    return x ^ (x >> _SHIFTS[2])
