"""A picture of drift: which signal was in which episode, from when to when."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ...schemas.cloud_events import microseconds
from ...schemas.messages.drift import DriftedSignal, DriftEvent, FurtherSignal
from ...schemas.messages.pane import OOD

#: Of severities, where there is more than one; else colour would say nothing, and all bars have one that means none.
_COLOURS = {"minor": "#9aa5b1", "moderate": "#f0a02f", "major": "#d1344b"}
_ONE_COLOUR, _MARK, _INK, _GRID = "#5b8db8", "#5a3fd6", "#1f2933", "#e4e7eb"
#: The events that begin and end a signal's part in an episode.
_SAID: dict[str, Any] = {  # matplotlib's keywords
    "marker": "o",
    "ms": 6,
    "mfc": "white",
    "mec": _INK,
    "mew": 1.0,
    "ls": "none",
    "zorder": 4,
    "clip_on": False,  # some lie on the border
}
_OVER: dict[str, Any] = {**_SAID, "marker": "s", "ms": 5, "mfc": _INK}
#: In place of the names of all signals that no event tells whole.
MORE = "and more"
#: A field's name that would read as one with a segment, or with what is watched of it; or as quoted, as `MORE`, or as one of ours: (ids).
_READS_AS_MORE = re.compile(rf"^\"| \[|\)$|^{MORE}$", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(place: str) -> datetime:
    """The time that an event names; where panes are of so many rows, each row is a second.

    >>> moment("row 60")
    datetime.datetime(1970, 1, 1, 0, 1, tzinfo=datetime.timezone.utc)
    """
    kind, _, row = place.partition(" ")
    return _EPOCH + (timedelta(seconds=int(row)) if kind == "row" else timedelta(microseconds=microseconds(place)))


def label(signal: DriftedSignal | FurtherSignal) -> str:
    """A signal's name for people: ``temp``, ``pressure (availability)``, ``score [segment]``, ``(ids)``. No two signals have one label."""
    segment = f" [{signal.segment}]" if signal.segment else ""
    ours = signal.role == "row" or signal.of == OOD or not _READS_AS_MORE.search(signal.name)
    named = signal.name if ours else json.dumps(signal.name, ensure_ascii=False)
    return f"{named}{segment}" if signal.of in ("values", OOD) or signal.name == f"({signal.of})" else f"{named}{segment} ({signal.of})"


class Span(NamedTuple):
    """How long a signal was in an episode; ``end`` None: it still is."""

    start: datetime
    end: datetime | None


@dataclass
class DrawnEpisode:
    """An episode, as far as its events tell."""

    first: DriftEvent
    last: DriftEvent
    spans: dict[str, Span] = field(default_factory=dict)

    def add(self, event: DriftEvent) -> None:
        """Take in a further event of this episode."""
        self.last = event
        for signal in event.signals:
            self._follow(label(signal), event, is_open=signal.open)
        listed = [one for one in event.further if label(one) in self.spans]
        for one in listed:
            self._follow(label(one), event, is_open=one.open)
        if len(event.further) + event.more_signals > len(listed):
            others = any(one.open for one in event.further if label(one) not in self.spans)
            self._follow(MORE, event, is_open=others or event.more_signals > 0)

    def _follow(self, name: str, event: DriftEvent, *, is_open: bool) -> None:
        end = moment(event.bucket[1])
        span = self.spans.setdefault(name, Span(moment(event.onset) if event.sequence == self.first.sequence else end, None))
        left = event.status == "resolved" or not is_open
        self.spans[name] = Span(span.start, (span.end or end) if left else None)

    @property
    def opened(self) -> datetime:
        """The end of the bucket that opened it."""
        return moment(self.first.bucket[1])

    @property
    def resolved(self) -> datetime | None:
        """The end of the bucket that resolved it."""
        return moment(self.last.bucket[1]) if self.last.status == "resolved" else None


def episodes(events: Iterable[DriftEvent]) -> list[DrawnEpisode]:
    """The episodes that events speak of, in the order of their opening."""
    found: dict[str, DrawnEpisode] = {}
    for event in events:
        found.setdefault(event.episode, DrawnEpisode(event, event)).add(event)
    return sorted(found.values(), key=lambda episode: (episode.opened, episode.first.episode))


class Mark(NamedTuple):
    """Something known to have happened, drawn over all signals."""

    start: datetime
    end: datetime
    text: str


def draw(
    path: Path,
    panels: Mapping[str, Sequence[DriftEvent]],
    span: tuple[datetime, datetime],
    marks: Sequence[Mark] = (),
    *,
    rows: bool = False,
) -> None:
    """Draw one panel per title: a row per signal, a bar per episode it was in, a dot where that was said, a square where its end was.

    ``rows``: times are numbers of rows, as where panes are of so many rows.
    """
    try:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
        from matplotlib.ticker import StrMethodFormatter
    except ImportError:
        msg = 'a picture needs matplotlib; install it with: pip install "driftbus[plot]"'
        raise RuntimeError(msg) from None

    lines = {title: _lines(events) for title, events in panels.items()}
    colours = _colours(bars for signals in lines.values() for bars in signals.values())
    heights = [max(2, len(signals)) for signals in lines.values()]
    figure = Figure(figsize=(10, 2.0 + 0.9 * len(lines) + 0.3 * sum(heights)), layout="constrained", facecolor="white")
    unit = timedelta(seconds=1) if rows else timedelta(days=1)

    def at(time: datetime) -> float:
        return (time - _EPOCH) / unit

    axes = figure.subplots(len(lines), 1, sharex=True, squeeze=False, height_ratios=[height + 1.5 for height in heights])[:, 0]
    for axis, (title, signals) in zip(axes, lines.items(), strict=True):
        for row, (name, bars) in enumerate(signals.items()):
            for episode in bars:
                start, end = episode.spans[name].start, episode.spans[name].end or span[1]
                width = max(end - start, (span[1] - span[0]) / 400)  # an hour must be seen in a year
                axis.barh(row, width / unit, left=at(start), height=0.62, color=colours[episode.last.severity])
                axis.plot([at(max(start, episode.opened))], [row], **_SAID)
                if episode.spans[name].end is not None:
                    axis.plot([at(end)], [row], **_OVER)
        for mark in marks:
            axis.axvspan(at(mark.start), at(mark.end), color=_MARK, alpha=0.12, lw=0, zorder=0)
            for edge in (mark.start, mark.end):
                axis.axvline(at(edge), color=_MARK, ls=(0, (4, 2)), lw=1.2, zorder=3)  # over the bars, which may go on behind its end
        axis.set_yticks(range(len(signals)), [_plain(name) for name in signals], fontsize=10)
        axis.set_ylim(max(len(signals), 1) - 0.4, -0.6)
        axis.set_title(_plain(title), loc="left", fontsize=12, color=_INK)
        axis.grid(axis="x", color=_GRID)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, colors=_INK, labelsize=10)
        axis.spines[:].set_visible(False)
        if not signals:
            axis.text(0.5, 0.5, "no episode", transform=axis.transAxes, ha="center", va="center", color=_INK)
    axes[-1].set_xlim(at(span[0]), at(span[1]))
    if rows:
        axes[-1].set_xlabel("row")
        axes[-1].xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    else:
        locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib's stubs
        axes[-1].xaxis.set_major_locator(locator)
        axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    figure.legend(handles=_legend(colours, marks), loc="outside lower center", ncols=2, fontsize=10, frameon=False, labelcolor=_INK)
    figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.2)


def _plain(text: str) -> str:
    """For matplotlib, which takes what stands between two dollars for a formula, and fails where it is none."""
    return text.replace("$", r"\$")


def _colours(lines: Iterable[Sequence[DrawnEpisode]]) -> dict[str, str]:
    """The severities that there are, from the least, each with its colour; of a single one it is no severity's."""
    there = {episode.last.severity for bars in lines for episode in bars}
    return {name: colour if len(there) > 1 else _ONE_COLOUR for name, colour in _COLOURS.items() if name in there}


def _legend(colours: Mapping[str, str], marks: Sequence[Mark]) -> list[Any]:  # matplotlib's artists
    """What every sign means, of those that are there."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    every = "" if len(colours) > 1 else "every one "
    bars: list[Any] = [Patch(color=colour, label=f"in drift, from the onset on: {every}{name}") for name, colour in colours.items()]
    events = [
        Line2D([], [], label="event “opened” (or “updated”): drift is told", **_SAID),
        Line2D([], [], label="event “resolved” (or “updated”): it is over", **_OVER),
    ]
    return [
        *bars,
        *(events if bars else ()),
        *(Patch(facecolor="#ece8fb", edgecolor=_MARK, ls="--", label=_plain(mark.text)) for mark in marks),
    ]


def _lines(events: Sequence[DriftEvent]) -> dict[str, list[DrawnEpisode]]:
    """The episodes of each signal, the signals in the order in which they first drifted."""
    lines: dict[str, list[DrawnEpisode]] = {}
    for episode in episodes(events):
        for name in episode.spans:
            lines.setdefault(name, []).append(episode)
    return lines
