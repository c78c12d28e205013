"""Bets on the values of a numeric signal."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile
from .bet import Bet, Concession, raises, smooth, two_point, weighing

Floats = NDArray[np.float64]

#: What the share of an outermost bin, with what lies beyond it, is multiplied by, and how far at most.
OUTER_FACTORS, OUTER_LIMIT = (3.0, 10.0), 0.6
#: Of the rest, what one single bin takes: a default value, a stuck sensor. Smooth bets hardly see it where it is an ordinary value.
SPIKE = 0.2
#: Of the signal's weight, what the bets on spikes have.
SPIKE_SHARE = 0.06
#: What the words of such a bet begin with.
NEAR = "more values "
FAR = "new mass far below minimum", "new mass far above maximum"


def numeric(profile: NumericProfile, shares: Floats, scores: Floats, concession: Concession) -> list[Bet]:
    """On location, spread, skew and tails of the values, on what lies at and beyond their ends, and on each bin by itself."""
    bets = [*_smooth(profile, shares, scores, concession), *_rare(profile, shares, concession)]
    spikes = list(_spikes(profile, shares, concession))
    return bets + weighing(spikes, SPIKE_SHARE, bets)


def _smooth(profile: NumericProfile, shares: Floats, scores: Floats, concession: Concession) -> Iterator[Bet]:
    for order, score in enumerate(scores):
        if score.any() or concession.aligned:
            yield from smooth(shares, score, order, profile.tau[order], concession)


def _regular(profile: NumericProfile) -> list[int]:
    return [bin_ for bin_ in range(len(profile.counts)) if bin_ not in profile.rare]


def _rare(profile: NumericProfile, shares: Floats, concession: Concession) -> Iterator[Bet]:
    tau = profile.tau[0]  # a value never seen in the reference has no dependence to measure: it inherits the location's
    rare = {0: ("new mass below minimum", tau), profile.above: ("new mass above maximum", tau)}
    if profile.gap is not None:
        rare[profile.gap] = "new mass in gaps", profile.calm_tau or tau
    if profile.far is not None:
        low, high = profile.far
        rare |= {low: (FAR[0], profile.calm_tau or tau), high: (FAR[1], profile.calm_tau or tau)}
    for bin_, (words, own) in rare.items():
        yield from raises(float(shares[bin_]), (bin_,), own, concession, words)
    regular = _regular(profile)
    if len(regular) < 2:
        return
    for bins, words in (((0, regular[0]), "lower tail heavier"), ((regular[-1], profile.above), "upper tail heavier")):
        share = float(shares[list(bins)].sum())
        for factor in OUTER_FACTORS:
            yield from two_point(share, min(share * factor, OUTER_LIMIT), bins, tau, concession, words)


def _spikes(profile: NumericProfile, shares: Floats, concession: Concession) -> Iterator[Bet]:
    regular = _regular(profile)
    for bin_ in regular:
        share = concession.possible(float(shares[bin_]))
        words = f"{NEAR}near {profile.values[bin_]:.6g}"
        yield from two_point(share, share + (1 - share) * SPIKE, (bin_,), profile.tau[0], concession, words)
    if regular:
        # No score knows which way values leave that were all alike, as those of one segment, or of every night.
        commonest = max(regular, key=lambda bin_: profile.counts[bin_])
        share = float(shares[commonest])
        yield from two_point(share, share * (1 - SPIKE), (commonest,), profile.tau[0], concession, "fewer of the commonest value")
