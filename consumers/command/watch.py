"""``driftbus watch``: the drift topic, live."""

import time
from collections import deque
from contextlib import suppress

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ..bus.tail import DriftTopic, Event
from ..console.screen import Table, Terminal
from ..replay.event_line import COLOURS, changes, event_line, place, short_id
from ..replay.terminal import Styled, say
from .configured import configured
from .opened import opened

#: Between two looks at the topic.
_PAUSE_S = 0.5


@click.command()
@click.option("--from-start", is_flag=True, help="Begin with the first event on the topic, not with the next.")
@click.option("--until-end", is_flag=True, help="Stop at the end of what is there now.")
@click.option("--json", "as_json", is_flag=True, help="Whole events, a line of JSON each.")
@configured
def watch(configuration: Configuration, from_start: bool, until_end: bool, as_json: bool) -> None:
    """Show drift events as they come: the open episodes and the latest events, or plain lines where there is no terminal."""
    terminal = Terminal()
    line = _json if as_json else event_line
    with opened(configuration) as bus, suppress(KeyboardInterrupt):
        topic = DriftTopic(bus, configuration, from_start=from_start)
        if until_end or as_json or not terminal.is_one:
            for event in topic.new():
                say(line(event))
            while not until_end:
                time.sleep(_PAUSE_S)
                for event in topic.new():
                    say(line(event))
            return
        view = View()
        with terminal.live(*view.shown()) as show:
            while True:
                view.add(topic.new())
                show(*view.shown())
                time.sleep(_PAUSE_S)


def _json(event: Event) -> str:
    return event.model_dump_json()


class View:
    """The open episodes, and the last events."""

    def __init__(self) -> None:
        self._open: dict[str, DriftEvent] = {}
        self._last: deque[Event] = deque(maxlen=10)

    def add(self, events: list[Event]) -> None:
        """Take in what came."""
        self._last.extend(events)
        for event in events:
            if not isinstance(event, DriftEvent):
                continue
            if event.status == "resolved":
                self._open.pop(event.episode, None)
            else:
                self._open[event.episode] = event

    def shown(self) -> tuple[Table, list[str]]:
        """What the terminal shows: 80 columns are enough."""
        table = Table(
            "id", "since", "model", "severity", "what changed", title=f"open episodes: {len(self._open)}", wide=("model", "what changed")
        )
        for event in self._open.values():
            signals = [signal for signal in event.signals if signal.open]
            severity = Styled(event.severity, COLOURS[event.severity])
            named = f"{event.model}/{event.version}"
            table.row(
                short_id(event.episode), place(event.onset), named, severity, changes(signals, further=event.further_open, sizes=True)
            )
        return table, [event_line(event) for event in self._last]
