"""``driftbus reference``: what a model is compared with."""

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.announcement import FROM_START, Announcement
from ...schemas.stored.reference import Reference
from ..bus.interface import Bus
from ..reference.announce import announce
from ..reference.artifacts import ArtifactStore
from ..reference.building.source import reference_of
from ..replay.terminal import say
from ..streams.records import told_ends
from .accept import accept
from .answered import outputs
from .checks.agreement import disagreement
from .checks.ood import described as described_familiarity
from .checks.samples import last_records, rows_of
from .configured import configured
from .facts import described
from .opened import opened
from .since import beginning

#: Messages that a new reference is compared with.
_SAMPLE = 2_000


@click.group()
def reference() -> None:
    """Build the reference that a model is compared with, add what a version answers, or accept a change as the new normal."""


for _verb in (accept, outputs):
    reference.add_command(_verb)


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
    start = beginning(model, stream, from_start=from_start, since=since)
    with opened(configuration) as bus:
        store = ArtifactStore(configuration.artifacts)
        profile = reference_of(configuration, model, version, bus, None if dry_run else store)
        _show(profile)
        _compare(bus, configuration, profile)
        if dry_run:
            return
        name = store.put(profile.encoded())
        announce(bus, configuration, Announcement(model=model, version=version, reference=name, since=start, rows=profile.rows))
    holds = "everything in the topics" if start == FROM_START else f"record times from {stream.pane.place(start)} on"
    say(f"{model}/{version}: {name} holds for {holds}")


def _compare(bus: Bus, configuration: Configuration, profile: Reference) -> None:
    """Say before anything is announced what the last messages of the model would be told for."""
    name = configuration.stream_of(profile.model)
    stream = configuration.streams[name]
    if not bus.describe(stream.topics):
        return
    sample = last_records(bus, stream, _SAMPLE, told_ends(configuration, stream))
    rows = rows_of(stream, sample, profile.model, profile.version)
    for level, text in disagreement(configuration, name, sample, profile, rows):
        say(text if level == "more" else f"warning: {text}", err=True)


def _show(profile: Reference) -> None:
    """The fields with their types and a few facts, what is ignored, and the warnings."""
    say(f"{profile.model}/{profile.version}: {profile.rows:,} rows, {len(profile.fields)} fields")
    for line in described(profile):
        say(line)
    for one in profile.familiarity:
        say(f"  {described_familiarity(one)}")
    for warning in profile.warnings:
        say(f"warning: {warning}", err=True)
