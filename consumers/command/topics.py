"""``driftbus topics``: driftbus's own topics."""

import click

from ...schemas.configuration import Configuration
from ..pipeline.own_topics import check_topics, create_topics, own_topics, topics_of_old
from ..replay.terminal import say
from .configured import configured
from .opened import opened


@click.group()
def topics() -> None:
    """Create or list driftbus's own topics."""


@topics.command()
@configured
def create(configuration: Configuration) -> None:
    """Create those of driftbus's own topics that are missing; nothing that exists is changed."""
    with opened(configuration) as bus:
        for name in create_topics(bus, configuration):
            say(f"created {name}")
        if told := topics_of_old(bus, configuration):
            say(told, err=True)


@topics.command(name="list")
@configured
def list_(configuration: Configuration) -> None:
    """List driftbus's own topics: partitions, settings, and what is wrong with them."""
    with opened(configuration) as bus:
        described = bus.describe([topic.name for topic in own_topics(configuration)])
        for topic in own_topics(configuration):
            if found := described.get(topic.name):
                settings = " ".join(f"{key}={found.settings.get(key, '?')}" for key in topic.settings)
                say(f"{topic.name:<28} {found.partitions:>4} partitions  {settings}")
        problems = check_topics(bus, configuration)
        told = topics_of_old(bus, configuration)
    for problem in [*problems, *([told] if told else [])]:
        say(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)
