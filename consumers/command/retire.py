"""``driftbus retire``: a model, or a version of it, is no longer monitored."""

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.announcement import Announcement
from ..reference.announce import Announcements, announce
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .since import beginning

#: A time that no announced reference lies behind.
_IN_THE_END = 2**62


@click.command()
@click.argument("model")
@click.argument("version", required=False)
@click.option("--since", metavar="TIME", help="From here on: ISO 8601, record time.  [default: a minute and two panes from now]")
@configured
def retire(configuration: Configuration, model: str, version: str | None, since: str | None) -> None:
    """Stop monitoring MODEL, or one VERSION of it: it has been taken out of service.

    It is announced for a bucket to come; there its open episodes resolve as retired, and its silence is none. To take it back:
    `driftbus reference build`.
    """
    stream = configuration.streams[configuration.stream_of(model)]
    start = beginning(model, stream, from_start=None, since=since)
    with opened(configuration) as bus:
        announced = Announcements(bus, configuration)
        announced.refresh()
        known = {one.version for one in announced.all() if one.model == model}
        if version is not None and version not in known:
            msg = f"{model}/{version}: no reference was ever announced for it; versions known: {', '.join(sorted(known)) or 'none'}"
            raise click.ClickException(msg)
        if not known:
            msg = f"{model}: no reference was ever announced for it, so it is not monitored"
            raise click.ClickException(msg)
        for name in sorted(known) if version is None else [version]:
            holding = announced.holding(model, name, start + 1)
            later = announced.holding(model, name, _IN_THE_END)
            if holding is None or holding.reference is None:
                say(f"{model}/{name}: is retired already, or not yet monitored by then")
                continue
            announce(bus, configuration, Announcement(model=model, version=name, reference=None, since=start))

            say(f"{model}/{name}: retired for record times from {stream.pane.place(start)} on")
            if later is not None and later.since > start and later.reference:
                say(f"{model}/{name}: a reference is announced for {stream.pane.place(later.since)}: from then on it is monitored again")
