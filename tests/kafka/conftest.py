"""Brokers that tests may kill."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = Path(__file__).parent.parent.parent / "deploy" / "kafka" / "kafka.py"


@pytest.fixture
def three_brokers(tmp_path: Path) -> Iterator[Any]:  # the script's Cluster: deploy/ is no package
    """Three brokers, every topic on all of them: `address`, `kill(node)`, `start()` brings the killed back."""
    if os.environ.get("CI") != "true" and (missing := [tool for tool in ("java", "mvn") if shutil.which(tool) is None]):
        pytest.skip(f"needs three brokers of its own, and there is no {' and no '.join(missing)} to start them")
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
