"""Effect sizes of texts: which words have become more, or fewer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important
from ...schemas.drift import Effect, Word
from ...schemas.reference import WordsProfile
from ..layout import Signal
from .size import Change, rounded

Counts = NDArray[np.int64]

#: Words that an event tells.
TELLING = 10


@dataclass(frozen=True)
class WordsMeasure:
    """The words whose share of texts moved most, in standard errors; and how far the one that moved farthest did."""

    signal: Signal
    important: Important

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        current, texts = np.maximum(vector[self.signal.span], 0), self.rows(vector)
        profile = self._profile
        if texts <= 0 or profile.texts <= 0 or not len(current):
            return Change(Effect(), 0.0, max(texts, 0))
        was, now = np.asarray(profile.counts) / profile.texts, current / texts
        pooled = (np.asarray(profile.counts) + current + 1) / (profile.texts + texts + 2)
        error = np.sqrt(pooled * (1 - pooled) * (1 / texts + 1 / profile.texts))
        z = np.abs(now - was) / error
        order = np.argsort(-z, kind="stable")[:TELLING].tolist()
        telling = tuple(Word(word=profile.words[i], shares=(rounded(float(was[i])), rounded(float(now[i])))) for i in order)
        # the largest of so many differences is not small by chance: a Bonferroni-like quantile of the normal is taken off
        noise = error * np.sqrt(2 * np.log(len(current) + 1))
        moved = max(float((np.abs(now - was) - noise).max()), 0.0)
        return Change(Effect(words=telling, word_share=rounded(moved)), moved / self.important.word_share, texts)

    @property
    def _profile(self) -> WordsProfile:
        assert isinstance(self.signal.profile, WordsProfile)
        return self.signal.profile

    def rows(self, vector: Counts) -> int:
        """Texts counted."""
        return int(vector[self.signal.rows].sum())
