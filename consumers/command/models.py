"""``driftbus models``: which version of a model was registered, deployed, promoted or rolled back, and when."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.model_event import Kind, ModelEvent
from ..console.deployments import Deployment, deployments, read
from ..console.screen import Table, Terminal
from ..reference.model_events import tell
from ..replay.terminal import Styled, say
from .configured import configured
from .opened import opened
from .register import register
from .since import now_or
from .version import Word, ask, refuse, show


@click.group()
def models() -> None:
    """Say, or list, which version of a model was registered, deployed, promoted or rolled back.

    driftbus serves no model: it is told, so that it can tell what a deployment brought about. Any Kafka client may tell it as well.
    """


models.add_command(register)
models.add_command(refuse)
models.add_command(show)

#: Of the verbs by which a person may decide.
_ASKS = "Where models.MODEL.promotion is set, it is asked for, and done when nothing forbids it; with --at or --job it is said to be done."


def _verb(name: str, kind: Kind, does: str, word: Word | None = None) -> None:
    """A verb that says one kind of event; ``word``: with ``--by`` it asks for it instead, where `promotion` decides."""

    @models.command(name=name, help=does if word is None else f"{does} {_ASKS}")
    @click.argument("model")
    @click.argument("version")
    @click.option("--at", metavar="TIME", help="When it was so: ISO 8601, record time.  [default: now]")
    @click.option("--job", metavar="ID", help="The run of the pipeline that did it: said twice by one job, it counts once.")
    @click.option("--parent", metavar="VERSION", help="The version that it came from, and goes back to.")
    @click.option("--by", metavar="NAME", help="Who says it.")
    @configured
    def say_it(
        configuration: Configuration, model: str, version: str, at: str | None, job: str | None, parent: str | None, by: str | None
    ) -> None:
        promoted = model in configuration.models and configuration.models[model].promotion is not None
        if word is not None and promoted and (at, job) == (None, None):
            ask(configuration, word, model, version, by, None)
            return
        stream = configuration.streams[configuration.stream_of(model)]
        when = now_or(model, stream, at)
        try:
            fields = {"model": model, "version": version, "kind": kind, "time": when, "job": job, "parent": parent, "by": by}
            event = ModelEvent.of(fields)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        with opened(configuration) as bus:
            tell(bus, configuration, event)
        say(f"{model}/{version}: {kind.replace('_', ' ')} at {stream.pane.place(when)}")


_verb("deploy", "deployed", "VERSION serves from now on, beside the versions of MODEL that serve already.")
_verb("promote", "promoted", "VERSION serves from now on, and no other version of MODEL does.", word="promote")
_verb("rollback", "rolled_back", "VERSION serves no longer; the version that --parent names does again.", word="roll_back")
_verb("retire", "retired", "VERSION serves no longer. It is monitored until `driftbus retire`.")


@models.command(name="list")
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each; times in ms.")
@configured
def list_(configuration: Configuration, model: str | None, as_json: bool) -> None:
    """List which versions of MODEL, or of all models, serve and served when, and which did side by side."""
    with opened(configuration) as bus:
        known, unreadable = read(bus, configuration)
    found = [one for one in deployments(known) if model in (None, one.model)]
    if as_json:
        for one in found:
            say(json.dumps(asdict(one) | {"beside": _beside(one, found)}))
    elif found:
        _show(configuration, found)
    else:
        say(f"no version {f'of {model} ' if model else ''}is known: driftbus models deploy MODEL VERSION")
    for place, reason in unreadable.items():
        say(Styled("passed over ", "yellow"), f"{place}: {reason}", err=True)


def _show(configuration: Configuration, found: Sequence[Deployment]) -> None:
    table = Table("model", "since", "until", "how", "beside", "job", "parent", wide=("model", "beside", "job"))
    for one in found:
        place = configuration.streams[configuration.stream_of(one.model)].pane.place
        since = "-" if one.since is None else place(one.since)
        until = "serves" if one.serves else "-" if one.until is None else place(one.until)
        beside = ", ".join(_beside(one, found)) or "-"
        table.row(f"{one.model}/{one.version}", since, until, one.kind.replace("_", " "), beside, one.job or "-", one.parent or "-")
    Terminal().table(table)


def _beside(one: Deployment, found: Sequence[Deployment]) -> list[str]:
    return list(dict.fromkeys(other.version for other in found if one.beside(other)))
