"""``driftbus dataset``: the data of a job as files, and whether they are as they were written."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
from pydantic import ValidationError

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.retrain import RetrainRequest
from ...schemas.mismatch import mismatch
from ...schemas.stored.dataset import UNLISTED, Manifest
from ..bus.embedded import EmbeddedBus
from ..bus.interface import Bus
from ..bus.recording import load_recording
from ..console.jobs import job_of
from ..console.jobs import jobs as told
from ..dataset.build import Ways, build
from ..dataset.verify import verify as verified
from ..replay.event_line import short_id
from ..replay.terminal import say
from .configured import configured
from .fields import FiniteRange
from .opened import opened

#: Of partitions that are not complete.
_NAMED = 5


@click.group()
def dataset() -> None:
    """Build the data of a job as Parquet files, exactly those that its request names; verify them."""


@dataset.command(name="build")
@click.argument(
    "request", type=click.Path(exists=True, dir_okay=False, allow_dash=True), required=False, envvar="DRIFTBUS_EVENT", metavar="[REQUEST]"
)
@click.option("--job", metavar="ID", help="In place of REQUEST: as it stands on the topic of retrains; the beginning of its id will do.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The folder that is to hold the data.")
@click.option("--from", "recording", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="Read a recording.")
@click.option("--sample", type=FiniteRange(0, 1, min_open=True), default=1.0, show_default=True, help="Share of the ids.")
@click.option("--without-lost", is_flag=True, help="What retention took is done without; the manifest says so.")
@configured
def build_(
    configuration: Configuration,
    request: str | None,
    job: str | None,
    out: Path,
    recording: Path | None,
    sample: float,
    without_lost: bool,
) -> None:
    """Build the data of REQUEST, a file with a request of driftbus to retrain (-: standard input; else DRIFTBUS_EVENT), in DIR."""
    if job is not None and click.get_current_context().get_parameter_source("request") is click.core.ParameterSource.ENVIRONMENT:
        request = None
    if (request is None) == (job is None):
        msg = "name a file with the request (-: standard input), or --job ID"
        raise click.UsageError(msg)
    asked = None if request is None else _read(request)
    with _bus(configuration, recording) as bus:
        built = build(bus, configuration, asked or _asked(bus, configuration, job or ""), out, Ways(sample, without_lost))
    _tell(built.manifest, out, "built" if built.new else "is there already, and as it was built")


@dataset.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="The manifest.")
def verify(folder: Path, as_json: bool) -> None:
    """Find out whether the data in DIR are as they were written; their name."""
    manifest = verified(folder)
    if as_json:
        say(manifest.model_dump_json())
    else:
        _tell(manifest, folder, "as it was built")


@contextmanager
def _bus(configuration: Configuration, recording: Path | None) -> Iterator[Bus]:
    if recording is None:
        with opened(configuration) as bus:
            yield bus
        return
    with closing(EmbeddedBus(":memory:", configuration.application, "dataset")) as embedded:
        load_recording(embedded, recording)
        yield embedded


def _read(name: str) -> RetrainRequest:
    with click.open_file(name, "rb") as file:
        content = file.read()
    try:
        return RetrainRequest.decoded(content)
    except ValidationError as error:
        msg = f"{'standard input' if name == '-' else name} holds no request to retrain: {mismatch(error)}"
        raise click.ClickException(msg) from None


def _asked(bus: Bus, configuration: Configuration, job: str) -> RetrainRequest:
    known = told(bus, configuration)
    name = job_of(known, configuration, job)
    found = known[name].request
    if found is None:
        msg = f"{short_id(name)} was not launched: it has no request"
        raise click.ClickException(msg)
    return found


def _tell(manifest: Manifest, out: Path, what: str) -> None:
    rows, columns = manifest.rows, [column for column in manifest.columns if column.role == "feature"]
    say(f"{out}: {what}; {rows.written:,} rows, {len(columns)} features, {len(manifest.parts)} parts")
    by = "offsets of the request" if manifest.by == "offsets" else f"records of times before {iso(manifest.until)}"
    say(f"of {rows.taken:,} predictions of {manifest.model}, by the {by}")
    left = {"repeated": rows.repeated, "of other times": rows.outside, "without a label": rows.unlabelled, "not mature": rows.immature}
    faults = {
        f"of incident {short_id(name)}" if name != UNLISTED else "of faults that are not listed": n for name, n in rows.excluded.items()
    }
    say("left out: " + (", ".join(f"{n:,} {why}" for why, n in {**left, **faults}.items() if n) or "none"))
    for source in manifest.sources:
        if source.lost is not None:
            say(f"lost to retention: offsets {source.lost[0]} to {source.lost[1] - 1} of {source.topic}[{source.partition}]")
    short = [source for source in manifest.sources if manifest.by == "times" and (source.through or -1) < manifest.until]
    if short:
        named = ", ".join(f"{source.topic}[{source.partition}]" for source in short[:_NAMED])
        say(f"not yet written through {iso(manifest.until)}, so that more may come: {named}{', ...' if len(short) > _NAMED else ''}")
    say(f"name: {manifest.name}")
