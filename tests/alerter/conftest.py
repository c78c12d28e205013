"""A bus, and an Alertmanager that says what it was told."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus

from .alertmanagers import Alertmanager, alertmanager


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    with closing(EmbeddedBus(":memory:", "app", "one")) as one:
        yield one


@pytest.fixture
def server() -> Iterator[Alertmanager]:
    with alertmanager() as one:
        yield one
