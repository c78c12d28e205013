"""``driftbus reference outputs``: what a version answers becomes part of its reference, once it has answered enough."""

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.announcement import FROM_START, Announcement
from ..reference.announce import Announcements, announce
from ..reference.artifacts import ArtifactStore
from ..reference.building.job import OF_OUTPUTS, with_outputs
from ..reference.building.source import reference_of
from ..replay.terminal import say
from .configured import configured
from .live_rows import of_rows, stream_of_times, usable
from .opened import opened
from .since import beginning

#: Rows without which nobody knows what a version usually answers.
FEWEST = 5_000


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
        if known := [field.name for field in before.fields if field.role != "feature"]:
            msg = f"{model}/{version}: {', '.join(known)}: watched already; what is normal now: driftbus reference accept EPISODE"
            raise click.ClickException(msg)
        recent = of_rows(configuration, model, first or iso(holding.since), until, OF_OUTPUTS)
        answered = reference_of(recent, model, version, bus, store)
        told = [field for field in answered.fields if field.role != "feature"]
        if answered.rows < FEWEST or not told:
            what = f"{answered.rows:,} rows" if told else "no answers in its rows"
            msg = f"{model}/{version}: {what} since {first or iso(holding.since)}; {FEWEST:,} are needed to know what it usually answers"
            raise click.ClickException(msg)
        made = with_outputs(before, answered.model_copy(update={"fields": tuple(told), "warnings": ()}))
        reference = store.put(made.encoded())
        announce(bus, configuration, Announcement(model=model, version=version, reference=reference, since=start, rows=made.rows))
    names = ", ".join(field.name for field in told)
    say(f"{model}/{version}: {names} of {answered.rows:,} rows; {reference} holds for record times from {iso(start)} on")
