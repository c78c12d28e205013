"""What the demo shows: a line per event as it comes, how fast it goes, and a table at the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...schemas.messages.drift import DriftEvent
from ..replay.event_line import changes, event_line, lasted
from ..replay.picture import DrawnEpisode, moment
from .known import reason

#: Of a line where there is no terminal.
_PLAIN_WIDTH = 150
_COLOURS = {"minor": "dim", "moderate": "yellow", "major": "bold red"}


@dataclass(frozen=True)
class Pace:
    """How far a run is, and how fast."""

    rows: int = 0
    panes: int = 0
    buckets: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        """One line.

        >>> print(Pace(rows=1_000, panes=84, buckets=21, seconds=0.5))
        buckets 21   rows 1,000   2,000 rows/s   panes 84   168 panes/s
        """
        seconds = max(self.seconds, 0.001)
        rates = f"rows {self.rows:,}   {self.rows / seconds:,.0f} rows/s   panes {self.panes:,}   {self.panes / seconds:,.0f} panes/s"
        return f"buckets {self.buckets:,}   {rates}"


class Screen:
    """A terminal, or plain lines where there is none."""

    def __init__(self, console: Console) -> None:
        self._console = console if console.is_terminal else Console(file=console.file, width=_PLAIN_WIDTH)

    def say(self, text: str = "") -> None:
        """A line of the story."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def legend(self) -> None:
        """What the lines of events say, in front of the first."""
        self.say(
            "OPENED: an episode of drift begins, and what is known to have happened then; RESOLVED: it is over; INJECTED: ours, on purpose"
        )
        if self._console.is_terminal:
            severities = [part for name, style in _COLOURS.items() for part in (", ", (name, style))]
            self._console.print(Text.assemble("severity by colour: ", *severities[1:], "; ", ("resolved", "green")), highlight=False)

    def turn(self, time: datetime, text: str) -> None:
        """Something that we did to the data, among the events that may follow from it."""
        self._console.print(Text(f"{time:%Y-%m-%d %H:%M}  INJECTED  {text}", "magenta"), soft_wrap=True)

    def event(self, event: DriftEvent, episode: DrawnEpisode) -> None:
        """An episode that opens or resolves; what happens in between is in ``events.jsonl``."""
        if event.status == "opened":
            self._console.print(Text(event_line(event), _COLOURS[event.severity]), Text(f" {reason(episode)}", "cyan"), soft_wrap=True)
        elif event.status == "resolved":
            self._console.print(Text(event_line(event), "green"), soft_wrap=True)

    @contextmanager
    def live(self) -> Iterator[Callable[[Pace], None]]:
        """While it runs, the pace stands below the lines, where there is a terminal."""
        with self._console.status("") as status:
            yield lambda pace: status.update(str(pace))

    def table(self, episodes: Sequence[DrawnEpisode]) -> None:
        """All episodes of a run."""
        table = Table(box=None, header_style="dim")
        for heading in ("opened", "lasted", "severity", "signals", "change", ""):
            table.add_column(heading)
        several = len({episode.last.severity for episode in episodes}) > 1  # else a colour would say nothing
        for episode in episodes:
            table.add_row(
                f"{episode.opened:%b %d %H:%M}",
                lasted(episode.resolved - moment(episode.first.onset)) if episode.resolved else "open",
                Text(episode.last.severity, _COLOURS[episode.last.severity] if several else ""),
                ", ".join(episode.spans),
                changes(list(episode.first.signals[:2])),
                reason(episode),
            )
        self._console.print(table, highlight=False)
