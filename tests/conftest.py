"""What all tests share: a real Kafka, and the word about what was left out for want of one."""

from collections.abc import Iterator

import hypothesis
import pytest

from .broker import Broker, broker
from .needs import HOW

_taken: list[Broker] = []
_left_out: set[str] = set()

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no error of what is tested
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka (`tests/broker.py` says which). With CI=true there must be one."""
    with broker(tmp_path_factory.mktemp("kafka") / "cluster") as found:
        _taken.append(found)
        yield found.address


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and "kafka" in report.keywords:
        _left_out.add(report.nodeid)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    for found in _taken:
        terminalreporter.write_line(f"Kafka at {found.address}, from {found.source}.")
    if _left_out:
        terminalreporter.write_line(f"Left out: {len(_left_out)} tests that need a real Kafka. To run them, {HOW}.", yellow=True)
