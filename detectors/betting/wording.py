"""A change in words: what the winning bet is about, told as people see it."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import AVAILABILITY, NumericProfile
from .mixture import Bets
from .numbers import NEAR
from .scores import scores

Counts = NDArray[np.int64]

#: A bin that holds so much of a signal that hardly any other value comes.
STUCK = 0.95
#: Of a change of spread, skew or tails: a shift of location that is half as large is what people see.
_HALF = 0.5


def words(bets: Bets, bet: int, counts: Counts, law: Counts) -> str:
    """Of a bet that won on a signal's ``counts``, compared with its ``law``. That values became more or fewer is told by what they turned
    into."""
    of, bins, own = bets.signals[int(bets.owner[bet])], bets.bins[bet], bets.words[bet]
    now = counts / max(int(counts.sum()), 1)
    if own.startswith(NEAR) and now[list(bins)].sum() > STUCK:
        return f"stuck {own.removeprefix(NEAR)}"
    if isinstance(of.profile, NumericProfile) and not bins:
        return _moved(bets, bet, of.profile, now)
    if of.of != "availability" or bins != (0,):
        return own
    was = law / max(int(law.sum()), 1)
    most = 1 + int(np.argmax(np.abs(now - was)[1:]))
    word = "nulls" if AVAILABILITY[most] == "null" else AVAILABILITY[most]
    return f"{'more' if now[most] > was[most] else 'fewer'} {word}"


def _moved(bets: Bets, bet: int, profile: NumericProfile, now: NDArray[np.float64]) -> str:
    """A large shift of location moves all other scores too, and a bet on one of these may win; so may it where most is out of range."""
    for bin_ in profile.outside:
        if now[bin_] >= _HALF and bets.signals[int(bets.owner[bet])].of != "volume":
            own = bets.of(int(bets.owner[bet]))
            return next((words for words, bins in zip(bets.words[own], bets.bins[own], strict=True) if bins == (bin_,)), bets.words[bet])
    location, *others = (scores(profile) * now).sum(axis=1).tolist()
    if abs(location) < _HALF * max(map(abs, others)):
        return bets.words[bet]
    wanted = bets.of(int(bets.owner[bet]))
    ends = ("mean up", "more rows") if location > 0 else ("mean down", "fewer rows")
    return next((words for words in bets.words[wanted] if words in ends), bets.words[bet])
