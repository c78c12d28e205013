"""The first signal asks, the second ends at once, and the first ends in bounded time where nobody listens."""

import signal
import subprocess
import sys

import pytest

#: A process that is told to stop and does not listen, deep in something that does not come back; its arguments: seconds it is given, and
#: whether what it waits for gives up when it is told to.
_DEAF = """
import sys, threading
from driftbus.consumers.bus.interface import Stopped
from driftbus.consumers.process import stopping
stopping.ENDS_S = float(sys.argv[1])
given_up = threading.Event()
with stopping.stopped_by_signals(given_up.set) as asked:
    print("here", flush=True)
    if sys.argv[2] == "gives up":
        given_up.wait()
        raise Stopped("a commit")
    threading.Event().wait() if sys.argv[2] == "waits" else [None for _ in iter(int, 1)]
print("ended in peace", asked.is_set())
"""


def _deaf(seconds: float, how: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _DEAF, str(seconds), how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


@pytest.mark.parametrize("how", ["waits", "computes"])
@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(signal.SIGTERM, signal.SIGTERM, 143), (signal.SIGINT, signal.SIGINT, 130), (signal.SIGTERM, signal.SIGINT, 130)],
)
def test_a_second_signal_ends_at_once(how: str, first: signal.Signals, second: signal.Signals, code: int) -> None:
    with _deaf(600, how) as process:
        process.send_signal(first)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.3)
        process.send_signal(second)
        _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert "asked a second time" in told


@pytest.mark.parametrize("how", ["waits", "computes"])
def test_the_first_ends_it_when_its_time_is_over(how: str) -> None:
    with _deaf(0.2, how) as process:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "what was not committed is read again" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_given_up_ends_in_peace(number: signal.Signals) -> None:
    with _deaf(600, "gives up") as process:
        process.send_signal(number)
        told, _ = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, "ended in peace True\n")
