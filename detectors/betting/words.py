"""Bets on how many texts contain a word."""

from collections.abc import Iterator

from ...schemas.stored.reference import WordsProfile
from .bet import Bet, Concession, two_point

#: What a word's share of texts is multiplied by; where most texts contain it, the share of those that do not.
FACTORS = (1 / 4, 1 / 2, 2.0, 4.0, 10.0)


def words(profile: WordsProfile, concession: Concession) -> Iterator[Bet]:
    """A Bernoulli bet per word and factor, all alike. Valid although the words of one text hang together: the texts are the rows."""
    taus = profile.taus or (profile.tau,) * len(profile.words)
    for place, (word, texts, tau) in enumerate(zip(profile.words, profile.counts, taus, strict=True)):
        # In one more text it was, where that is rarer, or was not: nothing is impossible.
        rare = 2 * texts <= profile.texts
        rarer = ((texts if rare else profile.texts - texts) + 1) / (profile.texts + 1)
        for factor in FACTORS:
            share, target = (rarer, rarer * factor) if rare else (1 - rarer, 1 - rarer * factor)
            change = f"{'more' if target > share else 'less'} {word!r}"
            yield from two_point(share, target if 0 < target < 1 else share, (place,), tau, concession, change)
