"""The bets of one signal, whatever it is made of."""

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.reference import (
    AvailabilityProfile,
    CategoricalProfile,
    EmbeddingProfile,
    NumericProfile,
    PairProfile,
    TextProfile,
    Values,
    WordsProfile,
)
from ..counting.layout import Signal
from .bet import Bet, Concession
from .categories import availability, categorical, duplicates
from .direction import words_of
from .errors import errors, relation
from .familiarity import flags
from .numbers import numeric
from .pairs import pair
from .scores import probabilities, scores
from .words import words

Floats = NDArray[np.float64]
_VOLUME_WORDS = {"mean down": "fewer rows", "mean up": "more rows"}


class SignalBets(NamedTuple):
    """What is bet on a signal."""

    bets: list[Bet]
    scores: Floats | None = None  #: [order, bin], of a numeric signal


def bets_of(signal: Signal, concession: Concession, direction: Literal["both", "up", "down"] = "both") -> SignalBets:
    """The bets of a signal, of a field's values, and of errors, those on change in its ``direction``; none where the concession swallows
    them all."""
    found = _of_both(signal, concession)
    directed = signal.group == "errors" or (signal.field is not None and signal.of == "values")
    if direction == "both" or not directed:
        return found
    kept = words_of(signal.profile, direction) or ()
    return found._replace(bets=[bet for bet in found.bets if bet.words in kept])


def _of_both(signal: Signal, concession: Concession) -> SignalBets:
    match signal.profile:
        case NumericProfile() as profile:
            by_order = scores(profile)
            bets = numeric(profile, probabilities(profile), by_order, concession)
            return SignalBets([_renamed(bet) for bet in bets] if signal.of == "volume" else bets, by_order)
        case CategoricalProfile() as profile if signal.group == "errors":
            return SignalBets(list(errors(profile, concession)))
        case CategoricalProfile() as profile if signal.group == "ood":
            return SignalBets(list(flags(profile, concession, segment=signal.segment is not None)))
        case CategoricalProfile() as profile:
            of = duplicates if signal.group == "traffic" else categorical
            return SignalBets(of(profile, probabilities(profile), concession))
        case AvailabilityProfile() as profile:
            tau = location_tau(None if signal.field is None else signal.field.values)
            return SignalBets(list(availability(profile, availability_shares(profile), tau, concession)))
        case WordsProfile() as profile:
            return SignalBets(list(words(profile, concession)))
        case PairProfile() as profile:
            return SignalBets(list(pair(profile, concession)))
        case OutcomeBaseline() as baseline:
            return SignalBets(list(relation(baseline, concession)))


def _renamed(bet: Bet) -> Bet:
    return replace(bet, words=_VOLUME_WORDS.get(bet.words, bet.words))


def availability_shares(profile: AvailabilityProfile) -> Floats:
    """Reference shares; each as if it had been met once more, since none is impossible."""
    counts: Floats = np.asarray(profile.counts, dtype=np.float64) + 1
    counts /= counts.sum()
    return counts


def location_tau(values: Values | None) -> float:
    """The largest dependence of a field's values, which its rare bins and its availability inherit: one hour's rain is on all of its rows.

    That of a trend is not meant: of what rises slowly each row can be null by itself.
    """
    match values:
        case NumericProfile():
            return values.calm_tau or values.tau[0]
        case CategoricalProfile():
            return values.calm_tau or max(values.tau, default=1.0)
        case TextProfile():
            return values.length.tau[0]
        case EmbeddingProfile():
            return max((component.tau[0] for component in values.components), default=values.distance.tau[0])
    return 1.0
