"""Which rows of a table an index is made of: duplicates out, the newest part held out, the rest drawn by the rows' hash."""

import math
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

#: Held out, of the distinct rows: the newest, where their times are known. Data that show a cycle twice show it there once.
HELD_OUT = 0.5
_MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_CANONICAL = np.array([np.nan]).view(np.uint64)[0]


class Drawn(NamedTuple):
    """Numbers of rows, none of them twice, in the order of their hashes."""

    pool: Integers  #: all that are not held out
    held_out: Integers
    duplicates: int  #: rows left out


def drawn(hashes: NDArray[np.uint64], times: Integers | None) -> Drawn:
    """Of equal hashes the first row stays.

    >>> found = drawn(np.array([5, 7, 5, 6, 9], dtype=np.uint64), None)
    >>> found.pool.tolist(), found.held_out.tolist(), found.duplicates
    ([0, 3], [1, 4], 1)
    """
    rows = np.unique(hashes, return_index=True)[1].astype(np.int64)  # by hash
    held_out = math.ceil(HELD_OUT * len(rows)) if len(rows) > 1 else 0
    if times is None:
        late = np.arange(len(rows)) >= len(rows) - held_out
    else:
        late = np.zeros(len(rows), dtype=np.bool_)
        late[np.lexsort((hashes[rows], times[rows]))[len(rows) - held_out :]] = True
    return Drawn(rows[~late], rows[late], len(hashes) - len(rows))


def hashes_of(numeric: NDArray[np.float64], texts: Sequence[Sequence[object]]) -> NDArray[np.uint64]:
    """Of every row; what is absent is the same, for whatever reason (splitmix64's finalizer, field by field; Steele, Lea, Flood 2014)."""
    found = np.zeros(len(numeric), dtype=np.uint64)
    for column in numeric.T:
        found = _mixed(found, np.where(np.isfinite(column), column + 0.0, np.nan))
    for texts_ in texts:
        known: dict[object, int] = {}
        codes = [known[value] if value in known else known.setdefault(value, _hashed(value)) for value in texts_]
        found = _mixed(found, np.array(codes, dtype=np.uint64))
    return found


def _hashed(value: object) -> int:
    if not isinstance(value, str):
        return 1
    content = value.encode("utf-8", "surrogatepass")
    return zlib.crc32(content) << 32 | zlib.crc32(content, 0x5EED)


def _mixed(found: NDArray[np.uint64], values: NDArray[np.float64] | NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = values.view(np.uint64).copy()
    if values.dtype.kind == "f":
        bits[np.isnan(values)] = _CANONICAL
    x = (found + _STEP) ^ bits
    x = (x ^ (x >> np.uint64(30))) * _MULTIPLIERS[0]
    x = (x ^ (x >> np.uint64(27))) * _MULTIPLIERS[1]
    return np.asarray(x ^ (x >> np.uint64(31)), dtype=np.uint64)
