"""Bets against "nothing has changed": fixed likelihood ratios, one column each, whose mean under the reference is at most 1."""

from .bet import TILTS, Bet, Concession, normalised, two_point
from .direction import UnusableDirection, undirected
from .of_signal import SignalBets, availability_shares, bets_of, location_tau

__all__ = [
    "TILTS",
    "Bet",
    "Concession",
    "SignalBets",
    "UnusableDirection",
    "availability_shares",
    "bets_of",
    "location_tau",
    "normalised",
    "two_point",
    "undirected",
]
