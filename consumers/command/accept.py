"""``driftbus reference accept``: what an episode is about becomes normal."""

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.announcement import Announcement
from ..console.episodes import episode_of
from ..detector.silence import DETECTOR as SILENCE
from ..reference.announce import Announcements, announce
from ..reference.artifacts import ArtifactStore
from ..reference.building.accepted import accepted
from ..reference.building.live_rows import of_rows, stream_of_times, usable
from ..reference.building.source import reference_of
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .since import beginning


@click.command()
@click.argument("episode")
@click.option("--from", "first", metavar="TIME", help="The new normal's first row.  [default: the start of the bucket that opened it]")
@click.option("--until", metavar="TIME", help="Behind its last row.  [default: the newest row there is]")
@click.option("--since", metavar="TIME", help="It holds from here on: ISO 8601, record time.  [default: a minute and two panes from now]")
@configured
def accept(configuration: Configuration, episode: str, first: str | None, until: str | None, since: str | None) -> None:
    """Make what EPISODE is about the new normal: its fields are profiled anew from the rows since it opened, all others stay.

    EPISODE is the id in its events, or the beginning of it. When the new reference takes effect the episode resolves as replaced.
    """
    with opened(configuration) as bus:
        found = episode_of(bus, configuration, episode)
        latest = found.last
        model, version = latest.model, latest.version
        if latest.detector == SILENCE:
            msg = f"{episode} is a silence: there are no rows to take for normal; say how long is one: models.{model}.silence"
            raise click.ClickException(msg)
        stream = stream_of_times(configuration, model)
        start = beginning(model, stream, from_start=None, since=since)
        if found.unlisted:
            msg = f"{episode}: {found.unlisted:,} of its signals are not listed; build a reference: driftbus reference build {model}"
            raise click.ClickException(msg)
        signals = found.drifted
        without = {} if any(one.of == "ood" for one in signals) else {"ood": None}
        recent = of_rows(configuration, model, first or found.first.bucket[0], until, without)
        store = ArtifactStore(configuration.artifacts)
        # What holds then: another episode of the same reference may have been accepted before.
        announced = Announcements(bus, configuration)
        announced.refresh()
        holding = announced.holding(model, version, start + 1)
        if holding is None or holding.reference is None:
            msg = (
                f"{model}/{version} has no reference from {iso(start)} on; build one: driftbus reference build {model} --version {version}"
            )
            raise click.ClickException(msg)
        before = usable(configuration, store, model, version, holding.reference)
        profile = accepted(before, reference_of(recent, model, version, bus, store), signals)
        reference = store.put(profile.encoded())
        announce(bus, configuration, Announcement(model=model, version=version, reference=reference, since=start, rows=profile.rows))
    names = ", ".join(sorted({signal.name for signal in signals}))
    say(f"{model}/{version}: {names} accepted; {reference} holds for record times from {iso(start)} on")
