"""Texts as one array of code points, so that words and n-grams of many of them are found at once."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

#: Of a text so many characters are read, the rest only counts in its length: a text of a megabyte must not hold up a thousand others.
MOST_CHARACTERS = 10_000
#: Texts, and about so many characters, that are read at once: their arrays stay in the cache.
_MOST_TEXTS, _MOST_AT_ONCE = 512, 1 << 17
#: Stands behind every text but the last, and belongs to no word and no n-gram.
_END = "\0"


class Block(NamedTuple):
    """Some texts, one behind the other, case folded."""

    folded: str
    codes: NDArray[np.uint32]  #: its code points; 0 behind every text but the last
    text_of: Integers  #: per code point, the number of its text in the block
    texts: int


class Found(NamedTuple):
    """Where the words, or n-grams, of a vocabulary are in a block."""

    text: Integers  #: the number of a text in the block
    place: Integers  #: what it contains, as a place in the vocabulary; -1: something else


def lengths_of(texts: Sequence[str]) -> NDArray[np.float64]:
    """In characters."""
    return np.fromiter(map(len, texts), np.float64, len(texts))


def blocks(texts: Sequence[str]) -> Iterator[Block]:
    """All texts, in their order."""
    first, size = 0, 0
    for place, text in enumerate(texts, start=1):
        size += min(len(text), MOST_CHARACTERS)
        if place - first == _MOST_TEXTS or size >= _MOST_AT_ONCE:
            yield _block(texts[first:place])
            first, size = place, 0
    if first < len(texts):
        yield _block(texts[first:])


def _block(texts: Sequence[str]) -> Block:
    heads = [text[:MOST_CHARACTERS] for text in texts]
    joined = _END.join(heads)
    if joined.count(_END) >= len(heads):  # some text holds the very character
        joined = _END.join([head.replace(_END, " ") for head in heads])
    folded = joined.casefold()
    codes = code_points(folded)
    ends = codes == 0
    return Block(folded, codes, np.cumsum(ends) - ends, len(heads))


def code_points(text: str) -> NDArray[np.uint32]:
    """Of every character, unpaired surrogates too.

    >>> code_points("aß").tolist()
    [97, 223]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32, copy=False)
