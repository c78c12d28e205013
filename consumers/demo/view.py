"""What the demo shows: a line per event as it comes, how fast it goes, and a table at the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ...detectors.diagnosis.text import what
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.root_cause import RootCauseEvent
from ..console.causes import ToldIncident, cause_line
from ..console.screen import Table, Terminal
from ..replay.event_line import COLOURS, changes, event_line, lasted
from ..replay.picture import DrawnEpisode, moment
from ..replay.terminal import Styled
from .known import judged, reason


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

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def say(self, text: str = "") -> None:
        """A line of the story."""
        self._terminal.say(text)

    def legend(self) -> None:
        """What the lines of events say, in front of the first."""
        self.say(
            "OPENED: an episode of drift begins, and what is known to have happened then; CONFIRMED: a root cause; "
            "RESOLVED: it is over; INJECTED: ours, on purpose"
        )
        if self._terminal.is_one:
            severities = [part for name, style in COLOURS.items() for part in (", ", Styled(name, style))]
            self._terminal.say("severity by colour: ", *severities[1:], "; ", Styled("resolved", "green"))

    def turn(self, time: datetime, text: str) -> None:
        """Something that we did to the data, among the events that may follow from it."""
        self._terminal.say(Styled(f"{time:%Y-%m-%d %H:%M}  INJECTED  {text}", "magenta"))

    def event(self, event: DriftEvent, episode: DrawnEpisode) -> None:
        """An episode that opens or resolves; what happens in between is in ``events.jsonl``."""
        if event.status == "opened":
            self._terminal.say(Styled(event_line(event), COLOURS[event.severity]), Styled(f"  {reason(episode)}", "cyan"))
        elif event.status == "resolved":
            self._terminal.say(Styled(event_line(event), "green"))

    def cause(self, event: RootCauseEvent) -> None:
        """A root cause that is confirmed, or over."""
        self._terminal.say(Styled(cause_line(event), "green" if event.status == "resolved" else "bold"))

    @contextmanager
    def live(self) -> Iterator[Callable[[Pace], None]]:
        """While it runs, the pace stands below the lines, where there is a terminal."""
        with self._terminal.pace() as show:
            yield lambda pace: show(str(pace))

    def table(self, episodes: Sequence[DrawnEpisode]) -> None:
        """All episodes of a run."""
        table = Table("opened", "lasted", "severity", "what changed", "known of that time", wide=("what changed", "known of that time"))
        several = len({episode.last.severity for episode in episodes}) > 1  # else a colour would say nothing
        for episode in episodes:
            table.row(
                f"{episode.opened:%b %d %H:%M}",
                lasted(episode.resolved - moment(episode.first.onset)) if episode.resolved else "open",
                Styled(episode.last.severity, COLOURS[episode.last.severity] if several else ""),
                changes(episode.last.signals, further=len(episode.last.further) + episode.last.more_signals),
                reason(episode),
            )
        self._terminal.table(table)

    def causes(self, incidents: Sequence[ToldIncident]) -> None:
        """All root causes that were confirmed, and those that are suspected at the end."""
        table = Table("since", "until", "cause", "what", "retraining", "in truth", wide=("what", "in truth"))
        for one in incidents:
            known = judged(one)
            table.row(
                f"{_day(one.last.onset.window[0])}",
                "suspected" if one.last.status == "suspected" else "open" if one.is_open else _day(one.last.run),
                one.last.cause.replace("_", " "),
                what(one.revisions[-1] if one.is_open else one.revisions[-2]),
                "/".join(dict.fromkeys(revision.retrain_gate.decision for revision in one.revisions if revision.status == "confirmed"))
                or one.last.retrain_gate.decision,
                "" if known is None else f"{known.verdict}: {known.text}",
            )
        self._terminal.table(table)


def _day(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1000, UTC):%b %d}"
