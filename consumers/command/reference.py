"""``driftbus reference``: what a model is compared with."""

import time

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration, Stream
from ...schemas.reference import FROM_START, Announcement, CategoricalProfile, NumericProfile, ProfiledField, Reference
from ..buckets import buckets
from ..reference.announce import announce
from ..reference.artifacts import ArtifactStore
from ..reference.messages import epoch_ms
from ..reference.source import reference_of
from .configured import configured
from .opened import opened

#: Live, profilers see an announcement in about a second; so much later it takes effect, so that all of them know of it in time.
_NOTICE_MS = 60_000
#: Of those of a field, so many are shown.
_MOST_CATEGORIES = 4


@click.group()
def reference() -> None:
    """Build the reference that a model is compared with."""


@reference.command()
@click.argument("model")
@click.option("--version", default="-", show_default=True, help="The model's version, as in its messages; - where they have none.")
@click.option("--from-start", is_flag=True, help="It holds for everything in the topics: before a first run, or for old data.")
@click.option("--since", metavar="TIME", help="It holds from here on: ISO 8601, record time.  [default: a minute and two panes from now]")
@click.option("--dry-run", is_flag=True, help="Show the profile; store and announce nothing.")
@configured
def build(configuration: Configuration, model: str, version: str, from_start: bool, since: str | None, dry_run: bool) -> None:
    """Profile the data that models.MODEL.reference names, store the profile, and announce it."""
    stream = configuration.streams[configuration.stream_of(model)]
    start = _start(model, stream, from_start, since)
    with opened(configuration) as bus:
        profile = reference_of(configuration, model, version, bus)
        _show(profile)
        if dry_run:
            return
        name = ArtifactStore(configuration.artifacts).put(profile.encoded())
        announce(bus, configuration.topics, Announcement(model=model, version=version, reference=name, since=start, rows=profile.rows))
    holds = "everything in the topics" if start == FROM_START else f"record times from {iso(start)} on"
    click.echo(f"{model}/{version}: {name} holds for {holds}")


def _start(model: str, stream: Stream, from_start: bool, since: str | None) -> int:
    """The bucket boundary from which it holds."""
    tiles = buckets(stream.pane)
    if from_start and since:
        msg = "--from-start and --since: say one of them"
        raise click.UsageError(msg)
    if from_start:
        return FROM_START
    if since:
        try:
            return tiles.start(epoch_ms(since))
        except ValueError:
            msg = f"--since {since}: write an ISO 8601 time, for example 2026-03-01T10:00:00Z"
            raise click.UsageError(msg) from None
    if stream.clock == "record":
        msg = f"the stream of {model} has clock: record, so no wall clock says when this reference begins: add --from-start or --since TIME"
        raise click.UsageError(msg)
    soonest = time.time_ns() // 1_000_000 + _NOTICE_MS
    return tiles.end(tiles.end(tiles.end(soonest)))


def _show(profile: Reference) -> None:
    """The fields with their types and a few facts, what is ignored, and the warnings."""
    click.echo(f"{profile.model}/{profile.version}: {profile.rows:,} rows, {len(profile.fields)} fields")
    for field in profile.fields:
        share = field.availability.counts[0] / max(1, sum(field.availability.counts))
        click.echo(f"  {field.name:<28} {field.role:<10} {field.type:<12} {share:>6.1%} present  {_facts(field)}".rstrip())
    for name, reason in profile.ignored.items():
        click.echo(f"  {name:<28} ignored: {reason}")
    for warning in profile.warnings:
        click.echo(f"warning: {warning}", err=True)


def _facts(field: ProfiledField) -> str:
    if isinstance(field.values, NumericProfile):
        dependence = f", {field.values.tau[0]:.0f} rows count as one" if field.values.tau[0] > 1 else ""
        return (
            f"{field.values.minimum:.4g} to {field.values.maximum:.4g}, mean {field.values.mean:.4g}, sd {field.values.sd:.4g}{dependence}"
        )
    if isinstance(field.values, CategoricalProfile):
        more = ", ..." if field.values.distinct > _MOST_CATEGORIES else ""
        return f"{field.values.distinct} categories: {', '.join(field.values.categories[:_MOST_CATEGORIES])}{more}"
    return "only its availability is watched"
