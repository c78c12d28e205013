"""``driftbus golden proposals``, ``accept``, ``reject``: after an incident a person says what a model is tested on."""

import json
from typing import NamedTuple

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.golden_proposal import GoldenProposal
from ...schemas.messages.root_cause import RootCauseEvent
from ...schemas.stored.golden import MOST_ROWS, Difference, GoldenRow, GoldenSet, difference, golden_set
from ..bus.interface import Bus
from ..console.causes import beginning_so, incidents
from ..console.screen import Table, Terminal
from ..golden.collecting import refreshed
from ..pipeline.runner import wall_ms
from ..reference.golden_proposals import proposals, withdrawn, written
from ..reference.golden_records import ask, request_of
from ..reference.golden_sets import announced, announcement, read_set, store_of
from ..replay.event_line import place, short_id
from ..replay.terminal import say
from .configured import configured
from .fields import field_of
from .opened import opened

#: Digits of hashes that people are shown, and may name a set by.
_SHORT = 12
#: Who proposes, or accepts.
NAME = field_of(GoldenProposal, "by")


class Advice(NamedTuple):
    """What an incident's cause asks for."""

    event: RootCauseEvent  #: the revision in which it was confirmed last

    @property
    def of(self) -> str:
        """`refresh_after`, `rebuild` or `extend`."""
        return self.event.mitigation.golden_set

    def made(self, before: GoldenSet, rows: list[GoldenRow], most: int | None) -> GoldenSet:
        """The set that it asks for: of the new rows alone, with them in addition, or with them in the place of old ones."""
        if self.of == "rebuild":
            return golden_set(before.model, before.loss, rows[: most or MOST_ROWS], before.classes)
        room = len(before.rows) + (len(rows) if self.of == "extend" else 0)
        return refreshed(before, rows, most or min(room, MOST_ROWS))


def advised(bus: Bus, configuration: Configuration, model: str, incident: str) -> Advice:
    """What a confirmed incident of a model asks for. Raises `ClickException` where it asks for nothing."""
    found = beginning_so(incidents(bus, configuration), incident)
    if found is None:
        msg = f"{incident}: there is no such incident on {configuration.topics.root_causes}"
        raise click.ClickException(msg)
    confirmed = next((one for one in reversed(found.revisions) if one.status == "confirmed"), None)
    if confirmed is None or not found.known:
        msg = f"{short_id(found.id)} is {found.last.status}: only a confirmed cause changes what a model is tested on"
        raise click.ClickException(msg)
    if confirmed.model != model:
        msg = f"{short_id(found.id)} is of model {confirmed.model}, not of {model}"
        raise click.UsageError(msg)
    if confirmed.mitigation.golden_set == "keep":
        msg = f"{short_id(found.id)}: {confirmed.cause.replace('_', ' ')}: the golden set stays as it is"
        raise click.ClickException(msg)
    return Advice(confirmed)


def propose(bus: Bus, configuration: Configuration, advice: Advice, before: GoldenSet, made: GoldenSet, by: str | None) -> None:
    """Write it down; it waits for a person."""
    changed: Difference = difference(before, made)
    if made.hash == before.hash:
        msg = f"{made.hash}: it would be the set that is in use; give other labelled rows"
        raise click.ClickException(msg)
    event = advice.event
    one = GoldenProposal(
        model=made.model,
        golden=made.hash,
        parent=before.hash,
        incident=event.incident,
        revision=event.revision,
        cause=event.cause,
        advice=advice.of,
        because=event.text[:500],
        rows=len(made.rows),
        added=len(changed.added),
        removed=len(changed.removed),
        changed=len(changed.changed),
        proposed=wall_ms(),
        by=by,
    )
    bus.publish([written(configuration, one)])
    say(f"proposed: {made.hash}, {advice.of.replace('_', ' ')} for {short_id(event.incident)}; it waits for a person:")
    say(f"  driftbus golden accept {_short(made.hash)} --by NAME; driftbus golden reject {_short(made.hash)}")


@click.command(name="proposals")
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each; times in ms.")
@configured
def list_(configuration: Configuration, model: str | None, as_json: bool) -> None:
    """List the golden sets that wait for a person, of MODEL or of all models."""
    with opened(configuration) as bus:
        found = [one for one in proposals(bus, configuration) if model in (None, one.model)]
    if as_json:
        for one in found:
            say(json.dumps(one.model_dump(mode="json"), ensure_ascii=False))
    elif not found:
        say("no golden set waits for a person")
    else:
        table = Table("set", "model", "for", "advice", "rows", "added", "removed", "since", "by", wide=("for",))
        for one in found:
            why = f"{one.cause.replace('_', ' ')} {short_id(one.incident)}"
            numbers = (f"{one.rows:,}", f"{one.added:,}", f"{one.removed:,}")
            since = place(iso(one.proposed))
            table.row(_short(one.golden), one.model, why, one.advice.replace("_", " "), *numbers, since, one.by or "-")
        Terminal().table(table)


@click.command()
@click.argument("named", metavar="SET")
@click.option("--by", callback=NAME, metavar="NAME", required=True, help="Who says it.")
@click.option("--version", default="-", show_default=True, help="The model's version that the old set and the new one are run on.")
@configured
def accept(configuration: Configuration, named: str, by: str, version: str) -> None:
    """Let SET, a proposal, be what its model is tested on from now on. Both sets are run once, so that the series connects."""
    with opened(configuration) as bus:
        one, store = _named(bus, configuration, named), store_of(configuration)
        before, made = read_set(store, one.parent), read_set(store, one.golden)
        now = wall_ms()
        told = announcement(made, now, one.parent, difference(before, made)).model_copy(update={"by": by})
        bus.publish([announced(configuration, told), withdrawn(configuration, one)])
        names = (one.parent, one.golden)
        ask(bus, configuration, [request_of(configuration, one.model, version, name, "set", one.golden, now) for name in names])
    say(f"{one.model}: {one.golden} is in use, in place of {one.parent}; accepted by {by}")


@click.command()
@click.argument("named", metavar="SET")
@configured
def reject(configuration: Configuration, named: str) -> None:
    """Take SET, a proposal, off the list: nothing changes."""
    with opened(configuration) as bus:
        one = _named(bus, configuration, named)
        bus.publish([withdrawn(configuration, one)])
    say(f"{one.model}: {one.golden} is not proposed any more")


def _named(bus: Bus, configuration: Configuration, beginning: str) -> GoldenProposal:
    waiting = proposals(bus, configuration)
    found = [one for one in waiting if one.golden.removeprefix("sha256:").startswith(beginning.removeprefix("sha256:"))]
    if len(found) != 1:
        known = ", ".join(_short(one.golden) for one in waiting) or "there are none"
        msg = f"{beginning}: {len(found) or 'no'} proposals have a hash that begins so; those that wait: {known}"
        raise click.ClickException(msg)
    return found[0]


def _short(golden: str) -> str:
    return golden.removeprefix("sha256:")[:_SHORT]
