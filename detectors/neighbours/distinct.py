"""Rows of a training set to score by, and rows held out: duplicates first, then by hash or by time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

Rows = NDArray[np.int64]

#: Held out is a third of the distinct rows; two fifths while that is not more than this.
WANTED_HELD_OUT = 3_000
#: Of rows with times, the newest part that those held out are drawn from; others are compared with older ones. Data that show a cycle
#: twice, as they should, show it there once: of the newest rows alone, those of an hour say, what is usual at other hours would be unlike.
NEWEST = 0.5


class Split(NamedTuple):
    """Rows of a training set."""

    reference: Rows  #: in the order of their hashes
    held_out: Rows  #: with times, from the oldest to the newest; else in the order of their hashes
    duplicates: int  #: left out


def key_of(text: str) -> bytes:
    """Equal for texts that differ in case and spaces only.

    >>> key_of("An  Example\\n") == key_of("an example")
    True
    """
    return " ".join(text.casefold().split()).encode("utf-8", "surrogatepass")


def firsts_of(keys: Sequence[bytes]) -> Rows:
    """Where each key occurs first, in their order."""
    seen: dict[bytes, int] = {}
    for row, key in enumerate(keys):
        seen.setdefault(key, row)
    return np.fromiter(seen.values(), np.int64, len(seen))


def by_hash(keys: Sequence[bytes], rows: Rows) -> Rows:
    """These rows in the order of their keys' hashes, which is nobody's choice."""
    hashes = np.fromiter((xxhash.xxh3_64_intdigest(keys[row]) for row in rows.tolist()), np.uint64, len(rows))
    return rows[np.lexsort((rows, hashes))]


def split(keys: Sequence[bytes], times: NDArray[np.int64] | None, *, size: int, held_out: int) -> Split:
    """At most so many rows to score by, and so many held out: of the newest half where there are times; all drawn by their hashes."""
    first = firsts_of(keys)
    shuffled = by_hash(keys, first)
    count = min(held_out, max(len(shuffled) // 3, min(WANTED_HELD_OUT, 2 * len(shuffled) // 5)))
    if times is None:
        out, kept = shuffled[:count], shuffled[count:]
    else:
        newest = np.zeros(len(shuffled), dtype=np.bool_)
        newest[np.argsort(times[shuffled], kind="stable")[int((1 - NEWEST) * len(shuffled)) :]] = True
        out, kept = shuffled[newest][:count], shuffled[~newest]
        out = out[np.argsort(times[out], kind="stable")]
    return Split(kept[:size], out, len(keys) - len(first))
