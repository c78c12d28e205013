"""What else one might do over the year: never train again, at each alarm, every month. Computed beside the loop, from the same flights."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .data import Flights
from .forest import Forest, fit
from .timetable import NUMBERS

DAY = 86_400_000
#: An alarm of those who watch every feature by itself: the index by which many do, over a week against the training data. One a week.
ALARM, WATCHED, GROUPS = 0.25, 7 * DAY, 10
#: What is trained on at an alarm, and every month.
NEWEST, MONTH = 14 * DAY, 30 * DAY
#: Added to every group, or a single empty one decides.
_PSEUDO = 0.5


class Year(NamedTuple):
    """The flights, and from when to when a model answers: what was before is what the first one is trained on."""

    flights: Flights
    starts: int
    ends: int
    held: NDArray[np.bool_]  #: flights of before that nobody learns from: what the first one answers there is its reference
    seed: int = 1

    def trained(self, start: int, now: int) -> Forest:
        """On what has landed by now of the flights since then."""
        flights = self.flights
        rows = np.flatnonzero((flights.scheduled >= start) & ~self.held & known_by(flights, now))
        return fit(columns(flights, rows), flights.late[rows], self.seed)


class Played(NamedTuple):
    """What a policy came to: the answers of whatever model it had, in the order of the flights, and when it had another one."""

    score: NDArray[np.float64]
    changes: list[int]


def columns(flights: Flights, rows: NDArray[np.integer]) -> dict[str, NDArray[np.float64] | NDArray[np.object_]]:
    """Of some flights."""
    return {name: column[rows] for name, column in (flights.categories | flights.numbers).items()}


def known_by(flights: Flights, now: int) -> NDArray[np.bool_]:
    """Of which flights it is known by then whether they were late."""
    return flights.known & (flights.landed < now)


def frozen(year: Year, first: Forest) -> Played:
    """The first model, all year."""
    return _played(year, first, iter(()))


def monthly(year: Year, first: Forest, window: int | None) -> Played:
    """Every 30 days, on so much (None: on all there is)."""
    times = range(year.starts + MONTH, year.ends, MONTH)
    return _played(year, first, ((now, year.trained(0 if window is None else now - window, now)) for now in times))


def each_alarm(year: Year, first: Forest) -> Played:
    """Whenever a feature is not as it was in the training data (weather never is), on the last two weeks."""
    return _played(year, first, _at_alarms(year))


def _at_alarms(year: Year) -> Iterator[tuple[int, Forest]]:
    flights = year.flights
    trained = flights.scheduled < year.starts
    for now in range(year.starts + WATCHED, year.ends, WATCHED):
        week = (flights.scheduled >= now - WATCHED) & (flights.scheduled < now)
        if max(_index(flights.numbers[name][trained], flights.numbers[name][week]) for name in NUMBERS) > ALARM:
            yield now, year.trained(now - NEWEST, now)
            trained = (flights.scheduled >= now - NEWEST) & (flights.scheduled < now)


def _index(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """The population stability index by tenths of what was; what is null is a group of its own."""
    edges = np.unique(np.nanquantile(before, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    p, q = (
        np.bincount(np.where(np.isnan(some), len(edges) + 1, np.searchsorted(edges, some)), minlength=len(edges) + 2)
        for some in (before, now)
    )
    p, q = ((some + _PSEUDO) / (some + _PSEUDO).sum() for some in (p, q))
    return float(np.sum((q - p) * np.log(q / p)))


def _played(year: Year, first: Forest, changes: Iterator[tuple[int, Forest]]) -> Played:
    """The answers of each model until the next."""
    flights, score, times = year.flights, np.full(len(year.flights), np.nan), list[int]()
    start, model = year.starts, first
    for now, following in changes:
        _answer(flights, score, model, start, now)
        start, model = now, following
        times.append(now)
    _answer(flights, score, model, start, year.ends)
    return Played(score, times)


def _answer(flights: Flights, score: NDArray[np.float64], model: Forest, start: int, end: int) -> None:
    rows = np.flatnonzero((flights.scheduled >= start) & (flights.scheduled < end))
    score[rows] = model.score(columns(flights, rows))
