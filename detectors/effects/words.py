"""Effect sizes of texts: which words have become more, or fewer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, rel_entr

from ...schemas.configuration import Important
from ...schemas.messages.drift import Effect, Word
from ...schemas.stored.reference import WordsProfile
from ..counting.layout import Signal
from .counts import CountsMeasure
from .size import Change, rounded

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Words that an event tells.
TELLING = 10
#: Points at which a distribution function is known that is integrated.
_POINTS = 256


@dataclass(frozen=True)
class WordsMeasure:
    """How far the share of texts moved of the word that moved farthest; and the words that tell most.

    Of the former the mean is taken off that it has with nothing changed: of the largest of so many differences, as if words came and
    went independently. Words tell by their log likelihood ratio, which does not overrate rare ones (Dunning, *Accurate methods for the
    statistics of surprise and coincidence*, Computational Linguistics 19, 1993).
    """

    signal: Signal
    important: Important
    _words: tuple[str, ...]
    _texts: int  # of the reference
    _noise: float  # the mean largest difference, in units of sqrt(1/n + 1/m)

    @classmethod
    def of(cls, signal: Signal, important: Important) -> "WordsMeasure":
        """What needs to be computed once."""
        profile = signal.profile
        assert isinstance(profile, WordsProfile)
        share = signal.reference_counts / max(profile.texts, 1)
        return cls(signal, important, profile.words, profile.texts, _mean_largest(np.sqrt(share * (1 - share))))

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        texts = self.rows(vector)
        if texts <= 0 or self._texts <= 0 or not self._words:
            return Change(Effect(), 0.0, texts)
        was, now = self._shares(vector, texts)
        noise = self._noise * (1 / texts + 1 / self._texts) ** 0.5
        moved = max(float(np.abs(now - was).max()) - noise, 0.0)
        return Change(Effect(words=self.telling(vector), word_share=rounded(moved)), moved / self.important.word_share, texts)

    def rows(self, vector: Counts) -> int:
        """Texts counted; none where a correction took more than there were."""
        return max(int(vector[self.signal.rows].sum()), 0)

    def telling(self, vector: Counts) -> tuple[Word, ...]:
        """The words that tell most; those that tell as much as each other in the order of the vocabulary."""
        texts = self.rows(vector)
        if texts <= 0 or self._texts <= 0:
            return ()
        was, now = self._shares(vector, texts)
        both = (was * self._texts + now * texts) / (self._texts + texts)
        told = texts * _divergence(now, both) + self._texts * _divergence(was, both)
        most = np.argsort(-told, kind="stable")[:TELLING].tolist()
        return tuple(Word(word=self._words[i], shares=(rounded(float(was[i])), rounded(float(now[i])))) for i in most if told[i] > 0)

    def _shares(self, vector: Counts, texts: int) -> tuple[Floats, Floats]:
        """Of texts with each word, of the reference and now."""
        now = np.clip(vector[self.signal.span] / texts, 0.0, 1.0)  # a correction may have taken more than there was
        return self.signal.reference_counts / self._texts, now


@dataclass(frozen=True)
class TextMeasure:
    """What else is told of texts, as their length; with the words that moved, for these tell people what has changed."""

    other: CountsMeasure | WordsMeasure
    words: WordsMeasure

    @property
    def signal(self) -> Signal:
        """Whose."""
        return self.other.signal

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space; of n-grams that moved the first few."""
        change = self.other.on(vector)
        own = change.effect.words[: TELLING // 2]
        words = (*own, *self.words.telling(vector)[: TELLING - len(own)])
        return change._replace(effect=change.effect.model_copy(update={"words": words}))

    def rows(self, vector: Counts) -> int:
        """Texts counted."""
        return self.other.rows(vector)


def _divergence(share: Floats, base: Floats) -> Floats:
    """Kullback and Leibler's, of two shares; none is impossible by the other."""
    return np.asarray(rel_entr(share, base) + rel_entr(1 - share, 1 - base), dtype=np.float64)


def _mean_largest(sds: Floats) -> float:
    """The mean of the largest of independent |N(0, sd)|: the integral of 1 less the product of their distribution functions.

    >>> round(_mean_largest(np.array([1.0])), 3), round(_mean_largest(np.ones(1000)), 2)
    (0.798, 3.44)
    """
    held = sds[sds > 0]
    if not len(held):
        return 0.0
    x = np.linspace(0.0, float(held.max()) * (4 + (2 * np.log(len(held))) ** 0.5), _POINTS)
    below = np.ones(_POINTS)
    for sd in held.tolist():
        below *= erf(x / (sd * 2**0.5))
    return float(np.trapezoid(1 - below, x))
