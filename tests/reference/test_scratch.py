"""What lies on a disk only as long as something is done is gone when it ends, however it is ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from driftbus.consumers.reference.scratch import scratch

from ..waiting import until

HOLDS = """
from threading import Event
from driftbus.consumers.reference.scratch import scratch
with scratch('rows') as folder:
    open(folder + '/rows', 'w').write('1')
    while True:
        Event().wait(0.1)
"""
NESTED = HOLDS.replace("        Event()", "        with scratch():\n            Event()")
DEMO = "from driftbus.consumers.command.main import main\nmain(['demo'{}])"
#: By what is done.
DOES = {"itself": HOLDS, "two": NESTED, "loop": DEMO.format(""), "drift": DEMO.format(", '--drift'")}


@pytest.mark.parametrize(
    ("does", "number"),
    [
        ("itself", signal.SIGTERM),
        ("itself", signal.SIGHUP),
        ("itself", signal.SIGINT),
        ("two", signal.SIGTERM),
        ("loop", signal.SIGTERM),
        ("drift", signal.SIGTERM),
    ],
)
def test_nothing_is_left_by_who_is_told_to_end(tmp_path: Path, does: str, number: signal.Signals) -> None:
    temporary, code = tmp_path / "temporary", [sys.executable, "-c", DOES[does]]
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        code, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until(lambda: any(temporary.glob("driftbus-*/*")), 120)
            process.send_signal(number)
            ended = process.wait(120)
        finally:
            process.kill()
    assert ended == -number
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("heard", [(), (signal.SIGTERM,), (signal.SIGTERM, signal.SIGHUP)], ids=["none", "one", "both"])
def test_a_signal_that_somebody_listens_to_is_theirs(heard: Sequence[signal.Signals]) -> None:
    told: list[int] = []
    found = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    before = {number: signal.signal(number, lambda number, _: told.append(number)) for number in heard}
    try:
        with scratch() as folder:
            for number in heard:
                os.kill(os.getpid(), number)
            assert Path(folder).is_dir()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert told == list(heard)
    assert not Path(folder).exists()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == found
