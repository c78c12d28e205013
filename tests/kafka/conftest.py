"""Brokers that tests may kill."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..needs import tools_for_brokers

_SCRIPT = Path(__file__).parent.parent.parent / "deploy" / "kafka" / "kafka.py"


@pytest.fixture
def three_brokers(tmp_path: Path) -> Iterator[Any]:  # the script's Cluster: deploy/ is no package
    """Three brokers, every topic on all of them: `address`, `kill(node)`, `start()` brings the killed back."""
    tools_for_brokers()
    spec = importlib.util.spec_from_file_location("deploy_kafka", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    cluster = script.Cluster(tmp_path / "cluster")
    try:
        cluster.start(brokers=3)
        yield cluster
    finally:
        cluster.stop()
