"""Which signals an alarm is about: the winner, and those whose evidence since its onset e-BH would report too."""

import math

import numpy as np
from numpy.typing import NDArray

from .mixture import Bets

Floats = NDArray[np.float64]

#: The expected share of innocent signals among those that e-BH names.
FALSE_SHARE = 0.05


def log_evidence(bets: Bets, log_values: Floats) -> Floats:
    """Per tested signal, ln sum_k w_k exp(log_values_k)."""
    terms = log_values + np.log(bets.weight)
    highest = np.maximum.reduceat(terms, bets.first)
    finite = np.where(np.isfinite(highest), highest, 0.0)  # a signal that never had a row has R = 0: exp(-inf - 0), not of nan
    with np.errstate(divide="ignore"):
        return finite + np.log(np.add.reduceat(np.exp(terms - finite[bets.owner]), bets.first))


def best_bet(bets: Bets, log_values: Floats, signal: int) -> int:
    """The bet of a signal that contributes most to its evidence."""
    span = bets.of(signal)
    return int(span.start + np.argmax(log_values[span] + np.log(bets.weight[span])))


def winner(bets: Bets, evidence: Floats) -> int:
    """The signal with the largest weighted evidence; of equal ones the first by name."""
    weighted = evidence + np.log(bets.signal_weight)
    largest: list[int] = np.flatnonzero(weighted == weighted.max()).tolist()
    return min(largest, key=lambda signal: bets.signals[signal].key)


def shares(bets: Bets, evidence: Floats) -> Floats:
    """Of the alarm's evidence, per signal."""
    weighted = evidence + np.log(bets.signal_weight)
    parts = np.exp(weighted - weighted.max())
    return np.asarray(parts / parts.sum(), dtype=np.float64)


def e_bh(log_e: Floats, level: float = FALSE_SHARE) -> NDArray[np.bool_]:
    """The e-Benjamini-Hochberg procedure on ln e (Wang & Ramdas 2022): the largest k signals with e >= K / (level k).

    >>> e_bh(np.log([100.0, 50.0, 1.0])).tolist()
    [True, True, False]
    """
    ordered = np.sort(log_e)[::-1]
    bounds = math.log(len(log_e) / level) - np.log(np.arange(1, len(log_e) + 1))
    reached = np.flatnonzero(ordered >= bounds)
    least = ordered[reached[-1]] if len(reached) else math.inf
    return np.asarray(log_e >= least)
