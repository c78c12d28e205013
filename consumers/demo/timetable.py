"""The flights as they are known before they leave: by schedule and weather, without the delay at departure; and a fault of the schedule."""

import numpy as np
from numpy.typing import NDArray

from .data import CATEGORICAL, NUMERIC, Flights

#: Not known when the record's time says; with it a model of January serves all year.
LATER = "dep_delay"
NUMBERS = tuple(name for name in NUMERIC if name != LATER)
FEATURES = (*CATEGORICAL, *NUMBERS)
#: What the fault spoils: minutes since midnight come as hours and minutes on a clock, 14:05 as 1405.
SPOILT = ("sched_dep", "sched_arr")


def chosen(flights: Flights, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Flights:
    """Some of them, without what is known later."""
    categories = {name: column[rows] for name, column in flights.categories.items()}
    numbers = {name: flights.numbers[name][rows] for name in NUMBERS}
    return Flights(flights.id[rows], flights.scheduled[rows], flights.landed[rows], flights.late[rows], categories, numbers)


def as_clock(flights: Flights, start: int, end: int) -> Flights:
    """The same, where between these times the schedule comes as hours and minutes."""
    during = (flights.scheduled >= start) & (flights.scheduled < end)
    spoilt = {name: np.where(during, _clock(flights.numbers[name]), flights.numbers[name]) for name in SPOILT}
    return Flights(flights.id, flights.scheduled, flights.landed, flights.late, flights.categories, flights.numbers | spoilt)


def _clock(minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of minutes since midnight.

    >>> _clock(np.array([845.0, 5.0])).tolist()
    [1405.0, 5.0]
    """
    return minutes // 60 * 100 + minutes % 60


def log_loss(score: NDArray[np.float64], late: NDArray[np.bool_]) -> float:
    """Mean of the flights' own.

    >>> round(log_loss(np.array([0.5, 0.5]), np.array([True, False])), 4)
    0.6931
    """
    return float(losses(score, late).mean()) if len(score) else float("nan")


def losses(score: NDArray[np.float64], late: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of each flight; no answer is taken for quite certain."""
    certain = np.clip(score, 0.001, 0.999)
    found: NDArray[np.float64] = -np.log(np.where(late, certain, 1 - certain))
    return found
