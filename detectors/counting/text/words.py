"""Words: runs of letters, digits and marks, whatever the script."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .reading import MOST_CHARACTERS, Block, Found, Integers, code_points

#: Of the polynomial hash of a word's code points (odd, so that no digit is lost): Knuth's multiplier (TAOCP 6.4).
_BASE = 0x9E37_79B9_7F4A_7C15
#: Words are looked up by so many of their hash's highest bits.
_BITS = 14
_SHIFT = np.uint64(64 - _BITS)
#: No letter has a code point from here on.
_BEYOND_LETTERS = 0x40000


@cache
def _of_words() -> NDArray[np.bool_]:
    r"""Per code point, whether words have it: what ``\w`` matches, and marks, without which words of Indian scripts fall to pieces."""
    everything = "".join(map(chr, range(_BEYOND_LETTERS)))
    held = np.fromiter((unicodedata.category(character) in ("Mn", "Mc") for character in everything), np.bool_, len(everything))
    for run in re.finditer(r"\w+", everything):
        held[run.start() : run.end()] = True
    return np.append(held, False)  # stands for all beyond


@cache
def _powers() -> NDArray[np.uint64]:
    # case folding makes at most three characters of one
    return np.multiply.accumulate(np.full(3 * MOST_CHARACTERS, _BASE, dtype=np.uint64))


def spans(block: Block) -> tuple[Integers, Integers]:
    """Where the words of a block start and stop."""
    held = np.zeros(len(block.codes) + 2, dtype=np.int8)
    held[1:-1] = _of_words().take(block.codes, mode="clip")
    steps = np.diff(held)
    return np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)


def _hashes(codes: NDArray[np.uint32], starts: Integers, stops: Integers) -> NDArray[np.uint64]:
    """Of the words that start and stop there, none of them empty: sum code_i BASE^i, i from 1, modulo 2^64."""
    if not len(starts):
        return np.zeros(0, dtype=np.uint64)
    sizes = stops - starts
    firsts = np.cumsum(sizes) - sizes  # of each word, among the characters of all words
    within = np.arange(int(sizes.sum())) - np.repeat(firsts, sizes)
    letters = codes[within + np.repeat(starts, sizes)].astype(np.uint64)
    return np.add.reduceat(letters * _powers()[within], firsts)


class Words:
    """A vocabulary, found in blocks of texts."""

    def __init__(self, words: Sequence[str]) -> None:
        self.size = len(words)
        sizes = np.array([len(word) for word in words], dtype=np.int64)
        stops = np.cumsum(sizes)
        known = _hashes(code_points("".join(words)), stops - sizes, stops)
        order = np.argsort(known)
        #: By their highest bits, where those hashes begin in the sorted ones; the searched one is among so few from there on.
        self._first = np.searchsorted(known[order] >> _SHIFT, np.arange(1 << _BITS, dtype=np.uint64))
        self._near = int(np.bincount((known >> _SHIFT).astype(np.int64)).max(initial=0))
        #: Behind the last one there is something to compare with, whose place is no place.
        self._hashes = np.append(known[order], np.zeros(self._near + 1, dtype=np.uint64))
        self._places = np.append(order, np.full(self._near + 1, -1))

    def found(self, block: Block) -> Found:
        """Every word of every text, in order."""
        starts, stops = spans(block)
        hashes = _hashes(block.codes, starts, stops)
        place = np.full(len(starts), -1)
        near = self._first.take((hashes >> _SHIFT).view(np.int64))
        for _ in range(self._near):
            same = np.flatnonzero(self._hashes.take(near) == hashes)
            place[same] = self._places.take(near[same])
            near += 1
        return Found(block.text_of[starts], place)
