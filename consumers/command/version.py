"""``driftbus models show``, and what people say of a version: that it is to serve, that it never is, that its parent is to serve again."""

import json
import time
from collections.abc import Sequence
from typing import Literal

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.action_version import ActionVersion
from ...schemas.messages.anybodys import of_fields
from ..console.screen import Table, Terminal
from ..console.versions import VersionRecord, versions
from ..reference import ledger
from ..replay.event_line import short_id
from ..replay.terminal import say
from .configured import configured
from .opened import opened

Word = Literal["promote", "refuse", "roll_back"]


@click.command()
@click.argument("model")
@click.argument("version")
@click.option("--by", metavar="NAME", required=True, help="Who says it.")
@click.option("--note", metavar="TEXT", help="Why, for whoever reads it later.")
@configured
def refuse(configuration: Configuration, model: str, version: str, by: str, note: str | None) -> None:
    """VERSION is never to serve: it is neither tested nor watched any more."""
    ask(configuration, "refuse", model, version, by, note)


def ask(configuration: Configuration, word: Word, model: str, version: str, by: str | None, note: str | None) -> None:
    """Write a person's word on the ledger: the decider says what follows from it."""
    settings = configuration.models.get(model)
    if settings is None or settings.promotion is None:
        msg = f"models.{model}.promotion is not set, so nobody decides of its versions; write it, or say what was done elsewhere"
        raise click.UsageError(msg)
    if by is None:
        msg = f"who says so? add --by NAME; of what was done elsewhere say --at TIME or --job ID (models.{model}.promotion)"
        raise click.UsageError(msg)
    live = configuration.streams[configuration.stream_of(model)].clock == "live"
    fields: dict[str, object] = {"kind": word, "model": model, "version": version, "by": by, "note": note}
    try:
        fact = of_fields(ActionVersion, fields | {"time": time.time_ns() // 1_000_000 if live else None})
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with opened(configuration) as bus:
        ledger.tell(bus, configuration, fact)
    say(f"{model}/{version}: {word.replace('_', ' ')}, asked for by {by}; what comes of it: driftbus models show {model} {version}")


@click.command()
@click.argument("model")
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a version; times in ms.")
@configured
def show(configuration: Configuration, model: str, version: str | None, as_json: bool) -> None:
    """Show the versions of MODEL, or one: who made it, from what data, which parent, how well it did, and what was decided of it."""
    with opened(configuration) as bus:
        found = versions(bus, configuration, model)
    chosen = [one for one in found if version in (None, one.version)]
    if not chosen:
        msg = f"nothing was said of {model if version is None else f'{model}/{version}'}; known: {_listed(found)}"
        raise click.ClickException(msg)
    for one in chosen:
        say(json.dumps(one.plain(), ensure_ascii=False)) if as_json else _show(configuration, one)


def _listed(found: Sequence[VersionRecord]) -> str:
    return ", ".join(one.version for one in found) or "no version of it"


def _show(configuration: Configuration, one: VersionRecord) -> None:
    place = configuration.streams[configuration.stream_of(one.model)].pane.place
    say(f"{one.model}/{one.version}{': serves' if one.serves else ''}")
    if (made := one.made) is not None:
        artifact = None if made.artifact is None else f"{made.artifact.name}, sha256 {made.artifact.sha256}"
        metrics = None if made.metrics is None else ", ".join(f"{name} {value:.4g}" for name, value in made.metrics.items())
        facts = {
            "made by": ", ".join(filter(None, (made.by, None if made.job is None else f"job {short_id(made.job)}"))) or None,
            "parent": made.parent,
            "data": made.data,
            "reference": made.reference,
            "artifact": artifact,
            "metrics": metrics,
        }
        for name, fact in facts.items():
            if fact is not None:
                say(f"  {name:<10} {fact}")
    if one.outputs is not None:
        say(f"  {'outputs':<10} {one.outputs}")
    table = Table("at", "what", "by", "why", wide=("why",))
    for at, what, by, why in one.story:
        table.row(place(at), what.replace("_", " "), by or "-", why or "-")
    Terminal().table(table)
