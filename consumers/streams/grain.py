"""A model's grain: the length of record time by which causes are looked for, whole panes of its stream.

It follows from the reference and the stream's pane, so that everyone who knows these knows it: it stands nowhere.
"""

from typing import Literal

from ...schemas.configuration import HOUR_MS, PaneLength
from ...schemas.stored.reference import Reference
from .buckets import Buckets, Every, buckets

Season = Literal["day", "week"]

#: Rows that a grain has at the reference's rate, at least.
LEAST_ROWS = 500
_MINUTE, _DAY = 60_000, 24 * HOUR_MS
#: Grains that are longer than a pane tile hours or days.
_LENGTHS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 20, 30)),
    *(hours * HOUR_MS for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
)
#: Parts of a season that are told apart, at least.
_PARTS = 24
_SEASONS = {"day": _DAY, "week": 7 * _DAY}


def grain(reference: Reference, pane: PaneLength, season: Season | None = None, rate: float | None = None) -> int:
    """The grain in ms, of a stream with such panes; of months, and of panes in rows, a pane.

    Parameters
    ----------
    reference
        Of the model version.
    pane
        Of its stream.
    season
        As it is configured; None: a day, if the reference spans two.
    rate
        Rows per second, where the reference has no times.

    Notes
    -----
    The shortest of `_LENGTHS` that is a whole number of panes, a minute, 1/24 of the season and 500 rows or longer. Where all are shorter
    than that, the least whole number of panes that is long enough, a day being enough for each: windows then take several grains.
    """
    if pane.unit != "time":
        return pane.milliseconds
    part = _season(reference, season) // _PARTS
    rows = _milliseconds(reference.rate or rate)
    length = pane.milliseconds
    for candidate in sorted({length, *_LENGTHS}):
        if candidate % length == 0 and candidate >= max(_MINUTE, part, rows):
            return candidate
    return -(-max(_MINUTE, min(part, _DAY), min(rows, _DAY)) // length) * length


def grains(reference: Reference, pane: PaneLength, season: Season | None = None, rate: float | None = None) -> Buckets:
    """Record time in grains."""
    return buckets(pane) if pane.unit == "month" else Every(grain(reference, pane, season, rate))


def _season(reference: Reference, season: Season | None) -> int:
    if season is not None:
        return _SEASONS[season]
    spans = 0 if reference.first is None or reference.last is None else reference.last - reference.first
    return _DAY if spans >= 2 * _DAY else 0


def _milliseconds(rate: float | None) -> int:
    """That so many rows take, rounded up."""
    return 0 if rate is None else -int(-LEAST_ROWS * 1000 // rate)
