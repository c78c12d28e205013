"""``driftbus watch``: the drift topic, live."""

import time
from collections import deque
from contextlib import suppress

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ..bus.tail import DriftTopic, Event
from ..replay.event_line import changes, effect, event_line, names
from .configured import configured
from .opened import opened

#: Between two looks at the topic.
_PAUSE_S = 0.5
_COLOURS = {"minor": "dim", "moderate": "yellow", "major": "bold red"}


@click.command()
@click.option("--from-start", is_flag=True, help="Begin with the first event on the topic, not with the next.")
@click.option("--until-end", is_flag=True, help="Stop at the end of what is there now.")
@click.option("--json", "as_json", is_flag=True, help="Whole events, a line of JSON each.")
@configured
def watch(configuration: Configuration, from_start: bool, until_end: bool, as_json: bool) -> None:
    """Show drift events as they come: the open episodes and the latest events, or plain lines where there is no terminal."""
    console = Console()
    line = _json if as_json else event_line
    with opened(configuration) as bus, suppress(KeyboardInterrupt):
        topic = DriftTopic(bus, configuration.topics.drift, from_start=from_start)
        if until_end or as_json or not console.is_terminal:
            for event in topic.new():
                click.echo(line(event))
            while not until_end:
                time.sleep(_PAUSE_S)
                for event in topic.new():
                    click.echo(line(event))
            return
        view = View()
        with Live(view.shown(), console=console, auto_refresh=False) as live:
            while True:
                view.add(topic.new())
                live.update(view.shown(), refresh=True)
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

    def shown(self) -> Group:
        """What the terminal shows."""
        table = Table("since", "model", "severity", "signals", "change", "effect", title=f"open episodes: {len(self._open)}", expand=True)
        for event in self._open.values():
            signals = [signal for signal in event.signals if signal.open]
            sizes = effect(signals[0].effect) if signals else ""
            severity = Text(event.severity, style=_COLOURS[event.severity])
            table.add_row(event.onset, f"{event.model}/{event.version}", severity, names(signals), changes(signals), sizes)
        return Group(table, *(Text(event_line(event), overflow="ellipsis", no_wrap=True) for event in self._last))
