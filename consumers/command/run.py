"""``driftbus run``: the consumers."""

import click

from ...schemas.configuration import Configuration
from ..pipeline.runner import run as run_roles
from ..pipeline.topology import ROLES
from .configured import configured
from .opened import opened


@click.command()
@click.argument("roles", metavar="[ROLE]...", nargs=-1, type=click.Choice(ROLES))
@click.option("--until-end", is_flag=True, help="Stop at the end that the topics had at the start.")
@configured
def run(configuration: Configuration, roles: tuple[str, ...], until_end: bool) -> None:
    """Run the consumers until they are told to stop: the ROLES named (profiler, detector), or all of them in one process."""
    with opened(configuration) as bus:
        inputs = ", ".join(topic for stream in configuration.streams.values() for topic in stream.topics)
        click.echo(
            f"{configuration.application}: {' and '.join(roles or ROLES)} of {inputs}; events: {configuration.topics.drift}; end: Ctrl-C"
        )
        totals = run_roles(bus, configuration, roles or ROLES, until_end=until_end).totals
    click.echo(
        f"{totals['rows']:,} rows, {totals['late']:,} of them late, {totals['dead_letters']:,} dead letters, {totals['panes']:,} panes; "
        f"{totals['buckets']:,} buckets, {totals['events']:,} events"
    )
