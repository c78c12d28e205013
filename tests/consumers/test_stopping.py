"""The first signal asks, the second ends at once, and the first ends in bounded time where nobody listens."""

import signal
import subprocess
import sys

import pytest

#: A process that is told to stop and does not listen, deep in something that does not come back; its arguments: seconds it is given, and
#: what it is in. "in a client": code that is none of Python's, which runs no signal handler before that has come back.
_DEAF = """
import ctypes, sys, threading
from driftbus.consumers.bus.interface import Stopped
from driftbus.consumers.process import stopping
stopping.ENDS_S = float(sys.argv[1])
given_up, how = threading.Event(), sys.argv[2]
with stopping.stopped_by_signals() as asked:
    if how != "opens":
        asked.calls(given_up.set)
    print("here", flush=True)
    if how == "makes":
        given_up.wait()
        asked.calls(given_up.clear)  # what is made meanwhile is told, too
        assert not given_up.is_set()
        raise Stopped("a first read")
    if how == "gives up":
        given_up.wait()
        raise Stopped("a commit")
    if how == "closes":
        given_up.wait()
        for _ in range(2):  # one after the other
            threading.Event().wait()
    mutex = ctypes.create_string_buffer(128)
    for _ in range(2 if how == "in a client" else 0):
        ctypes.CDLL(None).pthread_mutex_lock(mutex)
    threading.Event().wait() if how != "computes" else [None for _ in iter(int, 1)]
print("ended in peace", asked.asked)
"""


def _deaf(seconds: float, how: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _DEAF, str(seconds), how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


@pytest.mark.parametrize("how", ["waits", "computes", "closes", "in a client"])
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


@pytest.mark.parametrize("how", ["waits", "computes", "closes", "in a client"])
def test_the_first_ends_it_when_its_time_is_over(how: str) -> None:
    with _deaf(0.2, how) as process:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "what was not committed is read again" in told


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_first_ends_at_once_what_has_not_begun(number: signal.Signals, code: int) -> None:
    """A bus that is being opened: also where the process is a container's first, which would not die of what it does not listen to."""
    with _deaf(600, "opens") as process:
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert "asked before it had begun" in told


@pytest.mark.parametrize("how", ["gives up", "makes"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_given_up_ends_in_peace(number: signal.Signals, how: str) -> None:
    with _deaf(600, how) as process:
        process.send_signal(number)
        told, _ = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, "ended in peace True\n")
