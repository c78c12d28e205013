"""Vectors of integers on the wire: exact, small, and the same bytes from every writer."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

Integers = NDArray[np.int64]
_WIDTHS = ("i1", "i2", "i4", "i8")
_BOUNDS = tuple((width, 1 << place, 1 << ((8 << place) - 1)) for place, width in enumerate(_WIDTHS))
#: No layout is as long: what says so is damaged, and must not be given the memory.
LONGEST = 1 << 22

#: Numbers that stay exact in every language, and whose sums do not leave 64 bits.
Count = Annotated[int, Field(ge=0, le=2**53)]
#: In a vector.
Place = Annotated[int, Field(ge=0, le=LONGEST)]
Offset = Annotated[int, Field(ge=-1, le=2**63 - 1)]
PartitionNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
#: In ms, the years that an ISO time can be of.
Time = Annotated[int, Field(ge=-62_135_596_800_000, le=253_402_300_799_999)]
#: A time, or one that no time is before.
Boundary = Annotated[int, Field(ge=-(2**62), le=253_402_300_799_999)]


def _width(low: int, high: int) -> tuple[str, int]:
    """The narrowest that holds both, and its bytes."""
    return next((width, size) for width, size, bound in _BOUNDS if -bound <= low and high < bound)


def packed(values: Integers) -> list[Any]:
    """``[length, width, bytes]`` where most numbers are set, ``[length, width, bytes, width, bytes of indices]`` where few are.

    >>> packed(np.array([1, 0, 3], dtype=np.int64))
    [3, 'i1', b'\\x01\\x00\\x03']
    """
    length, indices = len(values), np.flatnonzero(values)
    width, size = _width(int(values.min()), int(values.max())) if length else _width(0, 0)  # zeros widen nothing
    index_width, index_size = _width(0, int(indices[-1]) if len(indices) else 0)
    if len(indices) * (size + index_size) < length * size:
        return [length, width, values[indices].astype(f"<{width}").tobytes(), index_width, indices.astype(f"<{index_width}").tobytes()]
    return [length, width, values.astype(f"<{width}").tobytes()]


def unpacked(form: object) -> Integers:
    """The vector that `packed` wrote.

    >>> unpacked(packed(np.arange(3))).tolist()
    [0, 1, 2]
    """
    if isinstance(form, np.ndarray):
        return np.ascontiguousarray(form, dtype=np.int64)
    if not isinstance(form, list | tuple) or len(form) not in (3, 5) or form[1] not in _WIDTHS or form[-2] not in _WIDTHS:
        msg = "not a packed vector of integers"
        raise ValueError(msg)
    length = form[0]
    if type(length) is not int or not 0 <= length <= LONGEST:
        msg = f"a vector of {length!r} numbers"
        raise ValueError(msg)
    set_ = np.frombuffer(form[2], dtype=f"<{form[1]}").astype(np.int64)
    if len(form) == 3:
        if len(set_) != length:
            msg = f"{len(set_)} numbers in a vector of {length}"
            raise ValueError(msg)
        return set_
    values = np.zeros(length, dtype=np.int64)
    places = np.frombuffer(form[4], dtype=f"<{form[3]}").astype(np.int64)
    if len(places) != len(set_) or (len(places) and places.min() < 0):  # those beyond the end are refused by numpy
        msg = f"{len(set_)} numbers at {len(places)} places in a vector of {length}"
        raise ValueError(msg)
    values[places] = set_
    return values


IntegerVector = Annotated[
    Integers,
    BeforeValidator(unpacked),
    PlainSerializer(packed),
    WithJsonSchema({"type": "array", "description": "a packed vector of integers"}),
]


def packed_sparse(values: Integers) -> list[Any]:
    """``[first place, packed steps, packed numbers]`` of a vector of places, which ascend, and the numbers there, shape [2, n].

    >>> packed_sparse(np.array([[1000, 1001], [7, 8]]))[::2]
    [1000, [2, 'i1', b'\\x07\\x08']]
    """
    first = int(values[0, 0]) if values.shape[1] else 0
    return [first, packed(np.diff(values[0])), packed(values[1])]


def unpacked_sparse(form: object) -> Integers:
    """The vector that `packed_sparse` wrote.

    >>> unpacked_sparse(packed_sparse(np.array([[-5, 7], [1, 2]]))).tolist()
    [[-5, 7], [1, 2]]
    """
    if isinstance(form, np.ndarray):
        if form.ndim != 2 or len(form) != 2:
            msg = f"a vector of places and numbers of shape {form.shape}"
            raise ValueError(msg)
        return np.ascontiguousarray(form, dtype=np.int64)
    if not isinstance(form, list | tuple) or len(form) != 3 or type(form[0]) is not int or not -(2**63) <= form[0] < 2**63:
        msg = "not a packed vector of places and numbers"
        raise ValueError(msg)
    steps, numbers = unpacked(form[1]), unpacked(form[2])
    if len(numbers) != len(steps) + 1 and (len(numbers) or len(steps)):
        msg = f"{len(numbers)} numbers at {len(steps) + 1} places"
        raise ValueError(msg)
    places = np.cumsum(np.append(form[0], steps))[: len(numbers)]  # steps that leave 64 bits come back into them
    if (places[1:] <= places[:-1]).any():
        msg = "places of numbers that do not ascend"
        raise ValueError(msg)
    return np.stack((places, numbers))


SparseVector = Annotated[
    Integers,
    BeforeValidator(unpacked_sparse),
    PlainSerializer(packed_sparse),
    WithJsonSchema({"type": "array", "description": "a packed vector of integers at places that ascend"}),
]
