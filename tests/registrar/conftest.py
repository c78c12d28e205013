"""A bus, and a registry, of a test's own."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus

from .servers import Registry, serving
from .worlds import APPLICATION


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", APPLICATION, "one")) as one:
        yield one


@pytest.fixture
def server() -> Iterator[Registry]:
    with serving() as one:
        yield one
