"""N-grams of characters: what scripts without spaces have instead of words, and what words do not show (signs, digits, emojis)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .reading import Block, Found, code_points


class Characters:
    """A vocabulary of n-grams, found in blocks of texts by walking its tree of prefixes from all characters at once."""

    def __init__(self, grams: Sequence[str]) -> None:
        self.size = len(grams)
        letters = {letter: number for number, letter in enumerate(sorted(set("".join(grams))), start=1)}
        #: Code point to letter; 0: none of ours, as the last one, which stands for all beyond.
        self._letter_of = np.zeros(max(map(ord, letters), default=0) + 2, dtype=np.int32)
        self._letter_of[code_points("".join(letters))] = np.arange(1, len(letters) + 1)
        prefixes = sorted({gram[:end] for gram in grams for end in range(1, len(gram) + 1)})
        nodes = {prefix: number for number, prefix in enumerate(["", *prefixes], start=1)}
        self._longest = max(map(len, grams), default=0)
        #: [node, letter]: the next node; from node 0, and with letter 0, nothing goes on.
        self._next = np.zeros((len(nodes) + 1, len(letters) + 1), dtype=np.int32)
        for prefix in prefixes:
            self._next[nodes[prefix[:-1]], letters[prefix[-1]]] = nodes[prefix]
        self._place_of = np.full(len(nodes) + 1, -1)
        for place, gram in enumerate(grams):
            self._place_of[nodes[gram]] = place

    def found(self, block: Block) -> Found:
        """Every n-gram of the vocabulary in every text."""
        letters = self._letter_of.take(block.codes, mode="clip")
        node = self._next[1].take(letters)
        found = [self._at(node, block)]
        for depth in range(1, min(self._longest, len(letters))):
            node = self._next.ravel().take(node[:-1] * self._next.shape[1] + letters[depth:])
            found.append(self._at(node, block))
        return Found(np.concatenate([each.text for each in found]), np.concatenate([each.place for each in found]))

    def _at(self, node: NDArray[np.int32], block: Block) -> Found:
        place = self._place_of.take(node)
        known = np.flatnonzero(place >= 0)
        return Found(block.text_of[known], place[known])
