"""``driftbus coincident``: what was done, to whatever, that may be why something drifts since then."""

import time
from typing import get_args

import click

from ...schemas.configuration import Configuration, Stream
from ...schemas.messages.coincidence import Coincidence, CoincidenceType
from ..reference.coincidences import tell
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .since import time_in


@click.command()
@click.argument("type_", metavar="[release|feature_version|schema]", type=click.Choice(get_args(CoincidenceType)))
@click.argument("ref")
@click.option("--source", metavar="NAME", help="Where the values come from that it touches, as sources: calls it.  [default: any]")
@click.option("--features", metavar="NAME,...", help="The features that it touches.  [default: all of the source]")
@click.option("--model", metavar="NAME", help="The model that it concerns.  [default: every one that the configuration lists]")
@click.option("--at", metavar="TIME", help="When it was done: ISO 8601, record time.  [default: now]")
@configured
def coincident(
    configuration: Configuration,
    type_: CoincidenceType,
    ref: str,
    source: str | None,
    features: str | None,
    model: str | None,
    at: str | None,
) -> None:
    """Say what was done: something was released, features are computed in another way, messages have another form.

    REF is what people find it by. Root causes name it where they begin at the same time.
    """
    if model is None and not configuration.models:
        msg = "--model NAME: the configuration lists no models, so say which one it concerns"
        raise click.UsageError(msg)
    names = [name.strip() for name in (features or "").split(",") if name.strip()]
    fields = {"type": type_, "ref": ref, "source": source, "features": names, "model": model, "time": _time(configuration, model, at)}
    try:
        fact = Coincidence.of(fields)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with opened(configuration) as bus:
        tell(bus, configuration, fact)
    say(f"{ref}: {type_.replace('_', ' ')}" + (f" of {source}" if source else ""))


def _time(configuration: Configuration, model: str | None, at: str | None) -> int:
    """All streams concerned have clocks of one kind, or a time that is said is a time in all of them."""
    names = {configuration.stream_of(one) for one in ([model] if model is not None else configuration.models)}
    concerned: list[Stream] = [configuration.streams[name] for name in sorted(names)]
    if at is not None:
        return time_in(concerned[0], "--at", at)
    if any(stream.clock == "record" for stream in concerned):
        msg = "a stream that it concerns has clock: record, so no wall clock says when this is: add --at TIME"
        raise click.UsageError(msg)
    return time.time_ns() // 1_000_000
