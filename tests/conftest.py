"""What all tests share: a real Kafka, and the word about what was left out for want of one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from .needs import HOW, tools_for_brokers

_SCRIPT = Path(__file__).parent.parent / "deploy" / "kafka" / "kafka.py"
_left_out: set[str] = set()

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no error of what is tested
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka: the one that is given, else one that is started. With CI=true there must be one."""
    given = os.environ.get("DRIFTBUS_TEST_KAFKA")
    if given:
        yield given
        return
    tools_for_brokers()
    directory = tmp_path_factory.mktemp("kafka") / "cluster"
    command = [sys.executable, str(_SCRIPT), "--port", "0", "--directory", str(directory)]
    try:
        started = subprocess.run([*command, "start"], capture_output=True, text=True, timeout=300)
        if started.returncode:
            pytest.fail(f"no Kafka could be started ({started.stderr.strip()}): {HOW}", pytrace=False)
        yield started.stdout.strip()
    finally:
        subprocess.run([*command, "stop"], check=True, timeout=60)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and "kafka" in report.keywords:
        _left_out.add(report.nodeid)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    if _left_out:
        terminalreporter.write_line(f"Left out: {len(_left_out)} tests that need a real Kafka. To run them, {HOW}.", yellow=True)
