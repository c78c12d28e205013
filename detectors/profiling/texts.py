"""The profile of a column of texts, from three passes over it: what words there are, how often, in what order."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile, TextProfile, WordsProfile
from ..betting.scores import scores
from ..counting.bins import Filling, bins_of
from ..counting.text.reader import STEPS, TextReader
from ..counting.text.reading import blocks, lengths_of
from ..counting.text.scripts import spaced
from ..counting.text.words import spans
from .dependence import Dependence
from .texts_dependence import WordDependence

#: Words that are tested, the commonest of the reference; and n-grams of characters.
WORDS, GRAMS = 2_000, 500
#: Longer ones (encoded images, keys) are new words.
_LONGEST_WORD = 64
#: Lengths of n-grams: beside words single characters show what these don't (signs, digits, emojis); else they and pairs are the words.
_BESIDE_WORDS, _INSTEAD_OF_WORDS = (1,), (1, 2)
#: The vocabulary is chosen from so many characters of the sampled texts at most, so many of one text; it is counted in all of them.
_SAMPLED_CHARACTERS, _SAMPLED_OF_TEXT = 20_000_000, 2_000
#: Distinct words remembered while it is chosen; one that first comes later is new.
_MOST_DISTINCT = 1_000_000


class TextFilling:
    """A column of texts, over chunks of those that are there, in order. Each pass takes all of them.

    >>> filling, texts = TextFilling(), ["ein Hund", "zwei Hunde", "ein Hund bellt"]
    >>> filling.look(texts, [True] * 3)
    >>> filling.count(texts)
    >>> filling.follow(texts)
    >>> words = filling.profile().words
    >>> words and (words.words, words.counts)
    (('ein', 'hund', 'bellt', 'hunde', 'zwei'), (2, 2, 1, 1, 1))
    """

    def __init__(self) -> None:
        self._sample: list[str] = []
        self._characters_left = _SAMPLED_CHARACTERS
        self._lengths: list[NDArray[np.float64]] = []
        self._shortest, self._longest = np.inf, -np.inf
        self._counted: _Counted | None = None
        self._followed: _Followed | None = None

    def look(self, texts: Iterable[str], sampled: Iterable[bool] | NDArray[np.bool_]) -> None:
        """First pass: how long they are, and what there is to count. Quantiles and vocabulary come from the sampled ones."""
        texts = list(texts)
        if not texts:
            return
        chosen = np.fromiter(sampled, np.bool_, len(texts))
        lengths = lengths_of(texts)
        self._shortest, self._longest = min(self._shortest, float(lengths.min())), max(self._longest, float(lengths.max()))
        self._lengths.append(lengths[chosen])
        for place in np.flatnonzero(chosen).tolist():
            if self._characters_left <= 0:
                break
            self._sample.append(texts[place][:_SAMPLED_OF_TEXT])
            self._characters_left -= len(self._sample[-1])

    def count(self, texts: Iterable[str]) -> None:
        """Second pass: how many texts contain each word."""
        if self._counted is None:
            lengths = Filling(np.concatenate(self._lengths), self._shortest, self._longest)
            self._counted = _Counted(self._sample, lengths)
            self._sample, self._lengths = [], []
        self._counted.add(list(texts))

    def follow(self, texts: Iterable[str]) -> None:
        """Third pass: in what order."""
        assert self._counted is not None, "texts are counted before they are followed"
        if self._followed is None:
            self._followed = _Followed(self._counted)
        self._followed.add(list(texts))

    def profile(self) -> TextProfile:
        """The result, once all texts were there three times."""
        assert self._followed is not None, "texts are followed before there is a profile"
        return self._followed.profile()


class _Commonest:
    """By the number of texts that contain them; those of equal number by their code points."""

    def __init__(self, found: Iterable[set[str]], most: int) -> None:
        texts: Counter[str] = Counter()
        for distinct in found:
            texts.update(distinct if len(texts) < _MOST_DISTINCT else [each for each in distinct if each in texts])
        ranks = sorted((-times, each) for each, times in texts.items())
        self.chosen = tuple(each for _, each in ranks[:most])
        #: Those that are among them only by the very text that is looked at: without it they were as new to it as they are to others.
        self.marginal = [(len(ranks) > most and (times + 1, each) > ranks[most]) or times == -1 for times, each in ranks[:most]]


def _words(sample: Sequence[str]) -> Iterator[set[str]]:
    for block in blocks(sample):
        starts, stops = spans(block)
        bounds = np.searchsorted(block.text_of[starts], np.arange(block.texts + 1)).tolist()
        words = [block.folded[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        for first, last in itertools.pairwise(bounds):
            yield {word for word in words[first:last] if len(word) <= _LONGEST_WORD}


def _grams(sample: Sequence[str], lengths: Sequence[int]) -> Iterator[set[str]]:
    """What cannot be shown, as control characters and halves of surrogates, is in no event, and hence in no n-gram."""
    for text in sample:
        folded = text.casefold()
        parts = {folded[start : start + length] for length in lengths for start in range(len(folded) - length + 1)}
        yield {part for part in parts if part.isprintable() and part != " "}


class _Counted:
    """The second pass."""

    def __init__(self, sample: Sequence[str], lengths: Filling) -> None:
        words = _Commonest(_words(sample) if spaced(sample) else (), WORDS)
        grams = _Commonest(_grams(sample, _BESIDE_WORDS if words.chosen else _INSTEAD_OF_WORDS), GRAMS)
        self.words, self.grams = words.chosen, grams.chosen
        self.reader = TextReader(self.words, self.grams, words.marginal)
        self.lengths = lengths
        self.texts = 0
        self.with_word = np.zeros(len(self.words), dtype=np.int64)
        self.with_gram = np.zeros(len(self.grams), dtype=np.int64)
        self._new = np.zeros(STEPS + 1, dtype=np.int64)  # texts by their share of new words

    def add(self, texts: list[str]) -> None:
        self.texts += len(texts)
        self.lengths.add(lengths_of(texts))
        for read in self.reader.read(texts):
            self.with_word += np.count_nonzero(read.words, axis=0)
            self.with_gram += np.count_nonzero(read.grams, axis=0)
            self._new += np.bincount(read.new[read.new >= 0], minlength=STEPS + 1)

    def new_words(self) -> NumericProfile | None:
        """Of the shares of new words, if any text has a word."""
        shares = np.repeat(np.arange(STEPS + 1) / STEPS, self._new)
        if not len(shares):
            return None
        filling = Filling(shares, float(shares[0]), float(shares[-1]))
        filling.add(shares)
        return filling.profile()


class _Followed:
    """The third pass."""

    def __init__(self, counted: _Counted) -> None:
        self._counted = counted
        self._length, self._new_words = counted.lengths.profile(), counted.new_words()
        self._length_dependence = Dependence(scores(self._length).T)
        self._new_dependence = None if self._new_words is None else Dependence(scores(self._new_words).T)
        self._dependence = {"words": WordDependence(len(counted.words)), "grams": WordDependence(len(counted.grams))}

    def add(self, texts: list[str]) -> None:
        self._length_dependence.add(bins_of(self._length, lengths_of(texts)))
        for read in self._counted.reader.read(texts):
            self._dependence["words"].add(read.words)
            self._dependence["grams"].add(read.grams)
            if self._new_words is not None and self._new_dependence is not None:
                self._new_dependence.add(bins_of(self._new_words, read.new[read.new >= 0] / STEPS))

    def profile(self) -> TextProfile:
        counted = self._counted
        length = _with_tau(self._length, self._length_dependence)
        new_words = None
        if self._new_words is not None and self._new_dependence is not None:
            new_words = _with_tau(self._new_words, self._new_dependence)
        words, taus_of_words = self._dependence["words"].tau()
        grams, taus_of_grams = self._dependence["grams"].tau()
        # A rare word has no dependence of its own to measure: it inherits the largest that texts of this column show.
        tau = max(length.tau[0], new_words.tau[0] if new_words else 1.0, words, grams)
        return TextProfile(
            length=length,
            new_words=new_words,
            words=_profile(counted.words, counted.with_word, counted.texts, tau, taus_of_words),
            characters=_profile(counted.grams, counted.with_gram, counted.texts, tau, taus_of_grams),
        )


def _with_tau(profile: NumericProfile, dependence: Dependence) -> NumericProfile:
    location, spread, skew, tails = dependence.tau().tolist()
    return profile.model_copy(update={"tau": (location, spread, skew, tails)})


def _profile(words: tuple[str, ...], counts: NDArray[np.int64], texts: int, tau: float, taus: list[float]) -> WordsProfile | None:
    if not words:
        return None
    own = tuple(max(tau, each) for each in taus)
    return WordsProfile(words=words, counts=tuple(counts.tolist()), texts=texts, tau=tau, taus=own if max(own) > tau else ())
