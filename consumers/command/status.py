"""``driftbus status``: how things stand."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from itertools import groupby

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ..console import causes
from ..console.budgets import ModelStanding, models
from ..console.causes import ToldIncident, incidents
from ..console.decided import Decided, decided
from ..console.deployments import Deployment, read, serving
from ..console.episodes import episodes
from ..console.evaluations import ModelEvaluations, evaluations, loss_change
from ..console.outputs import unanswered
from ..console.screen import Table, Terminal
from ..console.standing import PartitionStanding, Standing, standing
from ..embedder.embedder import ROLE as EMBEDDER
from ..profiler.profiler import ROLE as PROFILER
from ..reference.announce import Announcements
from ..reference.artifacts import ArtifactError, ArtifactStore
from ..replay.event_line import lasted, place, short_id
from ..replay.terminal import Styled, say
from .configured import configured
from .opened import opened

#: A time that no announced reference lies behind.
_IN_THE_END = 2**62


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same as one object of JSON; times in ms.")
@configured
def status(configuration: Configuration, as_json: bool) -> None:
    """Say how far every consumer is, which episodes are open, what could not be counted, what budgets have been used, what serves, and how
    that did on its golden set.

    It reads topics and what the consumers' groups have committed, from any machine; it changes nothing, and no consumer notices.
    """
    with opened(configuration) as bus:
        found = standing(bus, configuration)
        announced = Announcements(bus, configuration)
        announced.refresh()
        told = episodes(bus, configuration) if bus.describe([configuration.topics.drift]) else []
        watched = models(configuration, announced, told, found.now)
        known = read(bus, configuration).known
        deployed = serving(configuration, known, found.now)
        silent = list(unanswered(configuration, announced, known, ArtifactStore(configuration.artifacts)))
        tested = evaluations(bus, configuration)
        open_ = [one for one in incidents(bus, configuration) if one.is_open]
        can_be = list(_can_be(configuration, announced, watched))
    if as_json:
        parts = {"models": [asdict(one) for one in watched], "deployments": [asdict(one) for one in deployed]}
        parts |= {"golden": [asdict(one) for one in tested]} if tested else {}
        parts |= {"outputs": [one._asdict() for one in silent]} if silent else {}
        parts |= {"causes": [one.last.model_dump(mode="json") for one in open_], "diagnosis": [asdict(one) for one in can_be]}
        say(json.dumps({"application": configuration.application, **asdict(found), **parts}))
        return
    _show(configuration, found, watched, open_)
    for one in silent:
        say(f"{one.model}/{one.version}: outputs {one.why}")
    _show_causes(open_, can_be)
    _show_deployed(configuration, found, deployed)
    _show_tested(found, tested)


def _show(configuration: Configuration, found: Standing, watched: list[ModelStanding], open_: Sequence[ToldIncident]) -> None:
    terminal = Terminal()
    say(f"{configuration.application} on {configuration.bus}, {iso(found.now // 1000 * 1000)}")
    for topic in found.missing:
        say(Styled("missing ", "red"), f"topic {topic}; driftbus topics create makes our own")
    for (role, stream, topic), group in groupby(found.partitions, lambda one: (one.role, one.stream, one.topic)):
        headings = ["  partition", "to read", "behind", "last commit", *_headings(role)]
        table = Table(*headings, wide=("newest bucket", "vectors"))
        for one in group:
            told = _ago(found.now, one.committed_at) if one.committed is not None else "none yet"
            cells = [_embeds(found, one)] if role == EMBEDDER else [_bucket(configuration, found, one)]
            cells += [] if one.dead_letters is None else [f"{one.dead_letters:,}"]
            table.row(f"  {one.partition:>7}", f"{one.to_read:,}", _behind(one), told, *cells)
        say(f"{role} {stream}: {topic}" if stream else f"{role}: {topic}")
        terminal.table(table)
    for (role, stream), group in groupby(found.partitions, lambda one: (one.role, one.stream)):
        own = list(group)
        if all(one.committed is None for one in own) and (waiting := sum(one.to_read for one in own)):
            told = f"{role} {stream}" if stream else role
            say(Styled("waiting ", "yellow"), f"{told} has committed nothing, and {waiting:,} records wait: driftbus run {role} starts it")
    for one in found.partitions:
        if one.uncommitted:
            told = f"{one.topic}[{one.partition}]: a producer's transaction is open at offset {one.end:,}"
            say(Styled("waiting ", "yellow"), f"{told}; {one.uncommitted:,} from there on cannot be read before it ends")
    at_least = "" if found.all_counted else "at least "
    further = f", {found.further:,} more were only counted" if found.further else ""
    say(f"dead letters: {at_least}{found.dead_letters:,} kept{further}")
    if not watched:
        say("no model has a reference, so none is monitored: driftbus reference build MODEL")
        return
    table = Table("model", "budget", "used", "open episodes", wide=("model", "open episodes"))
    for model in watched:
        used = "?" if model.opened is None else f"{model.opened} of 1"
        opened_ = [f"{short_id(id_)}{_cause(open_, id_)}" for id_ in model.open]
        table.row(f"{model.model}/{model.version}", model.budget, used, ", ".join(opened_) or "-")
    terminal.table(table)


def _headings(role: str) -> list[str]:
    if role == EMBEDDER:
        return ["vectors"]
    return ["newest bucket", *(["dead letters"] if role == PROFILER else [])]


def _embeds(found: Standing, one: PartitionStanding) -> str:
    """Whether an embedder's texts get vectors."""
    since = "" if one.embeds_since is None else f" since {_ago(found.now, one.embeds_since).removesuffix(' ago')}"
    return f"{one.embeds or '?'}{since}"


def _cause(open_: Sequence[ToldIncident], episode: str) -> str:
    """What is behind an episode, if it is known."""
    known = causes.behind(open_, episode)
    return f" ({causes.in_short(known[0])})" if known else ""


def _can_be(configuration: Configuration, announced: Announcements, watched: Sequence[ModelStanding]) -> Iterator[Decided]:
    """Of every model whose reference can be read: who only looks at topics may not see artifacts."""
    store = ArtifactStore(configuration.artifacts)
    for model in {one.model: one for one in watched}.values():
        held = announced.holding(model.model, model.version, _IN_THE_END)
        if held is None or held.reference is None:
            continue
        with suppress(ArtifactError):
            found = decided(configuration, store.reference(held.reference))
            if found is not None:
                yield found


def _show_causes(open_: Sequence[ToldIncident], can_be: Sequence[Decided]) -> None:
    if open_:
        table = Table("cause", "incident", "status", "model", "retraining", wide=("cause", "model"))
        for one in open_:
            last = one.last
            table.row(
                last.cause.replace("_", " "), short_id(one.id), last.status, f"{last.model}/{last.version}", last.retrain_gate.decision
            )
        Terminal().table(table)
    for model in can_be:
        if model.adds_most is not None:
            of_all = len(model.confirmed) + len(model.not_confirmed)
            say(f"{model.model}: {len(model.confirmed)} of {of_all} causes can be confirmed; would add most: {model.adds_most}")


def _show_deployed(configuration: Configuration, found: Standing, deployed: Sequence[Deployment]) -> None:
    if not deployed:
        return
    table = Table("serves", "since", "how", wide=("serves",))
    for one in deployed:
        stream = configuration.streams[configuration.stream_of(one.model)]
        since = stream.pane.place(one.since or 0) if stream.clock == "record" else _ago(found.now, one.since)
        table.row(f"{one.model}/{one.version}", since, one.kind.replace("_", " "))
    Terminal().table(table)


def _show_tested(found: Standing, tested: Sequence[ModelEvaluations]) -> None:
    if not tested:
        return
    table = Table("golden", "open", "last", "how", "verdict", "loss", wide=("golden",))
    for one in tested:
        named = one.model if one.version is None else f"{one.model}/{one.version}"
        waiting = f"{one.open}, attempt {one.attempt}" if one.attempt else str(one.open)
        table.row(named, waiting, _ago(found.now, one.answered), one.status or "-", one.verdict or "-", loss_change(one.change))
    Terminal().table(table)


def _behind(one: PartitionStanding) -> str:
    return "?" if one.behind_ms is None else _length(one.behind_ms)


def _bucket(configuration: Configuration, found: Standing, one: PartitionStanding) -> str:
    """How old it is; where record time is not the wall clock's, where it ends."""
    if one.place is None or one.bucket is None:
        return "-"
    live = all(stream.clock == "live" for name, stream in configuration.streams.items() if one.stream in (None, name))
    return _ago(found.now, one.bucket) if live else place(one.place)


def _ago(now: int, then: int | None) -> str:
    return "-" if then is None else f"{_length(max(now - then, 0))} ago"


def _length(milliseconds: int) -> str:
    return lasted(timedelta(milliseconds=milliseconds))
