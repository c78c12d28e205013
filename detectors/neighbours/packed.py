"""Arrays in an artifact: their type, their shape, their bytes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: What an array may be made of, least significant byte first.
_TYPES = ("<i2", "<i8", "<f8", "|b1")


def packed(array: NDArray[Any]) -> list[object]:  # of any of these types
    """As it is written."""
    kind = array.dtype.newbyteorder("<").str
    if kind not in _TYPES:
        msg = f"an array of {array.dtype}: an artifact holds {', '.join(_TYPES)}"
        raise ValueError(msg)
    return [kind, list(array.shape), np.ascontiguousarray(array, dtype=kind).tobytes()]


def unpacked(written: list[Any]) -> NDArray[Any]:  # likewise
    """What `packed` made.

    >>> unpacked(packed(np.array([[1, 2]]))).tolist()
    [[1, 2]]
    """
    kind, shape, content = written
    if kind not in _TYPES:
        msg = f"an array of {kind!r}: an artifact holds {', '.join(_TYPES)}"
        raise ValueError(msg)
    return np.frombuffer(content, dtype=kind).reshape(shape).astype(np.dtype(kind).newbyteorder("="))
