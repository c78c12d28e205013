"""An input topic that is deleted and made again while it is read, or between two processes: told, and read from its beginning."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.profiler.profiler import Profiler
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane

from ..streaming import configuration, everything, prepare, reference, rows, send

pytestmark = pytest.mark.kafka

_LONG_S = 60


def profiler(bus: KafkaBus, settings: Configuration) -> Profiler:
    references = HeldReferences(bus, settings, ArtifactStore(settings.artifacts))
    decoder = JSONDecoder(settings.streams["predictions"].mapping)
    return Profiler(bus, settings, "predictions", decoder, references, lambda: time.time_ns() // 1_000_000)


def until(one: Profiler, claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONG_S
    while not claim():
        assert time.monotonic() < deadline
        one.turn(0.1)


def counted(bus: KafkaBus, settings: Configuration) -> int:
    found = (event for events in everything(bus, settings.topics.summaries).values() for event in events)
    return sum(Pane.decoded(event.value).rows for event in found if dict(event.headers)["ce_type"] == b"io.driftbus.pane")


def told(bus: KafkaBus, settings: Configuration) -> int:
    found = (event for events in everything(bus, settings.topics.drift).values() for event in events)
    return sum(dict(event.headers)["ce_type"] == b"io.driftbus.notice.made_again" for event in found)


@pytest.mark.parametrize("seconds", [3, 15, 60], ids=["shorter", "as long", "longer"])
@pytest.mark.parametrize("running", [True, False], ids=["while it is read", "between two processes"])
def test_it_is_read_from_its_beginning(kafka: str, tmp_path: Path, seconds: int, running: bool) -> None:
    name = f"again-{seconds}-{running}".lower()
    stream = {"topics": [name], "clock": "live", "pane": "1s", "linger": "200ms"}
    bus_of = {"bus": "kafka", "kafka": {"bootstrap.servers": kafka}, "topics": {"prefix": name}}
    settings = configuration(application=name, artifacts=str(tmp_path), stream=stream, **bus_of)
    with closing(KafkaBus(settings.kafka, name, "one")) as bus:
        prepare(bus, settings, [reference("m0")])
        first = rows(15, ["m0"])
        send(bus, first, topic=name)
        one = profiler(bus, settings)
        until(one, lambda: counted(bus, settings) == len(first))
        if not running:
            one.close()
        bus.delete(name)
        bus.create(name, 4, settings={"retention.ms": "-1"})
        second = rows(seconds, ["m0"], seed=2)
        send(bus, second, topic=name)
        if not running:
            one = profiler(bus, settings)
        until(one, lambda: counted(bus, settings) == len(first) + len(second))
        assert told(bus, settings) == 4 if running else told(bus, settings) <= 4
        one.close()
