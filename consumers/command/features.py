"""``driftbus features``: values of features as the training pipeline computed them, from a file into their log."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click

from ...schemas.configuration import Configuration
from ..bus.interface import Output
from ..console.agreement import compared_of, sentences, table
from ..console.screen import Terminal
from ..replay.featured import FeatureFile, feature_messages
from ..replay.terminal import say
from .configured import configured
from .opened import opened

#: Records written in one transaction.
_TOGETHER = 10_000


@click.group()
def features() -> None:
    """Compare what models are served with what their training pipeline computes."""


@features.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--log", metavar="NAME", help="The feature log.  [default: the one configured, where it is the only one]")
@configured
def load(configuration: Configuration, file: Path, log: str | None) -> None:
    """Write the rows of FILE (Parquet, CSV, JSON lines) to the topic of a feature log: a message a row, as the log's mapping reads it.

    A row counts if it comes within the log's wait of its prediction. Rows that were loaded before count once, however often they come.
    """
    name = _named(configuration, log)
    own = configuration.features[name]
    if own.where is not None:
        msg = f"features.{name}.where: rows of a file say nothing that it could be asked of; write them to {own.topics[0]} yourself"
        raise click.UsageError(msg)
    by_record = configuration.read_as(name).clock == "record"
    stated = by_record or own.columns.time is not None
    rows = 0
    with opened(configuration) as bus:
        messages = feature_messages(FeatureFile.of(configuration, name, file), own.mapping)
        records: Iterator[Output] = (
            Output(own.topics[0], None, one.key, one.value, one.headers, one.timestamp if stated else None) for one in messages
        )
        while together := list(islice(records, _TOGETHER)):
            bus.publish(together)
            rows += len(together)
    say(f"{rows:,} rows of {file} in {own.topics[0]}")


@features.command("show")
@configured
def show(configuration: Configuration) -> None:
    """How often served values differ from those of the feature log: of each feature, in all that the summaries hold."""
    if not configuration.features:
        msg = "features: there is no feature log in the configuration; see docs/feature-log.md"
        raise click.UsageError(msg)
    with opened(configuration) as bus:
        found = compared_of(bus, configuration)
    if not found:
        say("no prediction has met a row of a feature log yet; see driftbus check")
        return
    for line in sentences(found):
        say(line)
    Terminal().table(table(found))


def _named(configuration: Configuration, log: str | None) -> str:
    known = ", ".join(configuration.features) or "there are none"
    if log is None and len(configuration.features) != 1:
        msg = f"which feature log? add --log NAME (features: {known})"
        raise click.UsageError(msg)
    name = log or next(iter(configuration.features))
    if name not in configuration.features:
        msg = f"--log {name}: is not among features: {known}"
        raise click.UsageError(msg)
    return name
