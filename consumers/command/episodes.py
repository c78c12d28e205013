"""``driftbus episodes``: which changes there were, and which are open."""

import json

import click

from ...schemas.configuration import Configuration
from ..console.episodes import ToldEpisode
from ..console.episodes import episodes as episodes_of
from ..console.screen import Table, Terminal
from ..replay.event_line import COLOURS, changes, length_of, place, short_id
from ..replay.terminal import Styled, say
from .configured import configured
from .opened import opened


@click.command()
@click.option("--open", "only_open", is_flag=True, help="Only those that are open now.")
@click.option("--json", "as_json", is_flag=True, help="The last event of each, whole, a line of JSON each.")
@configured
def episodes(configuration: Configuration, only_open: bool, as_json: bool) -> None:
    """List the episodes on the drift topic, in the order in which they opened: `driftbus show ID` tells all of one."""
    with opened(configuration) as bus:
        found = [one for one in episodes_of(bus, configuration) if one.is_open or not only_open]
    if as_json:
        for one in found:
            say(json.dumps(one.last.model_dump(mode="json"), ensure_ascii=False))
        return
    if not found:
        say("no episode is open" if only_open else f"no episode on {configuration.topics.drift}")
        return
    table = Table("id", "since", "until", "model", "severity", "what changed", wide=("model", "what changed"))
    for one in found:
        event = one.last
        severity = Styled(event.severity, COLOURS[event.severity])
        table.row(
            short_id(one.id),
            place(one.first.onset),
            _until(one),
            f"{event.model}/{event.version}",
            severity,
            changes(event.signals, further=len(event.further) + event.more_signals),
        )
    Terminal().table(table)


def _until(one: ToldEpisode) -> str:
    return "open" if one.is_open else f"{one.last.reason or 'recovered'} after {length_of(one.last)}"
