"""An incident's recording through the product, by the functions of `driftbus replay`; the root causes that come out."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from driftbus.consumers.command.opened import opened
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.replay.offline import load
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.root_cause import RootCauseEvent

from ..streaming import everything
from .recorded import VERSION


def causes(configuration: Configuration, recording: Path) -> list[RootCauseEvent]:
    """All that is told of it, in its order."""
    with TemporaryDirectory() as folder:
        offline, _ = load(configuration, recording, None, VERSION, Path(folder))
        with opened(offline) as bus:
            with closing(Pipeline(bus, offline)) as pipeline:
                for _ in pipeline.run_until_end():
                    pass
            events = (event for found in everything(bus, offline.topics.root_causes).values() for event in found)
            return [RootCauseEvent.decoded(event.value) for event in events]
