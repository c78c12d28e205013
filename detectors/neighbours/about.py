"""What texts unlike the training data are about: groups of like ones, their telling words, and how many are like no others."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import TextProfile, WordsProfile
from ..counting.text.reading import blocks
from ..counting.text.scripts import spaced
from ..counting.text.words import spans
from .vectors import LENGTH, Vectors, scorable

Integers = NDArray[np.int64]

#: Texts looked at, at most: comparing all with all, and joining them one by one, takes a twentieth of a second then.
MOST_TEXTS = 400
#: Cosine from which on a text counts with another one as said twice; and the mean one of groups that are joined.
SAME, LIKE = 0.9, 0.3
#: Texts of a group, at least, counting the same ones; words and texts told of one.
LEAST_TEXTS, WORDS, TEXTS = 5, 3, 2
#: The reference's commonest words tell nothing; and a word of one text only is nobody's topic.
COMMONEST, LEAST_WITH_WORD = 100, 2
#: Documents that the prior weighs.
_PRIOR = 10.0


class Group(NamedTuple):
    """Texts like each other."""

    share: float  #: of all texts
    texts: int
    words: tuple[str, ...]  #: the most telling first
    examples: tuple[int, ...]  #: the places of the texts nearest to the middle


class About(NamedTuple):
    """Groups, the largest first, and what is said of all texts together."""

    texts: int
    distinct: int  #: near-duplicates counted once
    groups: tuple[Group, ...]
    diffuse: float  #: share of texts in no group
    words: tuple[str, ...]  #: of all of them


def about(texts: Sequence[str], vectors: Vectors, profile: TextProfile | None = None) -> About:
    """Of texts [n], in an order that is nobody's choice, the first 400; with the vectors and the profile of the reference.

    Near-duplicates are counted with the first of them. Groups are joined by average link, exactly; of equal pairs the first one. Words by
    their log-odds against the reference with a Dirichlet prior of its document counts (Monroe, Colaresi, Quinn 2008, Fightin' Words).
    """
    texts, vectors = list(texts[:MOST_TEXTS]), vectors[:MOST_TEXTS]
    products = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    leader = leaders(products)
    distinct = np.flatnonzero(leader == np.arange(len(texts)))
    times = np.bincount(leader, minlength=len(texts))[distinct]
    scored = np.flatnonzero(scorable(vectors[distinct]))
    telling = _Telling([texts[place] for place in distinct.tolist()], profile)
    groups = []
    for joined in _joined(products[np.ix_(distinct[scored], distinct[scored])]):
        members = scored[joined]
        size = int(times[members].sum())
        if size >= LEAST_TEXTS:
            places = distinct[members]
            nearest = places[np.lexsort((places, -products[np.ix_(places, places)].sum(axis=0)))]
            words = telling.words(members.tolist())
            groups.append(Group(size / len(texts), size, words, tuple(nearest[:TEXTS].tolist())))
    groups.sort(key=lambda group: (-group.texts, group.examples))
    grouped = sum(group.texts for group in groups)
    diffuse = 1 - grouped / len(texts) if texts else 0.0
    return About(len(texts), len(distinct), tuple(groups), diffuse, telling.words(range(len(distinct))))


def leaders(products: NDArray[np.floating]) -> Integers:
    """Per text the first one that it is nearly the same as, of those that lead, or itself; by the products of all with all."""
    leader = np.arange(len(products))
    kept = np.zeros(len(products), dtype=np.bool_)
    for place in range(len(products)):
        same = np.flatnonzero(kept[:place] & (products[place, :place] >= SAME * LENGTH**2))
        if len(same):
            leader[place] = same[0]
        else:
            kept[place] = True
    return leader


def _joined(products: NDArray[np.float64]) -> list[Integers]:
    """Groups by average link: the two of the largest mean product are joined, as long as that is enough.

    Sums of products are whole numbers, and each mean is one division: no order of operations shows.
    """
    members = [np.array([place]) for place in range(len(products))]
    if len(members) < 2:
        return members
    sums = products.copy()
    sizes = np.ones(len(products))
    means = products.copy()
    np.fill_diagonal(means, -np.inf)
    while True:
        first, second = sorted(divmod(int(np.argmax(means)), len(means)))
        if means[first, second] < LIKE * LENGTH**2:
            return [group for group in members if len(group)]
        members[first], members[second] = np.sort(np.concatenate([members[first], members[second]])), members[second][:0]
        sizes[first] += sizes[second]
        sums[first] += sums[second]
        sums[:, first] = sums[first]
        mean = sums[first] / (sizes[first] * sizes)
        mean[(means[first] == -np.inf) | (np.arange(len(mean)) == second)] = -np.inf
        means[first], means[:, first] = mean, mean
        means[second], means[:, second] = -np.inf, -np.inf


class _Telling:
    """Which words, or pairs of characters where there are no spaces, each text has, and how often the reference has them."""

    def __init__(self, texts: Sequence[str], profile: TextProfile | None) -> None:
        with_spaces = spaced(texts)
        known: WordsProfile | None = None if profile is None else profile.words if with_spaces else profile.characters
        self._of = list(_words(texts) if with_spaces else map(_pairs, texts))
        self._documents = known.texts if known else 0
        self._known = dict(zip(known.words, known.counts, strict=True)) if known else {}
        ranks = sorted(self._known, key=lambda word: (-self._known[word], word))
        self._common = frozenset(ranks[:COMMONEST])

    def words(self, members: Iterable[int]) -> tuple[str, ...]:
        """The most telling of these texts."""
        own = [self._of[member] for member in members]
        counts = Counter(word for words in own for word in words)
        found = [word for word, count in counts.items() if count >= LEAST_WITH_WORD and word not in self._common]
        return tuple(sorted(found, key=lambda word: (-self._z(counts[word], len(own), word), word))[:WORDS])

    def _z(self, count: int, documents: int, word: str) -> float:
        known = self._known.get(word, 0)
        prior = _PRIOR * (known + 0.5) / (self._documents + 1)
        here = (count + prior) / (documents + _PRIOR - count - prior)
        there = (known + prior) / (self._documents + _PRIOR - known - prior)
        # In steps that no library's last digit crosses: equal words are ordered by name.
        return round(float(np.log(here / there) / np.sqrt(1 / (count + prior) + 1 / (known + prior))), 6)


def _words(texts: Sequence[str]) -> Iterable[set[str]]:
    for block in blocks(texts):
        starts, stops = spans(block)
        words: list[set[str]] = [set() for _ in range(block.texts)]
        for text, start, stop in zip(block.text_of[starts].tolist(), starts.tolist(), stops.tolist(), strict=True):
            words[text].add(block.folded[start:stop])
        yield from words


def _pairs(text: str) -> set[str]:
    folded = text.casefold()
    return {pair for pair in map("".join, itertools.pairwise(folded)) if pair.isalpha()}
