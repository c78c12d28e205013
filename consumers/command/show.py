"""``driftbus show``: one episode."""

import click

from ...schemas.configuration import Configuration
from ..console.causes import behind, incidents, why
from ..console.description import described
from ..console.episodes import episode_of
from ..replay.terminal import say
from .configured import configured
from .opened import opened


@click.command()
@click.argument("episode")
@click.option("--json", "as_json", is_flag=True, help="Its events, whole, a line of JSON each.")
@configured
def show(configuration: Configuration, episode: str, as_json: bool) -> None:
    """Show what EPISODE is about: what changed, both histograms, the offsets it was counted from, how to accept or mute it.

    EPISODE is the id in its events, or the beginning of it.
    """
    with opened(configuration) as bus:
        found = episode_of(bus, configuration, episode)
        known = [] if as_json else behind(incidents(bus, configuration), found.id)
    for line in (event.model_dump_json() for event in found.events) if as_json else described(found):
        say(line)
    for line in why(known):
        say(line)
