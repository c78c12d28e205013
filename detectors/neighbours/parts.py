"""Long texts in parts: the sum of a page's tokens says little of any of its sentences."""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..counting.text.reading import MOST_CHARACTERS

#: Of a part, about 200 tokens of English. Texts up to here are one part.
LONGEST = 800
#: A part ends at the sentence's end nearest to where it should, at most so far from it; else at a space.
_NEAR = LONGEST // 4
_SENTENCE = re.compile(r"[.!?]+[\"')\]]*\s+|[。！？]+|\n+")
_SPACE = re.compile(r"\s+")


class Parts(NamedTuple):
    """Texts cut up."""

    texts: list[str]
    firsts: NDArray[np.int64]  #: [n + 1]: parts firsts[i] to firsts[i + 1] are those of text i; each has one at least


def groups_of(firsts: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Of texts: 0 in one part, 1 in two or three, 2 in more; None where all are in one.

    The least of many scores is lower than one: texts are calibrated within such a group, else longer ones would seem unlike, or shorter.
    """
    sizes = np.diff(firsts)
    return None if sizes.max(initial=1) <= 1 else np.searchsorted(np.array([2, 4]), sizes, side="right").astype(np.int64)


def parts(texts: Sequence[str]) -> Parts:
    """Each text in parts of about equal length. Of a text the first 10,000 characters are read.

    >>> parts(["short", "a b " * 300]).firsts.tolist()
    [0, 1, 3]
    """
    if max(map(len, texts), default=0) <= LONGEST:
        return Parts(list(texts), np.arange(len(texts) + 1))
    cut = [_cut(text[:MOST_CHARACTERS]) if len(text) > LONGEST else [text] for text in texts]
    firsts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(each) for each in cut], out=firsts[1:])
    return Parts([part for each in cut for part in each], firsts)


def _cut(text: str) -> list[str]:
    number = -(-len(text) // LONGEST)
    ends = [0]
    for place in range(1, number):
        wanted = place * len(text) // number
        ends.append(_near(text, wanted))
    ends.append(len(text))
    return [text[first:last] for first, last in itertools.pairwise(ends)]


def _near(text: str, wanted: int) -> int:
    first, last = wanted - _NEAR, wanted + _NEAR
    for pattern in (_SENTENCE, _SPACE):
        ends = [found.end() for found in pattern.finditer(text, first, last)]
        if ends:
            return min(ends, key=lambda end: (abs(end - wanted), end))
    return wanted
