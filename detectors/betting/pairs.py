"""Bets on how two fields hang together, with every marginal as it was."""

import math
from collections.abc import Iterator

from ...schemas.stored.reference import PairProfile
from ..counting.products import PAIR_SCALE
from .bet import Bet, Concession

#: Of the product of two rank scores.
PAIR_TILTS = (0.1, -0.1, 0.2, -0.2, 0.4, -0.4)


def pair(profile: PairProfile, concession: Concession) -> Iterator[Bet]:
    """Exponential tilts exp(lam z_i z_j - psi) of the reference by the product of two rank scores; psi as the reference's rows say.

    The reference's rows depend on each other as they follow in time, the rows that panes count only as far as a sample of them does.
    """
    error = concession.margin * math.sqrt(profile.tau / concession.rows)
    sd = math.sqrt(max(profile.square - profile.correlation**2, 0.0))
    for tilt, log_mean, sensitivity in zip(PAIR_TILTS, profile.log_means, profile.sensitivities, strict=True):
        given_away = log_mean + error * max(abs(tilt) * sd, sensitivity) + abs(tilt) * sd * concession.min_effect
        slope, intercept = tilt / PAIR_SCALE / profile.sampled_tau, -given_away / profile.sampled_tau
        yield Bet(None, (0,), slope, intercept, 1.0, "more correlated" if tilt > 0 else "less correlated", tilt)
