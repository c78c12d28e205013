"""``driftbus models register``: a model has a new version, with what is known of how it came to be."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.model_event import ModelEvent
from ...schemas.messages.retrain import RetrainRequest
from ..console.deployments import read
from ..reference.artifacts import ArtifactStore
from ..reference.building.job import reference_of_job
from ..reference.building.job_rows import JobData
from ..reference.model_events import tell
from ..replay.event_line import short_id
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .since import now_or

#: Of the job: what a version is called that has no name.
_SHORT = 12


@click.command()
@click.argument("model")
@click.argument("job", required=False, envvar="DRIFTBUS_JOB")
@click.option("--version", metavar="NAME", help="As in its messages.  [default: the beginning of the job's id]")
@click.option("--artifact", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The file that it is; its hash is noted.")
@click.option("--kept-at", metavar="ADDRESS", help="Where that file is to be had.  [default: its name]")
@click.option(
    "--reference",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of `driftbus dataset build`, with answers.parquet of the new model, if there are any.",
)
@click.option("--parent", metavar="VERSION", help="The version that it came from, and goes back to.  [default: that of the job's request]")
@click.option("--metric", "metrics", metavar="NAME=NUMBER", multiple=True, help="How well it did. May be repeated.")
@click.option("--by", metavar="NAME", help="Who made it.  [default: the policy of the job's request]")
@click.option("--at", metavar="TIME", help="When it was so: ISO 8601, record time.  [default: now; with clock: record that of the request]")
@configured
def register(
    configuration: Configuration,
    model: str,
    job: str | None,
    version: str | None,
    artifact: Path | None,
    kept_at: str | None,
    reference: Path | None,
    parent: str | None,
    metrics: tuple[str, ...],
    by: str | None,
    at: str | None,
) -> None:
    """MODEL has a new version, made by JOB, which does not serve yet. Said twice by one job, it counts once.

    In a job of driftbus, JOB is the job, and what is known of it need not be said (DRIFTBUS_JOB, DRIFTBUS_EVENT).
    """
    if job is None:
        msg = f"which job made it? driftbus models register {model} JOB; in a job of driftbus DRIFTBUS_JOB says it"
        raise click.UsageError(msg)
    request = _request(model, job)
    stream = configuration.streams[configuration.stream_of(model)]
    stated = request.requested if request is not None and at is None and stream.clock == "record" else None
    fields: dict[str, object] = {
        "model": model,
        "version": version or job[:_SHORT],
        "kind": "registered",
        "time": now_or(model, stream, at) if stated is None else stated,
        "job": job,
        "parent": parent or (None if request is None else request.version),
        "by": by or (None if request is None else request.policy),
        "artifact": None if artifact is None else {"name": kept_at or artifact.name, "sha256": _sha256(artifact)},
        "metrics": _metrics(metrics),
    }
    event = _event(fields)
    with opened(configuration) as bus:
        if before := next((one.event for one in read(bus, configuration).known if one.event.id == event.id), None):
            say(f"{model}/{event.version}: registered by {short_id(job)} already{_of(before)}")
            return
        if reference is not None:
            event = _event(fields | _stored(configuration, event, reference))
        tell(bus, configuration, event)
    say(f"{model}/{event.version}: registered by {short_id(job)}{_of(event)}")


def _request(model: str, job: str) -> RetrainRequest | None:
    """What the job was asked for, where it runs as a job of driftbus."""
    file = os.environ.get("DRIFTBUS_EVENT")
    if file is None or os.environ.get("DRIFTBUS_JOB") != job:
        return None
    try:
        request = RetrainRequest.decoded(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        msg = f"DRIFTBUS_EVENT: {file} cannot be read: {' '.join(str(error).split())[:300]}"
        raise click.ClickException(msg) from None
    if request.model != model:
        msg = f"job {short_id(job)} is of model {request.model}, not of {model}"
        raise click.UsageError(msg)
    return request


def _stored(configuration: Configuration, event: ModelEvent, folder: Path) -> dict[str, object]:
    """The reference of its data, in the store."""
    data, store = JobData.of(folder), ArtifactStore(configuration.artifacts)
    made = reference_of_job(configuration, event.model, event.version, data, store)
    for warning in made.warnings:
        say(f"warning: {warning}", err=True)
    return {"data": data.name, "reference": store.put(made.encoded())}


def _event(fields: dict[str, object]) -> ModelEvent:
    try:
        return ModelEvent.of(fields)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _metrics(written: tuple[str, ...]) -> dict[str, Any] | None:  # the event judges them
    found = {}
    for one in written:
        name, equals, number = one.rpartition("=")
        try:
            found[name] = json.loads(number) if equals and name else None
        except ValueError:
            found[name] = None
        if not isinstance(found[name], int | float) or isinstance(found[name], bool):
            msg = f"--metric {one}: write NAME=NUMBER, for example log_loss=0.42"
            raise click.UsageError(msg)
    return found or None


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _of(event: ModelEvent) -> str:
    known = {"data": event.data, "reference": event.reference}
    return "".join(f", {name} {value}" for name, value in known.items() if value is not None)
