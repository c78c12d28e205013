"""``driftbus golden``: a model is asked rows whose answers are known."""

import json
from collections.abc import Callable

import click

from ...detectors.golden.fold import Fold
from ...detectors.golden.judging import compared, verdict_of
from ...schemas.configuration import Configuration
from ...schemas.duration import milliseconds
from ...schemas.messages.golden import MILLION, GoldenEvaluation
from ...schemas.messages.golden_set import GoldenAnnouncement
from ...schemas.stored.golden import MOST_ROWS, GoldenSet, Loss, difference, golden_set
from ..bus.open import instance_of
from ..console.evaluations import loss_change
from ..console.screen import Table, Terminal
from ..decode.personal import rules_of
from ..golden import evaluator
from ..golden.asked_now import evaluated, wait
from ..golden.collecting import Collected, Columns, collected, refreshed
from ..pipeline.runner import wall_ms
from ..process.consumer import Making
from ..reference.artifacts import ArtifactStore
from ..reference.golden_records import ask, folded, request_of
from ..reference.golden_sets import AnnouncedSets, announced, announcement, read_set, store_of
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .proposed import NAME, accept, advised, list_, propose, reject

#: Digits of ids and hashes that people are shown.
_SHORT = 12
_TURN_S = 0.1
_LOSSES = click.Choice(["zero_one", "log_loss", "brier", "absolute", "squared"])


@click.group()
def golden() -> None:
    """Test a model itself: ask it rows whose answers are known, and compare with how well it answered them before."""


for _verb in (list_, accept, reject):
    golden.add_command(_verb)


def _of_a_table(verb: Callable[..., None]) -> Callable[..., None]:
    """What a table's columns are."""
    for option in (
        click.option("--ignore", metavar="COLUMN", multiple=True, help="No feature. May be repeated."),
        click.option("--slice", "slices", metavar="COLUMN", multiple=True, help="Rows of each of its values are told by themselves, too."),
        click.option("--id", "id_", metavar="COLUMN", help="Names the rows.  [default: a hash of their features]"),
        click.option("--label", metavar="COLUMN", required=True, help="What the model should answer."),
    ):
        verb = option(verb)
    return verb


@golden.command()
@click.argument("model")
@click.argument("file")
@_of_a_table
@click.option(
    "--loss", type=_LOSSES, default="zero_one", show_default=True, help="How well a row is answered: by its class, probability, number."
)
@click.option(
    "--class", "classes", metavar="NAME", multiple=True, help="All classes, in the order of a list of probabilities.  [default: sorted]"
)
@click.option("--dry-run", is_flag=True, help="Show the set; store and announce nothing.")
@configured
def build(
    configuration: Configuration,
    model: str,
    file: str,
    label: str,
    id_: str | None,
    slices: tuple[str, ...],
    ignore: tuple[str, ...],
    loss: Loss,
    classes: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Make the golden set of MODEL from the labelled rows of FILE, store it, and announce it: from now on it is in use."""
    found = collected(file, Columns(label, id_, slices, ignore), loss, rules_of(configuration, model))
    made = golden_set(model, loss, found.rows, classes)
    _show(made, found)
    if dry_run:
        return
    store_of(configuration).put(made.encoded())
    with opened(configuration) as bus:
        known = AnnouncedSets(bus, configuration).of(model)
        parent = known[-1].golden if known and known[-1].golden != made.hash else None
        one = announcement(made, wall_ms(), parent, None if parent is None else difference(read_set(store_of(configuration), parent), made))
        bus.publish([announced(configuration, one)])
    _told(one)


@golden.command()
@click.argument("model")
@click.argument("file")
@_of_a_table
@click.option("--most", type=click.IntRange(1, MOST_ROWS), help="Rows of the new version.  [default: as many as the old one has]")
@click.option("--announce", is_flag=True, help="It is in use from now on, and both are run once, so that the series connects.")
@click.option("--version", default="-", show_default=True, help="With --announce: the model's version that both are run on.")
@click.option("--incident", metavar="ID", help="For this confirmed incident, as its cause asks: a proposal, which waits for a person.")
@click.option("--by", callback=NAME, metavar="NAME", help="With --incident: who proposes it.")
@configured
def refresh(
    configuration: Configuration,
    model: str,
    file: str,
    label: str,
    id_: str | None,
    slices: tuple[str, ...],
    ignore: tuple[str, ...],
    most: int | None,
    announce: bool,
    version: str,
    incident: str | None,
    by: str | None,
) -> None:
    """Propose a new version of MODEL's golden set: of its rows and the labelled ones of FILE, each once, every class and slice alike."""
    if incident is not None and announce:
        msg = "--incident and --announce: what is proposed for an incident waits for a person; say one of them"
        raise click.UsageError(msg)
    store = store_of(configuration)
    with opened(configuration) as bus:
        advice = None if incident is None else advised(bus, configuration, model, incident)
        parent = AnnouncedSets(bus, configuration).in_use(model)
        before = read_set(store, parent)
        rules = rules_of(configuration, model)
        if why := next(filter(None, (rules.unruly(row.features) for row in before.rows)), None):
            msg = f"{parent} was built by other rules for personal data: {why}; build a new one: driftbus golden build {model}"
            raise click.ClickException(msg)
        found = collected(file, Columns(label, id_, slices, ignore), before.loss, rules)
        made = refreshed(before, found.rows, most or len(before.rows)) if advice is None else advice.made(before, found.rows, most)
        changed = difference(before, made)
        _show(made, found)
        say(f"{len(changed.added):,} rows added, {len(changed.removed):,} removed, {len(changed.changed):,} with another content")
        store.put(made.encoded())
        if advice is not None:
            propose(bus, configuration, advice, before, made, by)
            return
        if not announce:
            say(f"proposed: {made.hash}; nothing uses it yet. To use it: the same command with --announce, or golden: {{set: {made.hash}}}")
            return
        now = wall_ms()
        one = announcement(made, now, parent, changed)
        bus.publish([announced(configuration, one)])
        ask(bus, configuration, [request_of(configuration, model, version, name, "set", made.hash, now) for name in (parent, made.hash)])
    _told(one)


@golden.command()
@click.argument("model")
@click.option("--version", default="-", show_default=True, help="The model's version, as in its messages.")
@click.option("--set", "named", metavar="HASH", help="Another golden set than the one in use.")
@click.option("--twice", is_flag=True, help="As at registration: by how much two runs differ is then no change.")
@click.option("--here", is_flag=True, help="Be the evaluator, too: where no process runs that role.")
@click.option("--wait", "waits", default="15m", show_default=True, help="So long at most.")
@click.option("--json", "as_json", is_flag=True, help="The evaluation, whole, as a line of JSON.")
@configured
def run(
    configuration: Configuration, model: str, version: str, named: str | None, twice: bool, here: bool, waits: str, as_json: bool
) -> None:
    """Ask for an evaluation of MODEL now, wait for it, and show it."""
    try:
        wait_s = milliseconds(waits) / 1000
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if here:
        configuration = configuration.model_copy(update={"instance": f"{instance_of(configuration)}-here"})
    with opened(configuration) as bus:
        golden_hash = AnnouncedSets(bus, configuration).in_use(model)
        now = wall_ms()
        requests = [
            request_of(configuration, model, version, named or golden_hash, "person", str(now), now, spread=spread)
            for spread in ([False, True] if twice else [False])
        ]
        folded(bus, configuration, model)  # the topic is there
        consumers = evaluator.make(Making(bus, configuration, ArtifactStore(configuration.artifacts), wall_ms)) if here else []
        try:
            turn = (lambda: [consumer.turn(_TURN_S) for consumer in consumers]) if consumers else wait
            found = list(evaluated(bus, configuration, requests, wait_s, turn))
        finally:
            for consumer in consumers:
                consumer.close()
    for one in found:
        say(json.dumps(one.model_dump(mode="json"), ensure_ascii=False)) if as_json else _show_evaluation(one)
    if len(found) < len(requests):
        msg = f"no evaluation within {waits}: does a process run the role evaluator (driftbus run evaluator)? If none is to, add --here"
        raise click.ClickException(msg)
    if any(one.verdict in {"worse", "unknown"} for one in found):
        raise click.exceptions.Exit(1)


@golden.command()
@click.argument("model")
@click.argument("first", required=False)
@click.argument("second", required=False)
@configured
def compare(configuration: Configuration, model: str, first: str | None, second: str | None) -> None:
    """Compare two evaluations of MODEL, on the rows answered both times: FIRST, the earlier one, and SECOND, by their ids.

    Without ids: list them.
    """
    with opened(configuration) as bus:
        fold = folded(bus, configuration, model)
    known = fold.evaluations(model)
    if first is None or second is None:
        _list(known, fold, model)
        return
    was, now = _named(known, first), _named(known, second)
    before, after = fold.answers(was.request), fold.answers(now.request)
    if was.golden != now.golden:
        msg = f"{first} and {second} are of two golden sets; run it on the first again: driftbus golden run {model} --set {was.golden}"
        raise click.ClickException(msg)
    if before is None or after is None:
        gone = first if before is None else second
        msg = f"the answers of {gone} are gone: those of the newest, of anchors and of the last good ones are kept"
        raise click.ClickException(msg)
    found = compared(after, before)
    if found is None:
        msg = f"{first} and {second} have no row that was answered both times"
        raise click.ClickException(msg)
    verdict = verdict_of(found, round(_tolerance(configuration, model) * MILLION), now.spread)
    versions = f"{was.version} ({was.status}) and {now.version} ({now.status})"
    say(f"{versions}: {found.common:,} rows answered both times; {verdict}{_change(found.relative)}")


def _tolerance(configuration: Configuration, model: str) -> float:
    settings = configuration.models[model].golden if model in configuration.models else None
    return 0.05 if settings is None else settings.tolerance


def _named(known: list[GoldenEvaluation], prefix: str) -> GoldenEvaluation:
    found = [one for one in known if one.request.startswith(prefix)]
    if len(found) != 1:
        ids = ", ".join(one.request[:_SHORT] for one in known[-5:])
        msg = f"{prefix}: {len(found) or 'no'} evaluations have an id that begins so; ids: {ids}"
        raise click.ClickException(msg)
    return found[0]


def _list(known: list[GoldenEvaluation], fold: Fold, model: str) -> None:
    if not known:
        say(f"no evaluation of {model}; ask for one: driftbus golden run {model}")
        return
    table = Table("id", "version", "set", "status", "verdict", "change", "answers")
    for one in known:
        kept = "kept" if fold.answers(one.request) is not None else "gone"
        set_ = (one.golden or "-").removeprefix("sha256:")[:_SHORT]
        table.row(one.request[:_SHORT], one.version, set_, one.status, one.verdict, loss_change(one.change), kept)
    Terminal().table(table)


def _show(made: GoldenSet, found: Collected) -> None:
    classes = f", {len(made.classes)} classes: {', '.join(made.classes[:10])}" if made.classes else ""
    say(f"{made.model}: {len(made.rows):,} rows, {len(made.rows[0].features)} features, loss {made.loss}{classes}")
    if made.slices:
        say(f"slices: {', '.join(made.slices)}")
    if found.unlabelled or found.repeated:
        say(f"left out: {found.unlabelled:,} rows without a label, {found.repeated:,} with the features of another", err=True)


def _told(one: GoldenAnnouncement) -> None:
    instead = "" if one.parent is None else f", in place of {one.parent}: {one.added:,} rows added, {one.removed:,} removed"
    say(f"{one.model}: {one.golden} is in use{instead}; next: driftbus golden run {one.model}")


def _show_evaluation(one: GoldenEvaluation) -> None:
    missing = ", ".join(f"{number:,} {name}" for name, number in one.counts.items() if name != "answered" and number)
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in one.metrics.items())
    answered = f"{one.counts.get('answered', 0):,} of {one.rows:,} rows answered"
    say(f"{one.model}/{one.version}  {one.status}: {answered}{f' ({missing})' if missing else ''}")
    say(
        f"  {one.verdict}{_change(one.change)}"
        + (f", on {one.common:,} rows answered both times as {one.against[:_SHORT]}" if one.against else "")
    )
    if metrics:
        say(f"  {metrics}")
    for part in one.slices:
        told = ", ".join(f"{name} {value:.4g}" for name, value in part.metrics.items())
        say(f"  {part.name}: {part.answered:,} of {part.rows:,} rows, {told}{_change(part.change)}")
    for reason, rows in one.reasons.items():
        say(f"  {rows:,} x {reason}")
    say(f"  {one.request[:_SHORT]}, attempt {one.attempt}" + (f", calls took {one.latency_ms[0]} ms (median)" if one.latency_ms else ""))


def _change(relative: float | None) -> str:
    return "" if relative is None else f", loss {loss_change(relative)}"
