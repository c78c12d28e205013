"""``driftbus reference accept``: what an episode is about becomes normal."""

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration, TopicSlice
from ...schemas.messages.announcement import Announcement
from ..console.episodes import episode_of
from ..decode.personal import rules_of
from ..detector.silence import DETECTOR as SILENCE
from ..reference.announce import Announcements, announce
from ..reference.artifacts import ArtifactStore
from ..reference.building.accepted import accepted
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
        if configuration.model(model).season is not None:
            msg = f"models.{model}.season: a few days do not fill its hours; build the reference anew: driftbus reference build {model}"
            raise click.ClickException(msg)
        name = configuration.stream_of(model)
        stream = configuration.streams[name]
        if stream.pane.unit == "rows":
            msg = f"{model} has panes of {stream.pane}, which know no times; build the reference anew: driftbus reference build {model}"
            raise click.ClickException(msg)
        if len(stream.topics) > 1:
            msg = f"streams.{name}.topics: {len(stream.topics)} topics; build the reference anew from a file of their rows"
            raise click.ClickException(msg)
        start = beginning(model, stream, from_start=None, since=since)
        if found.unlisted:
            msg = f"{episode}: {found.unlisted:,} of its signals are not listed; build a reference: driftbus reference build {model}"
            raise click.ClickException(msg)
        signals = found.drifted
        rows = TopicSlice(topic=stream.topics[0], start=first or found.first.bucket[0], end=until)
        changed = configuration.model(model).model_copy(
            update={"reference": rows, **({} if any(one.of == "ood" for one in signals) else {"ood": None})}
        )
        recent = configuration.model_copy(update={"models": {**configuration.models, model: changed}})
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
        if why := rules_of(configuration, model).amiss(store.reference(holding.reference).fields):
            remedy = f"build it anew: driftbus reference build {model}"
            msg = f"{model}/{version}: its reference was built by other rules for personal data: {why}; {remedy}"
            raise click.ClickException(msg)
        profile = accepted(store.reference(holding.reference), reference_of(recent, model, version, bus, store), signals)
        reference = store.put(profile.encoded())
        announce(bus, configuration, Announcement(model=model, version=version, reference=reference, since=start, rows=profile.rows))
    names = ", ".join(sorted({signal.name for signal in signals}))
    say(f"{model}/{version}: {names} accepted; {reference} holds for record times from {iso(start)} on")
