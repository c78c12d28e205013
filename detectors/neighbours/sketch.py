"""Texts as sketches of their n-grams of characters: no model, any language, with or without spaces."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..counting.text.reading import blocks
from .vectors import Vectors, whole

#: Lengths of n-grams; buckets that they are hashed to; numbers of a sketch.
LENGTHS = (2, 3, 4)
BUCKETS, SIZE = 1 << 16, 1 << 10
#: Logarithms are held in steps of 1 / 256, and of counts up to here.
_STEPS, _MOST = 256.0, 255
#: Odd multipliers, so that no character is lost: Knuth's (TAOCP 6.4) and splitmix64's (Steele, Lea, Flood 2014).
_BASE, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)

Table = NDArray[np.int16]
Integers = NDArray[np.int64]


class Sketch:
    """Log counts of n-grams times their rarity in a reference, each added to one of 1,024 numbers with a sign (feature hashing).

    Counts and rarities come from tables of whole numbers that lie with the reference, so that no logarithm is taken twice; sums are of
    whole numbers. (Weinberger et al. 2009, Feature hashing for large scale multitask learning.)
    """

    name = f"sketch/{SIZE}"
    size = SIZE
    files: Mapping[str, str] = {}

    def __init__(self, rarity: Table, counts: Table) -> None:
        """``rarity`` [2^16] and ``counts`` [256] in steps of 1 / 256."""
        if rarity.shape != (BUCKETS,) or counts.shape != (_MOST + 1,):
            msg = f"sketch: tables of {rarity.shape} and {counts.shape} numbers, ({BUCKETS},) and ({_MOST + 1},) expected"
            raise ValueError(msg)
        self.rarity, self.counts = rarity, counts
        mixed = (np.arange(BUCKETS, dtype=np.uint64) + np.uint64(1)) * _MIX
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _BASE
        self._place = (mixed >> np.uint64(54)).astype(np.int64)
        self._signed = self.rarity * np.where((mixed >> np.uint64(53)) & np.uint64(1), 1.0, -1.0)

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Sketch":
        """With the rarities of these: 1 + ln((1 + n) / (1 + texts with the n-gram))."""
        within = np.zeros(BUCKETS, dtype=np.int64)
        for _, bucket, _, _ in _counted(texts):
            within += np.bincount(bucket, minlength=BUCKETS)
        rarity = 1 + np.log((1 + len(texts)) / (1 + within))
        counts = 1 + np.log(np.maximum(np.arange(_MOST + 1), 1))
        return cls(np.rint(_STEPS * rarity).astype(np.int16), np.rint(_STEPS * counts).astype(np.int16))

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Whole-number vectors [n, 1,024]; zeros for a text of fewer than two characters."""
        vectors = np.zeros((len(texts), SIZE), dtype=np.int16)
        first = 0
        for text, bucket, times, size in _counted(texts):
            weights = self.counts[np.minimum(times, _MOST)] * self._signed[bucket]
            sums = np.bincount(text * SIZE + self._place[bucket], weights, size * SIZE).reshape(size, SIZE)
            vectors[first : first + size] = whole(sums.astype(np.float64, copy=False))
            first += size
        return vectors


class _Counted(NamedTuple):
    """Of some texts at a time."""

    text: Integers  #: its number among these
    bucket: Integers  #: one that n-grams of it are in
    times: Integers  #: how many
    texts: int


def _counted(texts: Sequence[str]) -> Iterator[_Counted]:
    for block in blocks(texts):
        codes = block.codes.astype(np.uint64) + np.uint64(1)
        end = block.codes == 0
        keys = []
        hashes, ended = codes * _BASE, end
        for length in range(2, LENGTHS[-1] + 1):
            hashes = (hashes[:-1] + codes[length - 1 :]) * _BASE
            ended = ended[:-1] | end[length - 1 :]
            if length in LENGTHS:
                start = np.flatnonzero(~ended)
                mixed = hashes[start]
                mixed = (mixed ^ (mixed >> np.uint64(32))) * _MIX
                keys.append((block.text_of[start] << 16) | (mixed >> np.uint64(48)).astype(np.int64))
        found = np.sort(np.concatenate(keys))
        starts = np.flatnonzero(np.diff(found, prepend=-1))
        times = np.diff(starts, append=len(found))
        yield _Counted(found[starts] >> 16, found[starts] & (BUCKETS - 1), times, block.texts)
