"""What is told on the topics of drift and of root causes, for the commands that show both."""

from ...schemas.configuration import Configuration
from ...schemas.messages.root_cause import RootCauseEvent
from ..bus.interface import Bus
from ..bus.tail import CauseTopic, DriftTopic, Event
from ..console.causes import cause_line
from ..replay.event_line import event_line

Said = Event | RootCauseEvent


class Topics:
    """Drift, and root causes where somebody looks for them."""

    def __init__(self, bus: Bus, configuration: Configuration, *, from_start: bool) -> None:
        self._drift = DriftTopic(bus, configuration, from_start=from_start)
        there = bool(bus.describe([configuration.topics.root_causes]))
        self._causes = CauseTopic(bus, configuration, from_start=from_start) if there else None

    def new(self) -> list[Said]:
        """What came since the last call; causes behind the events that they may explain."""
        return [*self._drift.new(), *([] if self._causes is None else self._causes.new())]


def line(event: Said) -> str:
    """One event, for people."""
    return cause_line(event) if isinstance(event, RootCauseEvent) else event_line(event)
