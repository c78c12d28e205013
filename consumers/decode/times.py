"""Times in messages, as seconds since 1970: whole columns of ISO 8601 texts at once, and any other one by one."""

import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ...schemas.cloud_events import microseconds
from ...schemas.stored.reference import ProfiledField
from .interface import Columns

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Numbers below these, whatever their sign, are s, ms, us; those beyond ns. Seconds reach the year 5138, the others go from 1973 on.
_MAGNITUDES = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (math.inf, 1e9))
#: In seconds; of older ones it is not told how old they are, so that their sum over the rows of a run is exact in every language.
LONGEST_AGE = 1 << 29
#: ``2026-03-01T10:00:00``, to which fractions and a zone may be added: where its digits are, and its signs.
_DATE_TIME = 19
_FIELDS = ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
_SIGNS = ((4, b"-"), (7, b"-"), (10, b"T "), (13, b":"), (16, b":"))
#: Digits of a fraction, and those of them that count.
_MOST_DIGITS, _DIGITS = 12, 6
#: A time that names its zone, if only UTC.
_SAYS_ZONE = re.compile(r":.*(?:[zZ]|[+-]\d\d(?::?\d\d(?::?\d\d(?:\.\d+)?)?)?)\s*$")
#: Lengths of a zone: none, Z, +hh:mm.
_ZONES = (0, 1, 6)


def seconds_of_text(text: str, zone: str = "UTC") -> float | None:
    """Of an ISO 8601 time, to the microsecond; of this zone unless it says otherwise. None: it is none.

    >>> seconds_of_text("1970-01-02T00:00:00.5+01:00"), seconds_of_text("1970-01-02"), seconds_of_text("soon")
    (82800.5, 86400.0, None)
    >>> seconds_of_text("1970-01-02", "Europe/Berlin")
    82800.0
    """
    try:
        seconds = microseconds(text) / 1e6
    except ValueError:
        return None
    return seconds if zone == "UTC" or _SAYS_ZONE.search(text) else _elsewhere(seconds, zone)


def _elsewhere(seconds: float, zone: str) -> float:
    """What a clock of this zone showed, as if it had been one of UTC; of an hour that it showed twice, the first."""
    shown = datetime.fromtimestamp(seconds, UTC)
    offset = shown.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    return seconds if offset is None else seconds - offset.total_seconds()


def seconds_of_number(number: float) -> float:
    """Of an epoch number in s, ms, us or ns: which of them, its magnitude says.

    >>> seconds_of_number(1_700_000_000), seconds_of_number(1_700_000_000_500), seconds_of_number(1.7e18)
    (1700000000.0, 1700000000.5, 1700000000.0)
    """
    return number / next(unit for below, unit in _MAGNITUDES if not abs(number) >= below)


def seconds_of_numbers(numbers: Sequence[float]) -> Floats:
    """The same, of many; NaN for what is not finite.

    >>> seconds_of_numbers([1_700_000_000, 1_700_000_000_500, 10**400]).tolist()
    [1700000000.0, 1700000000.5, nan]
    """
    try:
        epoch = np.array(numbers, dtype=np.float64)
    except OverflowError:
        epoch = np.array([float(number) if abs(number) <= sys.float_info.max else math.inf for number in numbers])
    units = np.array([unit for _, unit in _MAGNITUDES])
    unit_of = np.searchsorted([below for below, _ in _MAGNITUDES[:-1]], np.abs(epoch), side="right")
    return np.where(np.isfinite(epoch), epoch / units[unit_of], np.nan)


def seconds_of_texts(texts: Sequence[str], zone: str = "UTC") -> Floats:
    """What `seconds_of_text` says of each, NaN for None: a tenth of its time where texts of one length are of the usual form.

    >>> seconds_of_texts(["1970-01-02T00:00:00.5+01:00", "1970-01-02", "soon"]).tolist()
    [82800.5, 86400.0, nan]
    """
    seconds = np.full(len(texts), np.nan)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        own = texts if len(rows) == len(texts) else [texts[row] for row in rows.tolist()]
        if length >= _DATE_TIME:
            characters = np.frombuffer("".join(own).encode("ascii", "replace"), dtype=np.uint8).reshape(-1, length)
            for of, microseconds in _usual(characters):
                seconds[rows[of]] = microseconds / 1e6
    if zone != "UTC":
        for row in np.flatnonzero(~np.isnan(seconds)).tolist():
            if not _SAYS_ZONE.search(texts[row]):
                seconds[row] = _elsewhere(float(seconds[row]), zone)
    for row in np.flatnonzero(np.isnan(seconds)).tolist():
        found = seconds_of_text(texts[row], zone)
        seconds[row] = np.nan if found is None else found
    return seconds


def _usual(characters: NDArray[np.uint8]) -> Iterator[tuple[Integers, Integers]]:
    """Of texts of one length those that are plain dates with times: their rows, and microseconds."""
    columns = np.ascontiguousarray(characters.T)
    length, rows = columns.shape
    good = np.ones(rows, dtype=np.bool_)
    for place, signs in _SIGNS:
        good &= np.logical_or.reduce([columns[place] == sign for sign in signs])
    parts = [_number(columns[first:stop], good) for first, stop in _FIELDS]
    year, month, day, hour, minute, second = parts
    good &= (year > 0) & (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first_day, next_first = (at.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for at in (months, months + 1))
    good &= (day >= 1) & (day <= next_first - first_day)
    naive = (((first_day + day - 1) * 24 + hour) * 60 + minute) * 60 + second
    for zone in _ZONES:
        digits = length - _DATE_TIME - zone
        if 0 <= digits <= _MOST_DIGITS:
            fits = good.copy()
            shift, fraction = _zone(columns[length - zone :], fits), _fraction(columns[_DATE_TIME : length - zone], fits)
            fitting = np.flatnonzero(fits)
            yield fitting, ((naive - shift) * 1_000_000 + fraction)[fitting]


def _number(digits: NDArray[np.uint8], good: NDArray[np.bool_]) -> Integers:
    """What digits come to, one row of them per place; where there are others the text is not good."""
    number = np.zeros(digits.shape[1], dtype=np.int64)
    for place in digits:
        digit = place - np.uint8(ord("0"))  # below zero it wraps
        good &= digit <= 9
        number = number * 10 + digit
    return number


def _fraction(characters: NDArray[np.uint8], good: NDArray[np.bool_]) -> Integers:
    """Microseconds; digits behind are cut off."""
    if not len(characters):
        return np.zeros(characters.shape[1], dtype=np.int64)
    good &= (characters[0] == ord(".")) & (len(characters) > 1)
    _number(characters[1 + _DIGITS :], good)
    kept = characters[1 : 1 + _DIGITS]
    return np.asarray(_number(kept, good) * 10 ** (_DIGITS - len(kept)))


def _zone(characters: NDArray[np.uint8], good: NDArray[np.bool_]) -> Integers:
    """Seconds east of Greenwich."""
    if len(characters) < max(_ZONES):
        good &= (characters == ord("Z")).all(axis=0)
        return np.zeros(characters.shape[1], dtype=np.int64)
    west = characters[0] == ord("-")
    good &= (west | (characters[0] == ord("+"))) & (characters[3] == ord(":"))
    hours, minutes = _number(characters[1:3], good), _number(characters[4:6], good)
    good &= (hours < 24) & (minutes < 60)
    return np.asarray(np.where(west, -1, 1) * (hours * 60 + minutes) * 60)


def ages(seconds: Floats, record_times: Integers) -> Floats:
    """How old times were when their record (its time in ms) was made, in seconds; a mark of an absent one stays as it is.

    >>> ages(np.array([1.5, np.nan]), np.array([4_000, 4_000])).tolist()
    [2.5, nan]
    """
    return np.where(np.isnan(seconds), seconds.view(np.uint64), (record_times / 1000 - seconds).view(np.uint64)).view(np.float64)


def whole_ages(seconds: Floats, record_times: Integers) -> Integers:
    """How old they were in whole seconds, none if they were still to come, `LONGEST_AGE` at most; -1: there is no time.

    >>> whole_ages(np.array([1.5, np.nan, 9.0, -1e300]), np.array([4_000] * 4)).tolist()
    [2, -1, 0, 536870912]
    """
    found = np.clip(np.floor(record_times / 1000 - np.where(np.isnan(seconds), 0.0, seconds)), 0, LONGEST_AGE)
    return np.where(np.isnan(seconds), -1, found).astype(np.int64)


def aged(columns: Columns, fields: Sequence[ProfiledField], record_times: Integers) -> Columns:
    """Decoded rows with the ages of timestamps in the place of these."""
    numeric = [field.type for field in fields if field.type in ("numeric", "timestamp")]
    places = [place for place, type_ in enumerate(numeric) if type_ == "timestamp"]
    if not places:
        return columns
    of_all = columns.numeric.copy()  # the decoder may be asked for its own again
    of_all[:, places] = ages(of_all[:, places], record_times[:, None])
    return replace(columns, numeric=of_all)
