"""Vectors of integers on the wire: exact, small, and the same bytes from every writer."""

from collections.abc import Mapping
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
    for width, size, bound in _BOUNDS:
        if -bound <= low and high < bound:
            return width, size
    msg = f"{low} and {high} leave 64 bits"
    raise OverflowError(msg)


def packed(values: Integers) -> list[Any]:
    """``[length, width, bytes]`` where most numbers are set, ``[length, width, bytes, width, bytes of indices]`` where few are.

    >>> packed(np.array([1, 0, 3], dtype=np.int64))
    [3, 'i1', b'\\x01\\x00\\x03']
    """
    length, indices = len(values), values.nonzero()[0]
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


def _halved(values: Integers) -> tuple[list[Any], list[Any]]:
    """The lowest byte of each number, and what is above it: where few numbers are large, a byte each and little more."""
    low = ((values + 128) & 255) - 128
    return packed(low), packed((values - low) >> 8)


def packed_by_name(vectors: Mapping[str, Integers]) -> list[Any]:
    """``[names, lengths, first places, steps to the next ones, numbers]`` of vectors of places, which ascend, and the numbers there, each
    of shape [2, n]: all in one, for to pack many small ones costs more than to count them. Of none, and of empty ones, nothing. Steps and
    numbers travel as two vectors each: their lowest bytes, and what is above these, in units of 256.

    >>> packed_by_name({"a": np.array([[1000, 1001], [7, 300]])})[3:]
    [[2, 'i1', b'\\x00\\x01'], [2, 'i1', b'', 'i1', b''], [2, 'i1', b'\\x07,'], [2, 'i1', b'\\x00\\x01']]
    """
    there = {name: vector for name, vector in vectors.items() if vector.shape[1]}
    if not there:
        return []
    places, numbers = np.concatenate([*there.values()], axis=1)
    lengths = np.array([vector.shape[1] for vector in there.values()], dtype=np.int64)
    begins = lengths.cumsum() - lengths
    steps = places.copy()
    steps[1:] -= places[:-1]
    steps[begins] = 0
    return [[*there], packed(lengths), packed(places[begins]), *_halved(steps), *_halved(numbers)]


def unpacked_by_name(form: object) -> dict[str, Integers]:
    """The vectors that `packed_by_name` wrote.

    >>> vectors = {"a": np.array([[-5, 7], [1, 2]]), "b": np.array([[-(2**63), 2**63 - 1], [3, 4]])}
    >>> {name: vector.tolist() for name, vector in unpacked_by_name(packed_by_name(vectors)).items()}
    {'a': [[-5, 7], [1, 2]], 'b': [[-9223372036854775808, 9223372036854775807], [3, 4]]}
    """
    if isinstance(form, dict):
        return form
    if not isinstance(form, list | tuple) or len(form) not in (0, 7):
        msg = "not packed vectors of places and numbers"
        raise ValueError(msg)
    if not form:
        return {}
    names, (lengths, firsts, *halves) = form[0], map(unpacked, form[1:])
    if len({len(half) for half in halves}) > 1:
        msg = f"halves of {sorted({len(half) for half in halves})} numbers"
        raise ValueError(msg)
    steps = halves[0] + (halves[1] << 8)
    both = np.empty((2, len(steps)), dtype=np.int64)
    places, numbers = both
    np.add(halves[2], halves[3] << 8, out=numbers)
    alike = isinstance(names, list | tuple) and len(names) == len(set(map(str, names))) == len(lengths) == len(firsts)
    if not alike or (lengths < 1).any() or not lengths.sum() == len(steps) == len(numbers):
        msg = f"{len(steps)} places and {len(numbers)} numbers of {len(lengths)} vectors"
        raise ValueError(msg)
    ends, behind = lengths.cumsum(), steps.cumsum()
    begins = ends - lengths
    np.add((firsts - behind[begins]).repeat(lengths), behind, out=places)  # what leaves 64 bits comes back into them
    descends = places[1:] <= places[:-1]
    descends[ends[:-1] - 1] = False
    if descends.any() or not all(isinstance(name, str) for name in names):
        msg = "places of numbers that do not ascend, or names that are no texts"
        raise ValueError(msg)
    return {name: both[:, start:stop] for name, start, stop in zip(names, begins.tolist(), ends.tolist(), strict=True)}


SparseVectors = Annotated[
    dict[str, Integers],
    BeforeValidator(unpacked_by_name),
    PlainSerializer(packed_by_name),
    WithJsonSchema({"type": "array", "description": "packed vectors, by name, of places that ascend and the numbers there"}),
]
