"""``driftbus reference outputs``: what a version answers becomes part of its reference, once it has answered enough."""

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.announcement import FROM_START, Announcement
from ..reference.announce import Announcements, announce
from ..reference.artifacts import ArtifactStore
from ..reference.building.answered import answered
from ..reference.building.live_rows import stream_of_times, usable
from ..reference.outputs import FEWEST, outputs_in
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .since import beginning


@click.command()
@click.argument("model")
@click.argument("version")
@click.option("--from", "first", metavar="TIME", help="The first of its rows.  [default: from where its reference holds]")
@click.option("--until", metavar="TIME", help="Behind the last of them.  [default: the newest row there is]")
@click.option("--since", metavar="TIME", help="It holds from here on: ISO 8601, record time.  [default: a minute and two panes from now]")
@configured
def outputs(configuration: Configuration, model: str, version: str, first: str | None, until: str | None, since: str | None) -> None:
    """Profile what VERSION of MODEL has answered, and watch it: of a new version whose job left no answers to rows that were held out.

    Its rows are those on the stream, in the shadow or not, 5,000 or more. What is known of its features stays as it is.
    """
    with opened(configuration) as bus:
        stream = stream_of_times(configuration, model)
        start = beginning(model, stream, from_start=None, since=since)
        announced = Announcements(bus, configuration)
        announced.refresh()
        holding = announced.holding(model, version, start + 1)
        if holding is None or holding.reference is None:
            msg = f"{model}/{version} has no reference from {iso(start)} on: driftbus models register, or driftbus reference build {model}"
            raise click.ClickException(msg)
        if first is None and holding.since == FROM_START:
            msg = f"the reference of {model}/{version} holds for everything in the topic: say from when on with --from TIME"
            raise click.UsageError(msg)
        store = ArtifactStore(configuration.artifacts)
        before = usable(configuration, store, model, version, holding.reference)
        if known := outputs_in(before):
            msg = f"{model}/{version}: {', '.join(known)}: watched already; what is normal now: driftbus reference accept EPISODE"
            raise click.ClickException(msg)
        found = answered(configuration, before, bus, store, first or iso(holding.since), until)
        if found.rows < FEWEST or not found.outputs:
            what = f"{found.rows:,} rows" if found.outputs else "no answers in its rows"
            msg = f"{model}/{version}: {what} since {first or iso(holding.since)}; {FEWEST:,} are needed to know what it usually answers"
            raise click.ClickException(msg)
        reference = store.put(found.reference.encoded())
        announce(
            bus, configuration, Announcement(model=model, version=version, reference=reference, since=start, rows=found.reference.rows)
        )
    say(f"{model}/{version}: {', '.join(found.outputs)} of {found.rows:,} rows; {reference} holds for record times from {iso(start)} on")
