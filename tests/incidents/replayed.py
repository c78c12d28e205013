"""An incident through the product, by the functions of `driftbus replay` or by a Kafka; the root causes that come out."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.command.opened import opened
from driftbus.consumers.pipeline.own_topics import own_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.replay.offline import load
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.root_cause import RootCauseEvent

from ..streaming import everything
from .recorded import VERSION, Optional, fill
from .rows import Incident


def causes(configuration: Configuration, recording: Path) -> list[RootCauseEvent]:
    """All that is told of a recording, in its order."""
    with TemporaryDirectory() as folder:
        offline, _ = load(configuration, recording, None, VERSION, Path(folder))
        with opened(offline) as bus:
            return _run(bus, offline)


def causes_on_kafka(incident: Incident, configuration: Configuration, streams: Optional, address: str) -> list[RootCauseEvent]:
    """The same from a broker's topics, which are removed behind it."""
    configuration = configuration.model_copy(update={"bus": "kafka", "kafka": {"bootstrap.servers": address}})
    with opened(configuration, None) as bus:
        topics = {one.name for one in own_topics(configuration)}
        try:
            topics |= {*fill(bus, incident, configuration, streams)}
            return _run(bus, configuration)
        finally:
            for topic in bus.describe(sorted(topics)):
                bus.delete(topic)


def _run(bus: Bus, configuration: Configuration) -> list[RootCauseEvent]:
    with closing(Pipeline(bus, configuration)) as pipeline:
        for _ in pipeline.run_until_end():
            pass
    events = (event for found in everything(bus, configuration.topics.root_causes).values() for event in found)
    return [RootCauseEvent.decoded(event.value) for event in events]
