"""What is counted of texts, given a vocabulary."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .characters import Characters
from .reading import Block, Found, blocks
from .words import Words

#: The share of new words is told in steps of 1 / 1024: few enough to count each, and exact in any unit.
STEPS = 1_024


class TextsRead(NamedTuple):
    """Of some texts: which words and n-grams each contains, and its share of new words, in 1 / `STEPS`; -1: it has no word."""

    words: NDArray[np.bool_]
    grams: NDArray[np.bool_]
    new: NDArray[np.int64]


class TextReader:
    """Reads texts for a vocabulary; ``new``: which of its words count as new all the same."""

    def __init__(self, words: Sequence[str], grams: Sequence[str], new: Sequence[bool] | None = None) -> None:
        self._words, self._grams = Words(words), Characters(grams)
        self._new = np.append(np.zeros(len(words), dtype=np.bool_) if new is None else new, True)

    def read(self, texts: Sequence[str]) -> Iterator[TextsRead]:
        """Some at a time, in their order."""
        for block in blocks(texts):
            words, new = self._words_of(block)
            grams = self._grams.found(block) if self._grams.size else _NOTHING
            yield TextsRead(words, _containing(grams, block.texts, self._grams.size), new)

    def _words_of(self, block: Block) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        new = np.full(block.texts, -1)
        if not self._words.size:
            return np.zeros((block.texts, 0), dtype=np.bool_), new
        found = self._words.found(block)
        all_words = np.bincount(found.text, minlength=block.texts)
        new_words = np.bincount(found.text[self._new[found.place]], minlength=block.texts)
        has = all_words > 0
        new[has] = np.rint(new_words[has] * STEPS / all_words[has])
        return _containing(found, block.texts, self._words.size), new


_NOTHING = Found(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def _containing(found: Found, texts: int, size: int) -> NDArray[np.bool_]:
    contains = np.zeros((texts, size), dtype=np.bool_)
    known = found.place >= 0
    contains[found.text[known], found.place[known]] = True
    return contains
