"""Bets on the rate of one of two categories: of errors, of a predicted class."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...schemas.stored.reference import CategoricalProfile
from .bet import Bet, Concession, two_point

#: By how many sd of its indicator the rarer category's rate moves. From a rate of .1 these are .115, .13, .16, .22 and .34.
TILTS = (0.05, 0.1, 0.2, 0.4, 0.8)
#: Of each tilt. Larger weights of the large ones find in one direction a rate that trebles a row sooner, and in both directions one that
#: grows by a fifth a tenth later.
WEIGHTS = (1.0, 1.0, 2.0, 2.0, 2.0)


def watched(profile: CategoricalProfile) -> str:
    """Of two categories the one whose rate is told: the last one in the order of texts, such as true, 1, or yes.

    >>> watched(CategoricalProfile(categories=("true", "false"), counts=(900, 100, 0)))
    'true'
    """
    return max(profile.categories)


def rate(
    profile: CategoricalProfile, shares: tuple[float, float], tau: float, concession: Concession, weights: Sequence[float] = WEIGHTS
) -> Iterator[Bet]:
    """Exponential tilts of a Bernoulli law in both directions, on the rarer category: so many sd up, and by the same odds down.

    The likelihood ratios t / p and (1 - t) / (1 - p) of a rate p that becomes t (Shin, Ramdas, Rinaldo, *E-detectors*, arXiv 2203.03532).
    Nothing is bet on more of the one where the other has no row: such a bet would gain a little with every ordinary row.
    """
    rarer = min(range(2), key=shares.__getitem__)
    share, name = concession.possible(shares[rarer]), watched(profile)
    for tilt, weight in zip(TILTS, weights, strict=True):
        raised = share + tilt * math.sqrt(share * (1 - share))
        odds = raised * (1 - share) / (share * (1 - raised))
        for more in (True, False):
            grows = more == (profile.categories[rarer] == name)
            target = raised if grows else share / (share + (1 - share) * odds) if shares[rarer] else share
            for bet in two_point(share, target, (rarer,), tau, concession, f"{'more' if more else 'fewer'} {name!r}"):
                yield replace(bet, weight=weight)
