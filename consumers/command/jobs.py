"""``driftbus jobs``: what is to be trained anew, why, and how far it is; what people say of it."""

import time
import uuid
from typing import get_args

import click

from ...detectors.actions.edges import EDGES
from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.action import ActionAdopted, ActionObserved, ActionRequest, ActionWord, LedgerFact
from ...schemas.messages.job import FINAL, MOST_WHY, JobStatus, Seen
from ...schemas.text import Use, fitted
from ..bus.interface import Bus
from ..console.jobs import ToldJob, job_of, with_words
from ..console.jobs import jobs as told
from ..console.screen import Table, Terminal
from ..reference import ledger
from ..replay.event_line import short_id
from ..replay.terminal import say
from .configured import configured
from .fields import field_of
from .opened import opened

_BY = "Who says it."
_IN_VAIN = "its report would change nothing"
_NOTE = "Why, for whoever reads it later."
_NAME, _NOTED = field_of(ActionWord, "by"), field_of(ActionWord, "note")
_REQUEST, _SPOOL = field_of(ActionRequest, "request"), field_of(ActionAdopted, "spool")
#: What a program says of its end: as much of it as fits, spelled out.
_DETAIL = Use(MOST_WHY, anything=True)


@click.group()
def jobs() -> None:
    """Show what is to be trained anew, why, and how far it is; approve, reject, cancel, ask for it, say what became of it.

    JOB is the id in its request, or the beginning of it. All that is said here is a fact on the ledger, which any Kafka client may write.
    """


@jobs.command(name="list")
@click.argument("model", required=False)
@click.option("--open", "only_open", is_flag=True, help="Those that are not over.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each: the last status.")
@configured
def list_(configuration: Configuration, model: str | None, only_open: bool, as_json: bool) -> None:
    """List the jobs of MODEL, or of all models."""
    with opened(configuration) as bus:
        known = told(bus, configuration)
    found = {name: one for name, one in known.items() if model in (None, one.last.model) and (one.is_open or not only_open)}
    if as_json:
        for one in found.values():
            say(one.last.model_dump_json())
    elif not found:
        say("there is no such job" if known else "no job has been asked for")
    else:
        table = Table("job", "model", "policy", "trigger", "attempt", "state", "since", "why", wide=("model", "why"))
        for name, one in found.items():
            last = one.last
            why = last.cause + (f", by {last.by}" if last.by else "")
            table.row(
                *(short_id(name), f"{last.model}/{last.version}", last.policy, _trigger(last)),
                *(str(last.attempt), _words(last.state), iso(last.time), why),
            )
        Terminal().table(table)


@jobs.command()
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="Its request as JSON, as a worker reads it.")
@configured
def show(configuration: Configuration, job: str, as_json: bool) -> None:
    """Show JOB: why, on which data, what became of it, and what was said of it."""
    with opened(configuration) as bus:
        known = told(bus, configuration)
        name = job_of(known, configuration, job)
        one = with_words(bus, configuration, name, known[name])
    if as_json:
        if one.request is None:
            msg = f"{short_id(name)} was not launched: it has no request"
            raise click.ClickException(msg)
        say(one.request.encoded().decode())
        return
    last = one.last
    say(f"job {name}: {_words(last.state)}")
    say(f"{last.model}/{last.version}, policy {last.policy}, {_trigger(last)}, attempt {last.attempt}")
    _show_request(one)
    table = Table("at", "state", "why", "by", wide=("why",))
    for status in one.statuses:
        table.row(iso(status.time), _words(status.state), status.cause, status.by or "-")
    Terminal().table(table)
    for at, word in one.words:
        what, why = (word.state, word.detail) if isinstance(word, ActionObserved) else (word.kind, word.note)
        say(f"said {iso(at)}: {_words(what)}" + (f" by {word.by}" if word.by else "") + (f": {why}" if why else ""))


def _show_request(one: ToldJob) -> None:
    request = one.request
    if request is None:
        return
    data = request.data
    since = ", ".join("all" if part.since is None else iso(part.since) for part in data.include)
    say(f"{request.action}, at {request.on or 'whoever reads the topic'}, until {iso(request.deadline)}")
    rows = sum(source.offsets[1] - source.offsets[0] for source in data.sources)
    say(f"data: from {since} to {iso(data.until)}; {rows:,} records of {len(data.sources)} partitions; {data.labels.total:,} labels")
    for window in data.exclude:
        end = "now" if window.until is None else iso(window.until)
        say(f"  without {iso(window.since)} to {end}: incident {short_id(window.incident)} {', '.join(window.features)}".rstrip())


def _word(kind: str, does: str) -> None:
    """A verb of a person."""

    @jobs.command(name=kind, help=does)
    @click.argument("job")
    @click.option("--by", callback=_NAME, metavar="NAME", required=True, help=_BY)
    @click.option("--note", callback=_NOTED, metavar="TEXT", help=_NOTE)
    @configured
    def say_it(configuration: Configuration, job: str, by: str, note: str | None) -> None:
        with opened(configuration) as bus:
            last = _standing(bus, configuration, job)
            if kind != "cancel" and last.state != "awaiting_approval":
                msg = f"{short_id(last.job)} awaits no approval: it is {_words(last.state)}"
                raise click.ClickException(msg)
            fields = {"kind": kind, "model": last.model, "job": last.job, "by": by, "note": note}
            _tell(bus, configuration, ActionWord.model_validate(fields | {"time": _now(configuration, last.model)}))
        say(f"{short_id(last.job)} ({last.policy} of {last.model}): {kind}, by {by}")


_word("approve", "JOB may start; it does once nothing else is in the way.")
_word("reject", "JOB must not start; its trigger asks for nothing more.")
_word("cancel", "JOB is to be ended; its trigger asks for nothing more.")


@jobs.command()
@click.argument("job")
@click.argument("state", type=click.Choice(get_args(Seen)))
@click.option("--by", callback=_NAME, metavar="NAME", help=_BY)
@click.option("--detail", metavar="TEXT", help="What else is known of it: an exit status, an address.")
@configured
def report(configuration: Configuration, job: str, state: Seen, by: str | None, detail: str | None) -> None:
    """Say that JOB came to STATE: by the job itself, or by who looked."""
    with opened(configuration) as bus:
        last = _standing(bus, configuration, job, over=_IN_VAIN)
        if last.state == "awaiting_approval":
            msg = f"{short_id(last.job)} awaits approval, so nothing of it runs: {_IN_VAIN}"
            raise click.ClickException(msg)
        why = None if detail is None else fitted(detail, _DETAIL)
        fields = {"model": last.model, "job": last.job, "state": state, "by": by, "detail": why}
        _tell(bus, configuration, ActionObserved.model_validate(fields | {"time": _now(configuration, last.model)}))
    holds = "" if (last.state, state) in EDGES else f"; it stays {_words(last.state)}"
    say(f"{short_id(last.job)} ({last.policy} of {last.model}): {_words(state)}{holds}")


@jobs.command()
@click.argument("model")
@click.argument("policy")
@click.option("--by", callback=_NAME, metavar="NAME", required=True, help=_BY)
@click.option("--id", "request", callback=_REQUEST, metavar="ID", help="Said twice, it counts once.  [default: a new one]")
@click.option("--override", is_flag=True, help="Although a fault forbids it.")
@click.option("--note", callback=_NOTED, metavar="TEXT", help=_NOTE)
@configured
def request(configuration: Configuration, model: str, policy: str, by: str, request: str | None, override: bool, note: str | None) -> None:
    """Ask for a job of MODEL by POLICY, whatever it waits for else; its limits hold."""
    policies = ledger.policies_of(configuration).get(model, {})
    if policy not in policies:
        msg = f"models.{model}.retrain: {policy} is not among {', '.join(policies) or 'its policies: it has none'}"
        raise click.UsageError(msg)
    name = request or uuid.uuid4().hex
    fields = {"model": model, "policy": policy, "request": name, "by": by, "override": override, "note": note}
    with opened(configuration) as bus:
        _tell(bus, configuration, ActionRequest.model_validate(fields | {"time": _now(configuration, model)}))
    say(f"{policy} of {model}: asked for by {by} ({name})")


@jobs.command()
@click.argument("launcher")
@click.option("--spool", callback=_SPOOL, metavar="ID", required=True, help="Of the new folder, as the launcher named it when it refused.")
@click.option("--by", callback=_NAME, metavar="NAME", required=True, help=_BY)
@configured
def adopt(configuration: Configuration, launcher: str, spool: str, by: str) -> None:
    """Give LAUNCHER's name to another folder: nobody knows any more what ran in the former one, so its open jobs are lost."""
    if launcher not in configuration.launchers:
        msg = f"launchers: {launcher} is not among {', '.join(configuration.launchers) or 'them: there are none'}"
        raise click.UsageError(msg)
    with opened(configuration) as bus:
        running = [one.last for one in told(bus, configuration).values() if one.is_open and one.request and one.last.on == launcher]
        for last in running:
            fields = {"model": last.model, "job": last.job, "state": "lost", "by": by, "detail": f"spool {spool} was adopted"}
            _tell(bus, configuration, ActionObserved.model_validate(fields | {"time": _now(configuration, last.model)}))
        _tell(bus, configuration, ActionAdopted(model=launcher, spool=spool, by=by))
    say(f"{launcher}: goes on with spool {spool}; open jobs that are lost: {len(running)}")


def _standing(bus: Bus, configuration: Configuration, job: str, over: str = "nothing more becomes of it") -> JobStatus:
    known = told(bus, configuration)
    last = known[job_of(known, configuration, job)].last
    if last.state in FINAL:
        msg = f"{short_id(last.job)} is {_words(last.state)}: {over}"
        raise click.ClickException(msg)
    return last


def _tell(bus: Bus, configuration: Configuration, fact: LedgerFact) -> None:
    ledger.tell(bus, configuration, fact)


def _now(configuration: Configuration, model: str) -> int | None:
    """With a record clock no wall clock says when it is: a fact holds at the time of the ledger."""
    record = configuration.streams[configuration.stream_of(model)].clock == "record"
    return None if record else time.time_ns() // 1_000_000


def _trigger(status: JobStatus) -> str:
    kind, of = status.trigger_kind, status.trigger
    return f"{kind} {iso(int(of)) if kind == 'schedule' else short_id(of) if kind in ('cause', 'performance', 'event') else of}"


def _words(state: str) -> str:
    return state.replace("_", " ")
