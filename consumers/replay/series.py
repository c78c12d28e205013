"""One metric of one model version as a series of points: an interval of predictions each, or several where there are very many."""

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.performance import Performance
from ...schemas.messages.reviewed import Reviewed
from .picture import moment

#: Of what intervals are labelled to in the end: an interval that is labelled to so much tells as much as they do.
MATURED = 0.9
#: The metric that has an interval.
BOUNDED = "accuracy"


class Point(NamedTuple):
    """What is known of predictions that were made from ``start`` to ``end`` (ms)."""

    start: int
    end: int
    realised: float | None
    low: float | None  #: of the realised one, as far as it has an interval
    high: float | None
    estimated: float | None
    completed: float | None
    matured: bool  #: hardly any label is still to come


class ByPeople(NamedTuple):
    """A metric of all predictions of an interval, as reviewers' answers have it."""

    value: float
    low: float | None  #: of its interval, 95 %
    high: float | None


def by_people(one: Reviewed, metric: str) -> ByPeople | None:
    """The accuracy, of numbers the mean absolute error; of no other metric do answers say anything."""
    if metric == BOUNDED and one.all.share is not None:
        return ByPeople(one.all.share, one.all.low, one.all.high)
    if metric == "mae" and one.mae is not None and one.mae.mean is not None:
        return ByPeople(one.mae.mean, one.mae.low, one.mae.high)
    return None


def ripe(records: Sequence[Performance]) -> frozenset[str]:
    """The keys of those intervals of one version of which hardly any label is still to come: final ones, and those that are labelled nearly
    as well. Where none is final yet, the older half says how well that is; where there is none, every prediction has a label in the end.
    """
    older = [one for one in records if one.final] or records[: len(records) // 2]
    predicted = sum(one.predicted for one in older)
    enough = MATURED * (sum(one.labelled for one in older) / predicted if predicted else 1.0)
    return frozenset(one.key for one in records if one.final or one.labelled >= enough * one.predicted > 0)


def series(records: Sequence[Performance], metric: str, most: int, matured: Container[str]) -> list[Point]:
    """At most so many points of one version's intervals, in their order; what stands for several is their mean, by their predictions.

    ``matured``: the keys of intervals of which hardly any label is still to come.
    """
    length = per_point(records, most)
    return [_point(records[first : first + length], metric, matured) for first in range(0, len(records), length)]


def per_point(records: Sequence[Performance], most: int) -> int:
    """How many intervals a point stands for."""
    return max(math.ceil(len(records) / most), 1)


def _point(records: Sequence[Performance], metric: str, matured: Container[str]) -> Point:
    realised, (low, high) = _mean([(one.realised.get(metric), one.labelled) for one in records]), (None, None)
    if metric == BOUNDED and realised is not None:
        low, high = (_bound(records, realised, side) for side in ("low", "high"))
    return Point(
        records[0].start,
        records[-1].about,
        realised,
        low,
        high,
        _mean([(one.estimated.get(metric), one.predicted) for one in records]),
        _mean([(one.completed.get(metric), one.predicted) for one in records]),
        all(one.key in matured for one in records),
    )


def _mean(weighted: Sequence[tuple[float | None, int]]) -> float | None:
    there = [(value, weight) for value, weight in weighted if value is not None and weight > 0]
    return math.fsum(value * weight for value, weight in there) / sum(weight for _, weight in there) if there else None


def _bound(records: Sequence[Performance], realised: float, side: str) -> float | None:
    """Of the mean of intervals that err apart: their distances add up as their squares do."""
    off = [
        one.labelled * (bound - value)
        for one in records
        if (bound := getattr(one, side)) is not None and (value := one.realised.get(BOUNDED)) is not None
    ]
    labelled = sum(one.labelled for one in records)
    return None if not off else realised + math.copysign(math.hypot(*off), sum(off)) / labelled


def versions(records: Sequence[Performance]) -> Iterator[tuple[str, list[Performance]]]:
    """The versions of one model, the first that served first, each with its intervals in their order."""
    found: dict[str, list[Performance]] = {}
    for one in sorted(records, key=lambda one: (one.start, one.version)):
        found.setdefault(one.version, []).append(one)
    yield from found.items()


def began(events: Iterable[DriftEvent]) -> datetime:
    """Since when predictions turn out as an episode says, by the time when they were made; else by when that was known."""
    told = list(events)
    known = [event.performance.onset for event in told if event.performance is not None and event.performance.onset is not None]
    return moment(known[-1] if known else told[0].onset)
