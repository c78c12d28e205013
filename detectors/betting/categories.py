"""Bets on the categories of a signal, on the availability of a field, and on repeated ids."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import AvailabilityProfile, CategoricalProfile
from .bet import Bet, Concession, factors, raises, weighing
from .rates import rate

Floats = NDArray[np.float64]

#: Of a categorical signal's weight, what *other* has.
OTHER_SHARE = 1 / 9
#: In the order of the counts of an availability.
_AVAILABILITY_WORDS = ("values", "nulls", "invalid", "missing")


def categorical(profile: CategoricalProfile, shares: Floats, concession: Concession) -> list[Bet]:
    """On every category alike, of two on the rate of one; and on *other*."""
    taus = np.ones(len(shares)) if not profile.tau else np.asarray(profile.tau, dtype=np.float64)
    if len(profile.categories) == 2:
        known = list(rate(profile, (float(shares[0]), float(shares[1])), float(taus[:2].max()), concession))
    else:
        known = [
            bet
            for bin_, name in enumerate(profile.categories)
            for bet in factors(float(shares[bin_]), (bin_,), float(taus[bin_]), concession, f"more {name!r}", f"fewer {name!r}")
        ]
    words = "more other values" if profile.counts[-1] else "new categories"
    others = list(_others(profile, shares, profile.calm_tau or float(taus.max()), concession, words, "fewer other values"))
    return known + weighing(others, OTHER_SHARE, known)


def duplicates(profile: CategoricalProfile, shares: Floats, concession: Concession) -> list[Bet]:
    """On ids that had been there before."""
    tau = max(profile.tau, default=1.0)
    return list(_others(profile, shares, tau, concession, "more repeated ids", "fewer repeated ids"))


def _others(profile: CategoricalProfile, shares: Floats, tau: float, concession: Concession, more: str, fewer: str) -> Iterator[Bet]:
    other = len(profile.categories)
    yield from raises(float(shares[other]), (other,), tau, concession, more)
    if profile.counts[other] or concession.aligned:
        yield from _possible(
            factors(float(shares[other]), (other,), tau, concession, more, fewer), profile.counts[other], fewer, concession
        )


def availability(profile: AvailabilityProfile, shares: Floats, location_tau: float, concession: Concession) -> Iterator[Bet]:
    """On each of present, null, invalid and missing."""
    for bin_, word in enumerate(_AVAILABILITY_WORDS):
        own = profile.tau[bin_] if profile.counts[bin_] else max(profile.tau)
        tau = max(own, location_tau)
        yield from raises(float(shares[bin_]), (bin_,), tau, concession, f"more {word}")
        bets = factors(float(shares[bin_]), (bin_,), tau, concession, f"more {word}", f"fewer {word}")
        yield from _possible(bets, profile.counts[bin_], f"fewer {word}", concession)


def _possible(bets: Iterable[Bet], rows: int, fewer: str, concession: Concession) -> Iterator[Bet]:
    """Of what a reference never had there cannot be less: a bet on it would gain a little with every row that is as ever."""
    for bet in bets:
        if rows or bet.words != fewer:
            yield bet
        elif concession.aligned:
            yield replace(bet, slope=0.0, intercept=0.0)
