"""``driftbus record``: input topics as a file that `driftbus replay` reads."""

from pathlib import Path

import click

from ...schemas.configuration import Configuration
from ..bus.recording import write_recording
from ..replay.terminal import say
from .configured import configured
from .opened import opened


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@configured
def record(configuration: Configuration, file: Path) -> None:
    """Write every record of the streams' topics, as far as they are there now, and the announced references into FILE (JSON lines).

    Offsets, times, keys, headers and topic ids are kept, so that `driftbus replay FILE` publishes what was published live.
    """
    inputs = dict.fromkeys(topic for stream in configuration.streams.values() for topic in stream.topics)
    with opened(configuration) as bus:
        count = write_recording(bus, [*inputs, configuration.topics.models], file)
    say(f"{count:,} records of {', '.join(inputs)} in {file}; next: driftbus replay {file}")
