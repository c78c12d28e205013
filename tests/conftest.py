"""What all tests share: a real Kafka, how they are shared out to processes, and the word about what was left out for want of a Kafka."""

from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest

from .broker import Broker, broker
from .needs import HOW

_taken: list[Broker] = []
_left_out: set[str] = set()

#: Many processes that die and are compared, and what is told in the seconds of a silence: one after another, and beside nothing else.
_ALONE = "tests/kafka/determinism/", "tests/kafka/chaos/", "tests/kafka/test_silent_broker.py"
#: So long that one process with all of it would be the last: each test of it may go to another.
_DIVIDED = "tests/battery/"

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no error of what is tested
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka (`tests/broker.py` says which). With CI=true there must be one."""
    with broker(tmp_path_factory.mktemp("kafka") / "cluster") as found:
        _taken.append(found)
        yield found.address


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last come those that keep all of a machine busy: beside them nothing else runs."""
    items.sort(key=lambda item: item.nodeid.startswith(_ALONE))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:  # of a plugin that need not be there
    """With `-n`: a file is one process's, and so are all that run alone."""
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(_DIVIDED):
                return nodeid
            return "alone" if nodeid.startswith(_ALONE) else super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return Files(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was logged goes to the process that prints it as UTF-8, in which there are no halves of characters."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was taken to the process that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["kafka"] = [tuple(found) for found in _taken]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # of a plugin that need not be there
    _taken.extend(Broker(*found) for found in getattr(node, "workeroutput", {}).get("kafka", ()))


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
