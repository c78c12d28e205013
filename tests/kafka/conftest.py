"""Brokers that tests may kill."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..needs import tools_for_brokers
from .cluster import cluster


@pytest.fixture(scope="session")
def three_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:  # the script's Cluster
    """Three brokers, a topic on all of them unless it says otherwise: `address`, `kill(node)`, `start()` brings the killed back.

    Whoever kills one brings it back.
    """
    tools_for_brokers()
    yield from _running(tmp_path_factory.mktemp("three") / "cluster", 3)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:  # the script's Cluster
    """One broker that is nobody else's."""
    tools_for_brokers()
    yield from _running(tmp_path_factory.mktemp("own") / "cluster", 1)


def _running(folder: Path, brokers: int) -> Iterator[Any]:
    made = cluster(folder)
    try:
        made.start(brokers=brokers)
        yield made
    finally:
        made.stop()
