"""What the demo's consumers publish, told in the order of the flights' time."""

from datetime import UTC, datetime

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.root_cause import RootCauseEvent
from ..bus.interface import Bus
from ..bus.tail import CauseTopic, DriftTopic
from ..console.causes import told
from ..replay.picture import DrawnEpisode, moment
from .known import TURNS, YEAR
from .view import Screen


class Watched:
    """The topics of drift and of root causes, as any subscriber sees them.

    Drift is known before its cause: its events wait until root causes are told as far as that.
    """

    def __init__(self, bus: Bus, configuration: Configuration, told_from: datetime, screen: Screen) -> None:
        self._drift = DriftTopic(bus, configuration, from_start=True)
        there = bool(bus.describe([configuration.topics.root_causes]))
        self._causes = CauseTopic(bus, configuration, from_start=True) if there else None
        self._told_from, self._screen = told_from, screen
        self._turns = [(time, text) for time, text in TURNS if time >= told_from]
        self._waiting: list[tuple[datetime, DriftEvent | RootCauseEvent]] = []
        self._episodes: dict[str, DrawnEpisode] = {}
        self._confirmed: set[str] = set()
        self.events: list[DriftEvent] = []
        self.causes: list[RootCauseEvent] = []

    def look(self) -> None:
        """Show what is new."""
        for event in self._drift.new():
            if isinstance(event, DriftEvent):
                self.events.append(event)
                self._waiting.append((moment(event.bucket[1]), event))
            else:
                self._screen.say(event.text)
        causes = [] if self._causes is None else self._causes.new()
        self.causes += causes
        self._waiting += [(_time(cause), cause) for cause in causes]
        if self._causes is None or causes:
            self.tell(None if self._causes is None else _time(causes[-1]))

    def tell(self, through: datetime | None = None) -> None:
        """What waits, as far as that; None: all."""
        self._waiting.sort(key=lambda one: one[0])
        while self._waiting and (through is None or self._waiting[0][0] <= through):
            time, event = self._waiting.pop(0)
            self._pass(time)
            if isinstance(event, DriftEvent):
                episode = self._episodes.setdefault(event.episode, DrawnEpisode(event, event))
                episode.add(event)
                if time >= self._told_from:
                    self._screen.event(event, episode)
            elif self._is_news(event):
                self._screen.cause(event)

    def _is_news(self, cause: RootCauseEvent) -> bool:
        """That it is confirmed, and the end of what was: suspicions, and revisions, are in the file."""
        known = cause.incident in self._confirmed
        self._confirmed |= {cause.incident} if cause.status == "confirmed" else set()
        return (cause.status == "confirmed") != known

    def _pass(self, time: datetime) -> None:
        """Tell what we did to the data until then."""
        while self._turns and self._turns[0][0] <= time:
            self._screen.turn(*self._turns.pop(0))

    def table(self) -> None:
        """All episodes that opened since the beginning of what is told, and all root causes."""
        self._pass(YEAR[1])
        self._screen.table([episode for episode in self._episodes.values() if episode.opened >= self._told_from])
        if self.causes:
            self._screen.say()
            self._screen.causes([one for one in told(self.causes) if one.is_open or one.id in self._confirmed])


def _time(cause: RootCauseEvent) -> datetime:
    return datetime.fromtimestamp(cause.run / 1000, UTC)
