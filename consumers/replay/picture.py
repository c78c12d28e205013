"""A picture of drift: which signal was in which episode, from when to when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ...schemas.messages.drift import DriftedSignal, DriftEvent, FurtherSignal

_COLOURS = {"minor": "#9aa5b1", "moderate": "#f0a02f", "major": "#d1344b"}
_INK, _GRID = "#1f2933", "#e4e7eb"
#: In place of the names of all signals that no event tells whole.
MORE = "and more"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(place: str) -> datetime:
    """The time that an event names; where panes are of so many rows, each row is a second.

    >>> moment("row 60")
    datetime.datetime(1970, 1, 1, 0, 1, tzinfo=datetime.timezone.utc)
    """
    kind, _, row = place.partition(" ")
    return _EPOCH + timedelta(seconds=int(row)) if kind == "row" else datetime.fromisoformat(place)


def label(signal: DriftedSignal | FurtherSignal) -> str:
    """A signal's name for people: ``temp``, ``pressure (availability)``, ``score [segment]``."""
    segment = f" [{signal.segment}]" if signal.segment else ""
    return f"{signal.name}{segment}" if signal.of == "values" else f"{signal.name}{segment} ({signal.of})"


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
    """Draw one panel per title: a row per signal, a bar per episode it was in, coloured by severity, a dot where it opened.

    ``rows``: times are numbers of rows, as where panes are of so many rows.
    """
    try:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
        from matplotlib.patches import Patch
        from matplotlib.ticker import StrMethodFormatter
    except ImportError:
        msg = 'a picture needs matplotlib; install it with: pip install "driftbus[plot]"'
        raise RuntimeError(msg) from None

    lines = {title: _lines(events) for title, events in panels.items()}
    heights = [max(2, len(signals)) for signals in lines.values()]
    figure = Figure(figsize=(12, 1.6 + 0.9 * len(lines) + 0.3 * sum(heights)), layout="constrained")
    unit = timedelta(seconds=1) if rows else timedelta(days=1)

    def at(time: datetime) -> float:
        return (time - _EPOCH) / unit

    axes = figure.subplots(len(lines), 1, sharex=True, squeeze=False, height_ratios=[height + 1.5 for height in heights])[:, 0]
    for axis, (title, signals) in zip(axes, lines.items(), strict=True):
        for mark in marks:
            axis.axvspan(at(mark.start), at(mark.end), color="#7b61ff", alpha=0.18, lw=0)
            if axis is axes[0]:
                axis.annotate(mark.text, (at(mark.end), 1.01), xycoords=("data", "axes fraction"), fontsize=8, color="#5a3fd6")
        for row, (name, bars) in enumerate(signals.items()):
            for episode in bars:
                start, end = episode.spans[name].start, episode.spans[name].end or span[1]
                colour = _COLOURS[episode.last.severity]
                width = max(end - start, (span[1] - span[0]) / 400)  # an hour must be seen in a year
                axis.barh(row, width / unit, left=at(start), height=0.62, color=colour)
                axis.plot([at(max(start, episode.opened))], [row], "o", ms=4, mfc="white", mec=_INK, mew=0.8)
        axis.set_yticks(range(len(signals)), list(signals), fontsize=9)
        axis.set_ylim(max(len(signals), 1) - 0.4, -0.6)
        axis.set_title(title, loc="left", fontsize=11, color=_INK, pad=14 if marks else 6)
        axis.grid(axis="x", color=_GRID)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, colors=_INK)
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
    figure.legend(
        handles=[Patch(color=colour, label=name) for name, colour in _COLOURS.items()], loc="outside lower right", ncols=3, fontsize=9
    )
    figure.savefig(path, dpi=120, bbox_inches="tight", pad_inches=0.2)


def _lines(events: Sequence[DriftEvent]) -> dict[str, list[DrawnEpisode]]:
    """The episodes of each signal, the signals in the order in which they first drifted."""
    lines: dict[str, list[DrawnEpisode]] = {}
    for episode in episodes(events):
        for name in episode.spans:
            lines.setdefault(name, []).append(episode)
    return lines
