"""A change in words: what the winning bet is about, told as people see it."""

import numpy as np
from numpy.typing import NDArray

from ..schemas.reference import AVAILABILITY
from .bets.numbers import NEAR
from .mixture import Bets

Counts = NDArray[np.int64]

#: A bin that holds so much of a signal that hardly any other value comes.
STUCK = 0.95


def words(bets: Bets, bet: int, counts: Counts, law: Counts) -> str:
    """Of a bet that won on a signal's ``counts``, compared with its ``law``. That values became more or fewer is told by what they turned
    into."""
    of, bins, own = bets.signals[int(bets.owner[bet])], bets.bins[bet], bets.words[bet]
    now = counts / max(int(counts.sum()), 1)
    if own.startswith(NEAR) and now[list(bins)].sum() > STUCK:
        return f"stuck {own.removeprefix(NEAR)}"
    if of.of != "availability" or bins != (0,):
        return own
    was = law / max(int(law.sum()), 1)
    most = 1 + int(np.argmax(np.abs(now - was)[1:]))
    word = "nulls" if AVAILABILITY[most] == "null" else AVAILABILITY[most]
    return f"{'more' if now[most] > was[most] else 'fewer'} {word}"
