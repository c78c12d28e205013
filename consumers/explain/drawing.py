"""Drawings as SVG: a series against its baseline, two histograms side by side, and what happened when. Colours are the page's."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ...detectors.diagnosis.words import number, percent
from .html import text

_WIDTH = 820
#: Of a series: its height, and the room at its left for numbers, above for a mark's name, below for times.
_HEIGHT, _LEFT, _TOP, _BELOW = 190, 64, 22, 26
#: Of bars: a line's height, and the room for names and for numbers.
_LINE, _NAMES, _NUMBERS = 30, 190, 60
#: Characters of a name, and of one beside a bar.
_NAMED = 26
_RIGHT = 12
#: Of a bar's width, in a timeline.
_LEAST = 3
#: Between two numbers at an axis, at least.
_APART = 14


class Series(NamedTuple):
    """A number a window: of the baseline, then of those that were looked at; NaN where there is none."""

    was: Sequence[float]
    now: Sequence[float]
    onset: int | None  #: place among ``now``
    bound: float | None  #: which it must exceed; None: there is none by itself
    share: bool  #: numbers are shares
    times: tuple[str, str, str]  #: of the first window, the onset, the last


def told(value: float, share: bool) -> str:
    """A number of a series."""
    return "-" if not math.isfinite(value) else percent(value) if share else number(value)


def series(one: Series) -> str:
    """A line: what is usual as a band, the threshold, the onset."""
    known = [value for value in (*one.was, *one.now) if math.isfinite(value)]
    usual = [value for value in one.was if math.isfinite(value)]
    top = max([*known, one.bound or 0.0, 1e-12]) * 1.08
    bottom = min([*known, 0.0])
    places, inner = len(one.was) + len(one.now), _WIDTH - _LEFT - _RIGHT

    def x(place: float) -> float:
        return round(_LEFT + inner * (place + 0.5) / max(places, 1), 1)

    def y(value: float) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BELOW) * (1 - (value - bottom) / (top - bottom)), 1)

    parts = [f'<path class="axis" d="M{_LEFT} {_TOP}V{y(bottom)}H{_WIDTH - _RIGHT}"/>']
    if usual:
        high, low = y(max(usual)), y(min(usual))
        parts.append(f'<rect class="band" x="{_LEFT}" y="{high}" width="{inner}" height="{max(round(low - high, 1), 1)}"/>')
    levels = [bottom, top / 1.08, *([] if one.bound is None else [one.bound])]
    if one.bound is not None:
        parts.append(f'<path class="bound" d="M{_LEFT} {y(one.bound)}H{_WIDTH - _RIGHT}"/>')
    apart = [level for level in dict.fromkeys(levels) if one.bound is None or level == one.bound or abs(y(level) - y(one.bound)) > _APART]
    parts += [f'<text x="{_LEFT - 6}" y="{y(level) + 4}" text-anchor="end">{text(told(level, one.share))}</text>' for level in apart]
    parts.append(_line("was", [(x(place), y(value)) for place, value in enumerate(one.was) if math.isfinite(value)]))
    now = [(x(len(one.was) + place), y(value)) for place, value in enumerate(one.now) if math.isfinite(value)]
    parts.append(_line("is", now))
    below, first, onset, last = _HEIGHT - 8, *one.times
    parts.append(f'<text class="dim" x="{_LEFT}" y="{below}">{text(first)}</text>')
    parts.append(f'<text class="dim" x="{_WIDTH - _RIGHT}" y="{below}" text-anchor="end">{text(last)}</text>')
    if one.onset is not None:
        at = round(x(len(one.was) + one.onset - 0.5), 1)
        anchor = "end" if at > _WIDTH * 0.7 else "start"
        parts.append(f'<path class="onset" d="M{at} {_TOP - 6}V{y(bottom)}"/>')
        parts.append(f'<text x="{at + (-5 if anchor == "end" else 5)}" y="{_TOP - 8}" text-anchor="{anchor}">onset {text(onset)}</text>')
    return _svg(_HEIGHT, parts)


class Bar(NamedTuple):
    """A group's share of rows."""

    name: str
    was: float
    now: float


def bars(some: Sequence[Bar]) -> str:
    """Two bars a group on one scale."""
    most = max((value for one in some for value in (one.was, one.now)), default=0.0) or 1.0
    room = _WIDTH - _NAMES - _NUMBERS - _RIGHT
    parts = []
    for place, one in enumerate(some):
        top = place * _LINE
        parts.append(f'<text x="{_NAMES - 8}" y="{top + 18}" text-anchor="end">{text(_short(one.name))}</text>')
        for kind, value, at in (("then", one.was, top + 3), ("now", one.now, top + 14)):
            width = round(max(room * value / most, 0.5 if value > 0 else 0.0), 1)
            parts.append(f'<rect class="{kind}" x="{_NAMES}" y="{at}" width="{width}" height="10"/>')
            said = text(percent(value))
            parts.append(f'<text class="dim" font-size="10" x="{_NAMES + width + 5}" y="{at + 9}">{said}</text>')
    return _svg(_LINE * len(some) + 4, parts)


class Span(NamedTuple):
    """Something that lasted, on a line of its own; ``end`` None: it goes on."""

    name: str
    start: int
    end: int | None
    kind: str  #: then, now, dim


class Mark(NamedTuple):
    """Something that was done at a time."""

    name: str
    time: int


def timeline(spans: Sequence[Span], marks: Sequence[Mark], ends: tuple[int, int], words: tuple[str, str]) -> str:
    """What lasted as bars, what happened as marks; one line each, in their order, between two times, which ``words`` tell."""
    low, high = ends
    room = _WIDTH - _NAMES - _RIGHT

    def x(time: int) -> float:
        return round(_NAMES + room * (time - low) / max(high - low, 1), 1)

    parts = []
    for line, one in enumerate(spans):
        at = line * 22 + 4
        parts.append(f'<text x="{_NAMES - 8}" y="{at + 11}" text-anchor="end">{text(_short(one.name))}</text>')
        end = x(high if one.end is None else one.end)
        start = min(x(one.start), _WIDTH - _RIGHT - _LEAST)
        parts.append(f'<rect class="{one.kind}" x="{start}" y="{at + 1}" width="{round(max(end - start, _LEAST), 1)}" height="12"/>')
    for line, mark in enumerate(marks, len(spans)):
        at = line * 22 + 4
        centre = min(max(x(mark.time), _NAMES + 5), _WIDTH - _RIGHT - 5)
        parts.append(f'<text x="{_NAMES - 8}" y="{at + 11}" text-anchor="end">{text(_short(mark.name))}</text>')
        parts.append(f'<path class="axis" d="M{_NAMES} {at + 7}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<path class="mark" d="M{centre} {at}l6 7l-6 7l-6 -7z"/>')
    height = 22 * (len(spans) + len(marks)) + 26
    parts.append(f'<text class="dim" x="{_NAMES}" y="{height - 6}">{text(words[0])}</text>')
    parts.append(f'<text class="dim" x="{_WIDTH - _RIGHT}" y="{height - 6}" text-anchor="end">{text(words[1])}</text>')
    return _svg(height, parts)


def _line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    if not points:
        return ""
    if len(points) == 1:
        return f'<circle class="{"then" if kind == "was" else "now"}" cx="{points[0][0]}" cy="{points[0][1]}" r="2.5"/>'
    return f'<path class="{kind}" d="M{"L".join(f"{x} {y}" for x, y in points)}"/>'


def _short(name: str) -> str:
    return name if len(name) <= _NAMED else f"{name[: _NAMED - 1]}…"


def _svg(height: int, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
