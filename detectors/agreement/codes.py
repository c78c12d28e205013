"""Values of features as 8 bytes each, as both sides of a comparison write them: `driftbus.schemas.outcome` has their form."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.outcome import NO_VALUE, class_code

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
_MIX, _ODD, _HALF = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x9E37_79B9_7F4A_7C15), np.uint64(32)
#: Of a hash those bits that make it a number that is not negative: so it is never `NO_VALUE`.
_POSITIVE = np.uint64(0x7FFF_FFFF_FFFF_FFFF)


def codes_of_numbers(numbers: Floats) -> Integers:
    """Of numbers the bits of the float, with one zero only; what is no number is absent.

    >>> codes_of_numbers(np.array([0.0, -0.0, np.nan])).tolist() == [0, 0, NO_VALUE]
    True
    """
    codes = np.ascontiguousarray(numbers + 0.0, dtype=np.float64).view(np.int64)
    return np.where(np.isnan(numbers), NO_VALUE, codes)


def code_of_text(value: object) -> int:
    """Of a category 63 bits of its hash; of a mark, which is no text, that it is absent."""
    return class_code(value) if isinstance(value, str) else NO_VALUE


def numbers_of(codes: Integers) -> Floats:
    """What `codes_of_numbers` wrote; of what is absent, NaN."""
    return np.where(codes == NO_VALUE, np.nan, np.ascontiguousarray(codes).view(np.float64))


def contents(codes: Integers) -> Integers:
    """A hash of each row of codes, shape [n, features], never negative: rows that differ have the same by a chance of one in 2^63.

    >>> same, other = contents(np.array([[1, 2], [1, 2], [2, 1]])).tolist()[1:]
    >>> same == other
    False
    """
    mixed = np.full(len(codes), _ODD)
    for column in codes.view(np.uint64).T:
        mixed = (mixed ^ column) * _MIX
        mixed ^= mixed >> _HALF
        mixed = mixed * _ODD + _MIX
    return ((mixed ^ (mixed >> _HALF)) & _POSITIVE).view(np.int64)
