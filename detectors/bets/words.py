"""Bets on how many texts contain a word."""

from collections.abc import Iterator

from ...schemas.reference import WordsProfile
from .bet import Bet, Concession, two_point

#: What a word's share of texts is multiplied by.
FACTORS = (1 / 4, 1 / 2, 2.0, 4.0, 10.0)


def words(profile: WordsProfile, concession: Concession) -> Iterator[Bet]:
    """A Bernoulli bet per word and factor, all alike. Valid although the words of one text hang together: the texts are the rows."""
    taus = profile.taus or (profile.tau,) * len(profile.words)
    for place, (word, texts, tau) in enumerate(zip(profile.words, profile.counts, taus, strict=True)):
        share = (texts + 1) / (profile.texts + 1)
        for factor in FACTORS:
            change = f"{'more' if factor > 1 else 'less'} {word!r}"
            yield from two_point(share, share * factor, (place,), tau, concession, change)
