"""Brokers that tests may kill."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..needs import tools_for_brokers
from .cluster import cluster


@pytest.fixture
def three_brokers(tmp_path: Path) -> Iterator[Any]:  # the script's Cluster
    """Three brokers, every topic on all of them: `address`, `kill(node)`, `start()` brings the killed back."""
    tools_for_brokers()
    brokers = cluster(tmp_path / "cluster")
    try:
        brokers.start(brokers=3)
        yield brokers
    finally:
        brokers.stop()
