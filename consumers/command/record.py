"""``driftbus record``: input topics as a file that `driftbus replay` reads."""

from pathlib import Path

import click

from ...schemas.configuration import Configuration
from ..bus.recording import write_recording
from ..reference import feedback, golden_records, ledger, reviews
from ..reference.files import written_whole
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .outputs import inputs_of, refuse_inputs


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@configured
def record(configuration: Configuration, file: Path) -> None:
    """Write every record of the streams' topics, as far as they are there now, all that was said and asked of models, reviews,
    feedback and jobs, into FILE (JSON lines).

    Offsets, times, keys, headers and topic ids are kept, so that `driftbus replay FILE` publishes what was published live.
    """
    refuse_inputs({"FILE": file}, dict(inputs_of(configuration)))
    if file.is_file() and file.stat().st_size:
        msg = f"{file} is there already, and may hold what its topics no longer do; name another file, or remove it"
        raise click.UsageError(msg)
    inputs = configuration.inputs
    with opened(configuration) as bus, written_whole(file) as place:
        ours = [configuration.topics.models]
        ours += [configuration.topics.golden] if golden_records.asked(configuration) else []
        ours += [configuration.topics.reviews] if reviews.asked(configuration) else []
        ours += [configuration.topics.feedback] if feedback.asked(configuration) else []
        ours += [configuration.topics.actions, configuration.topics.retrain] if ledger.asked(configuration) else []
        count = write_recording(bus, [*inputs, *ours], place)
    if any(configuration.withholds(name) for name in configuration.read):
        say(
            "the recording holds these topics as they are: models.NAME.personal leaves nothing out of it; keep it as you keep them",
            err=True,
        )
    say(f"{count:,} records of {', '.join(inputs)} in {file}; next: driftbus replay {file}")
