import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.kafka import KafkaBus

from .worlds import FOLDS, World, settings_of

#: So soon a consumer notices that a topic ends: one role after another waits for that.
ENDS_MS = 30


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world on each bus in turn, under a name of its own."""
    settings = settings_of(tmp_path, f"app-{uuid.uuid4().hex[:8]}")
    if request.param == "embedded":
        log = EmbeddedBus(":memory:", settings.application, "log")
        world = World(log.as_instance, settings, tmp_path, [log])
    else:
        address: str = request.getfixturevalue("kafka")

        def opens(instance: str) -> KafkaBus:
            return KafkaBus({"bootstrap.servers": address, "fetch.wait.max.ms": ENDS_MS}, settings.application, instance)

        world = World(opens, settings, tmp_path, address=address, deaths=(0,), dying=FOLDS[::4])
    yield world
    world.close()
