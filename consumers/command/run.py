"""``driftbus run``: the consumers."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click

from ...schemas.configuration import Configuration
from ..bus.open import coinciding, instance_of
from ..console.logs import Format, logs_to_stderr
from ..console.observer import Observer
from ..pipeline.runner import run as run_roles
from ..pipeline.topology import ROLES, asked_for
from ..process.settings import ConfigurationError
from ..process.stopping import stopped_by_signals
from ..replay.terminal import say
from .configured import configured
from .opened import opened

_log = logging.getLogger(__name__)


@click.command()
@click.argument("roles", metavar="[ROLE]...", nargs=-1, type=click.Choice(ROLES))
@click.option("--until-end", is_flag=True, help="Stop at the end that the topics had at the start. Roles one by one: docs/operating.md.")
@click.option(
    "--log-format",
    type=click.Choice(["plain", "json"]),
    default="plain",
    show_default=True,
    help="Of what is written to stderr: a line a minute, and warnings. json: an object a line, the first and the last line too.",
)
@configured
def run(configuration: Configuration, roles: tuple[str, ...], until_end: bool, log_format: Format) -> None:
    """Run the consumers until they are told to stop: the ROLES named (profiler, joiner, ...), or all that are configured in one process."""
    if problem := coinciding(configuration):
        raise ConfigurationError(problem)
    for role in set(roles) - set(asked_for(configuration)):
        msg = f"{role}: nothing is configured for it to do (labels, models.NAME.golden); leave it out"
        raise ConfigurationError(msg)
    roles = roles or asked_for(configuration)
    logs_to_stderr(log_format)
    tell = _logged if log_format == "json" else say
    observer = Observer()
    totals: Mapping[str, int] | None = None
    with stopped_by_signals() as stopping, opened(configuration, patience_s=None) as bus, _metrics(configuration, observer):
        *others, last = roles
        named = f"{', '.join(others)} and {last}" if others else last
        read = f"{named} of {', '.join(configuration.inputs)}"
        tell(f"{configuration.application}: {read}; events: {configuration.topics.drift}; end: Ctrl-C")
        totals = run_roles(bus, configuration, roles, stopping=stopping, until_end=until_end, observer=observer).totals
    if totals is None:
        tell("0 rows; told to stop before it had begun")
        return
    skipped = f"{totals['skipped']:,} records that are no rows, " if totals["skipped"] else ""
    tell(
        f"{totals['rows']:,} rows, {totals['late']:,} of them late, {skipped}{totals['dead_letters']:,} dead letters, "
        f"{totals['panes']:,} panes; {totals['buckets']:,} buckets, {totals['events']:,} events"
    )


@contextmanager
def _metrics(configuration: Configuration, observer: Observer) -> Iterator[None]:
    """Served where they are configured; else nothing of them is even imported."""
    if configuration.metrics is None:
        yield
        return
    from ..console.metrics import Exposition, Told
    from ..console.serving import served

    exposition = Exposition(Told(observer, configuration.application, instance_of(configuration)))
    with served(configuration.metrics, exposition.text, observer):
        yield


def _logged(line: str) -> None:
    _log.info("%s", line)
