from collections.abc import Iterator
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.bus.kafka import KafkaBus

from .worlds import World


def _in_memory() -> World:
    log = EmbeddedBus(":memory:", "nobody", "nobody")
    world = World(lambda instance, application: log.as_instance(instance, application))
    world.opened.append(log)
    return world


@pytest.fixture
def cluster(kafka: str) -> Iterator[World]:
    """On Kafka alone."""
    world = World(lambda instance, application: KafkaBus({"bootstrap.servers": kafka}, application, instance))
    yield world
    world.close()


@pytest.fixture(params=["memory", "file", pytest.param("kafka", marks=pytest.mark.kafka)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Each implementation in turn."""
    if request.param == "memory":
        world = _in_memory()
    elif request.param == "file":
        world = World(lambda instance, application: EmbeddedBus(str(tmp_path / "bus.sqlite"), application, instance))
    else:
        address: str = request.getfixturevalue("kafka")

        def on_kafka(instance: str, application: str) -> Bus:
            return KafkaBus({"bootstrap.servers": address}, application, instance)

        world = World(on_kafka)
    yield world
    world.close()
