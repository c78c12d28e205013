"""Numbers at few places among very many: arrays of two rows, the places, which ascend, and how many are there."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def merged(parts: Iterable[Integers]) -> Integers:
    """Any number of them, whose places need not ascend, added up.

    >>> merged([np.array([[1, 5], [10, 20]]), np.array([[5, 9], [1, 2]])]).tolist()
    [[1, 5, 9], [10, 21, 2]]
    """
    joined = np.concatenate([np.zeros((2, 0), dtype=np.int64), *parts], axis=1)
    places, place_of = np.unique(joined[0], return_inverse=True)
    found = np.zeros((2, len(places)), dtype=np.int64)
    found[0] = places
    np.add.at(found[1], place_of, joined[1])
    return found
