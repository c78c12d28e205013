"""``driftbus replay``: what would have been published, and what it was made of."""

import os
import time
from contextlib import ExitStack, closing
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.root_cause import RootCauseEvent
from ..console.agreement import compared_of, sentences
from ..console.performance import performance_of
from ..console.reviewed import all_reviewed
from ..intake import intake
from ..pipeline.runner import Pipeline, seldom_collected
from ..pipeline.topology import ROLES
from ..reference import ledger
from ..reference.artifacts import ArtifactStore
from ..reference.files import written_whole
from ..reference.scratch import scratch
from ..replay.jobs import asked_for, differing, has_ledger
from ..replay.learnt import learnt
from ..replay.measures import FORMATS, measured, write
from ..replay.offline import load
from ..replay.picture import draw
from ..replay.terminal import say
from .configured import configured
from .explain import explained
from .opened import opened
from .outputs import inputs_of, refuse_inputs
from .told import Topics, line

#: Between two looks at what has been published.
_LOOK_EVERY_S = 0.5

_to_write = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", help="Whose rows a table holds.  [default: the model configured, where it is the only one]")
@click.option("--version", default="-", show_default=True, help="Of that model, where the table has no column of it.")
@click.option(
    "--labels",
    multiple=True,
    metavar="[NAME=]FILE",
    help="A table of what really happened to a table's rows; FILE again, if it says so itself. NAME: the stream of labels.",
)
@click.option(
    "--features",
    multiple=True,
    metavar="[NAME=]FILE",
    help="A table of a table's features as the training pipeline computes them. NAME: the feature log.",
)
@click.option("--events", type=_to_write, metavar="FILE", help="Write the events here, a line of JSON each.")
@click.option("--causes", type=_to_write, metavar="FILE", help="Write the root causes here, a line of JSON each.")
@click.option("--jobs", type=_to_write, metavar="FILE", help="Write requests and states of jobs here, a line of JSON each.")
@click.option("--learned", type=_to_write, metavar="FILE", help="Write what learners came to here, a line of JSON each.")
@click.option(
    "--explain",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a post-mortem of each cause here (HTML).",
)
@click.option("--measures", type=_to_write, metavar="FILE", help="Write KS, PSI, JS and more here: a line per bucket and signal.")
@click.option("--performance", type=_to_write, metavar="FILE", help="Write how predictions turned out: a line of JSON an interval.")
@click.option("--afresh", is_flag=True, help="Ask for golden evaluations, reviews and jobs anew, whatever the recording says of them.")
@click.option("--plot", type=_to_write, metavar="FILE", help="Draw here when what drifted (PNG, SVG or PDF).")
@configured
def replay(
    configuration: Configuration,
    file: Path,
    model: str | None,
    version: str,
    labels: tuple[str, ...],
    features: tuple[str, ...],
    events: Path | None,
    causes: Path | None,
    jobs: Path | None,
    learned: Path | None,
    folder: Path | None,
    measures: Path | None,
    performance: Path | None,
    afresh: bool,
    plot: Path | None,
) -> None:
    """Show what would have been published over FILE: a table (Parquet, CSV, JSON lines) or a recording of topics.

    The very functions of `driftbus run` read it, by record time, from a temporary log on this machine; nothing is published elsewhere.
    """
    if plot and find_spec("matplotlib") is None:
        msg = '--plot needs matplotlib; install it with: pip install "driftbus[plot]"'
        raise click.ClickException(msg)
    if measures and measures.suffix not in FORMATS:
        msg = f"--measures {measures}: name a file that ends in {', '.join(FORMATS)}"
        raise click.UsageError(msg)
    results = {"--measures": measures, "--performance": performance, "--plot": plot}
    written_to = {"--events": events, "--causes": causes, "--jobs": jobs, "--learned": learned, **results}
    given = [("--labels", one) for one in labels] + [("--features", one) for one in features]
    read = {"FILE": file, **{f"{option} {one}": Path(one.partition("=")[2] or one) for option, one in given}}
    refuse_inputs(written_to, {**read, **dict(inputs_of(configuration))})
    with scratch("replay") as log, ExitStack() as done:
        of_events, of_causes, of_jobs, of_learned, of_measures, of_performance, of_plot = [
            done.enter_context(written_whole(each)) if each else None for each in written_to.values()
        ]
        offline, span = load(configuration, file, model, version, Path(log), labels, features, afresh=afresh)
        with (
            (of_events or Path(os.devnull)).open("w", encoding="utf-8") as written,
            (of_causes or Path(os.devnull)).open("w", encoding="utf-8") as written_causes,
        ):
            drifts = _fold(configuration, offline, written, written_causes)
        for place, told in ((of_jobs, asked_for), (of_learned, learnt)):
            if place:
                with opened(offline) as bus, place.open("wb") as lines:
                    lines.writelines(one + b"\n" for one in told(bus, offline))
        if offline.features:
            with opened(offline) as bus:
                for line in sentences(compared_of(bus, offline)):
                    say(line)
        if folder:
            with opened(offline) as bus:
                explained(bus, offline, folder)
        if of_measures:
            with opened(offline) as bus:
                write(of_measures, measured(bus, offline, ArtifactStore(offline.artifacts).reference))
        if of_performance:
            with opened(offline) as bus, of_performance.open("w", encoding="utf-8") as lines:
                lines.writelines(one.model_dump_json() + "\n" for one in (*performance_of(bus, offline), *all_reviewed(bus, offline)))
        if of_plot:
            rows = all(stream.pane.unit == "rows" for stream in offline.streams.values())
            draw(of_plot, {f"{configuration.application}: {file.name}": drifts}, span, rows=rows)


def _fold(recorded: Configuration, configuration: Configuration, written: IO[str], written_causes: IO[str]) -> list[DriftEvent]:
    """Run to the end, and tell every event and root cause as it comes."""
    found: list[DriftEvent] = []
    with opened(configuration) as bus:
        decided = has_ledger(bus, configuration)
    roles = [role for role in ROLES if not (decided and role == intake.ROLE)]
    with opened(configuration) as bus, closing(Pipeline(bus, configuration, roles)) as pipeline, seldom_collected():
        topics = Topics(bus, configuration, from_start=True)

        def tell() -> None:
            for event in topics.new():
                say(line(event))
                (written_causes if isinstance(event, RootCauseEvent) else written).write(event.model_dump_json() + "\n")
                if isinstance(event, DriftEvent):
                    found.append(event)

        began = looked = time.perf_counter()
        for _ in pipeline.run_until_end():
            if time.perf_counter() - looked >= _LOOK_EVERY_S:
                tell()
                looked = time.perf_counter()
        tell()
        totals, seconds = pipeline.totals, time.perf_counter() - began
        apart = differing(bus, recorded, configuration) if decided else 0
    episodes = sum(event.status == "opened" for event in found)
    skipped = f"{totals['skipped']:,} records that are no rows, " if totals["skipped"] else ""
    if totals["would_have_asked"]:
        say(f"{totals['would_have_asked']:,} golden evaluations would have been asked for that the recording does not hold", err=True)
    if totals["cases_differing"]:
        say(f"{totals['cases_differing']:,} cases would have been drawn for review that the recording does not hold", err=True)
    if not decided and ledger.asked(configuration):
        say("jobs: the ledger was made anew, and another run may order its facts otherwise: see docs/actions.md#time", err=True)
    if apart:
        say(f"{apart:,} requests and states of jobs are not those of the recording", err=True)
    say(
        f"{totals['rows']:,} rows, {skipped}{totals['buckets']:,} buckets, {totals['dead_letters']:,} dead letters, "
        f"{episodes} episodes; {totals['rows'] / seconds:,.0f} rows/s"
    )
    return found
