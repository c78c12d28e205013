"""A grid for integers of any size, of losses and of delays: fixed beforehand, so that counts on it add up over steps and partitions."""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Parts of equal width between one power of two and the next: a bin is from 7 to 13 % wide.
PARTS = 8
#: Zero has a bin of its own; 2^63 is the last number that has one.
GRID = 1 + 64 * PARTS


def bins_on_grid(values: Integers) -> Integers:
    """The bin of every integer; of negative ones that of zero.

    >>> bins_on_grid(np.array([-5, 0, 1, 2, 3, 1000, 1063])).tolist()
    [0, 0, 1, 9, 13, 80, 81]
    """
    part, power = np.frexp(np.maximum(values, 0).astype(np.float64))
    places = 1 + (power - 1) * PARTS + ((part - 0.5) * 2 * PARTS).astype(np.int64)
    return np.where(values > 0, places, 0).astype(np.int64)


def _at(places: Integers, share: float) -> Floats:
    """Where so large a share of a bin lies below."""
    power, part = np.divmod(places - 1, PARTS)
    return np.where(places > 0, np.ldexp(0.5 + (part + share) / (2 * PARTS), power + 1), 0.0)


#: What a bin's integers are taken for, and what they all lie below.
MIDDLES: Floats = _at(np.arange(GRID), 0.5)
ENDS: Floats = _at(np.arange(GRID), 1.0)
