"""What becomes of a test that needs a real Kafka where there is none: left out, or in the gate a failure; each says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .broker import GIVEN

_ONE = "tests/bus/test_kafka.py::test_what_the_broker_refuses_for_good_is_said_and_not_repeated"


@pytest.mark.parametrize(("ci", "code", "told"), [("true", 1, "1 error"), ("", 0, "1 skipped")])
def test_without_any_kafka(tmp_path: Path, ci: str, code: int, told: str) -> None:
    """No broker is named, no engine answers, and there is no Java on the path."""
    nowhere = {"PATH": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/docker.sock", "CI": ci}
    environment = {name: value for name, value in os.environ.items() if name != GIVEN} | nowhere
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", _ONE]
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout
    assert GIVEN in done.stdout
    assert "java" in done.stdout
