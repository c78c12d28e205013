"""``driftbus watch``: the topics of drift and of root causes, live."""

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.root_cause import RootCauseEvent
from ..console.causes import OPEN
from ..console.screen import Table, Terminal
from ..replay.event_line import COLOURS, changes, place, short_id
from ..replay.terminal import Styled, say
from .configured import configured
from .opened import opened
from .told import Said, Topics, line

_Kept = TypeVar("_Kept", DriftEvent, RootCauseEvent)
#: Between two looks at the topic.
_PAUSE_S = 0.5


@click.command()
@click.option("--from-start", is_flag=True, help="Begin with the first event on the topic, not with the next.")
@click.option("--until-end", is_flag=True, help="Stop at the end of what is there now.")
@click.option("--json", "as_json", is_flag=True, help="Whole events, a line of JSON each.")
@configured
def watch(configuration: Configuration, from_start: bool, until_end: bool, as_json: bool) -> None:
    """Show drift events and root causes as they come: open episodes and the latest events, or plain lines where there is no terminal."""
    terminal = Terminal()
    show_one = _json if as_json else line
    with opened(configuration) as bus, suppress(KeyboardInterrupt):
        topics = Topics(bus, configuration, from_start=from_start)
        if until_end or as_json or not terminal.is_one:
            for event in topics.new():
                say(show_one(event))
            while not until_end:
                time.sleep(_PAUSE_S)
                for event in topics.new():
                    say(show_one(event))
            return
        view = View()
        with terminal.live(*view.shown()) as show:
            while True:
                view.add(topics.new())
                show(*view.shown())
                time.sleep(_PAUSE_S)


def _json(event: Said) -> str:
    return event.model_dump_json()


class View:
    """The open episodes with their causes, and the last events."""

    def __init__(self) -> None:
        self._open: dict[str, DriftEvent] = {}
        self._causes: dict[str, RootCauseEvent] = {}  # by incident, while it is open
        self._last: deque[Said] = deque(maxlen=10)

    def add(self, events: Sequence[Said]) -> None:
        """Take in what came."""
        self._last.extend(events)
        for event in events:
            if isinstance(event, RootCauseEvent):
                self._keep(self._causes, event.incident, event, event.status in OPEN)
            elif isinstance(event, DriftEvent):
                self._keep(self._open, event.episode, event, event.status != "resolved")

    @staticmethod
    def _keep(kept: dict[str, _Kept], name: str, event: _Kept, is_open: bool) -> None:
        if is_open:
            kept[name] = event
        else:
            kept.pop(name, None)

    def _cause(self, episode: str) -> str:
        found = [one for one in self._causes.values() if episode in one.episodes]
        best = min(found, key=lambda one: (one.status == "suspected", -one.run, one.incident), default=None)
        return "" if best is None else f"; cause: {best.cause.replace('_', ' ')} ({best.status}) {short_id(best.incident)}"

    def shown(self) -> tuple[Table, list[str]]:
        """What the terminal shows: 80 columns are enough."""
        table = Table(
            "id", "since", "model", "severity", "what changed", title=f"open episodes: {len(self._open)}", wide=("model", "what changed")
        )
        for event in self._open.values():
            signals = [signal for signal in event.signals if signal.open]
            severity = Styled(event.severity, COLOURS[event.severity])
            named = f"{event.model}/{event.version}"
            changed = changes(signals, further=event.further_open, sizes=True) + self._cause(event.episode)
            table.row(short_id(event.episode), place(event.onset), named, severity, changed)
        return table, [line(event) for event in self._last]
