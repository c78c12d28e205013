"""A process beside another: it ends with it, however that ends."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

#: Several things, of which each says who does it and does nothing else for longer than anybody waits.
BUSY = """
import os, signal, sys, time
from driftbus.consumers.process.beside import process_beside

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs tests in the background ignores it, and so would this
signal.signal(signal.SIGHUP, signal.SIG_DFL)

def work():
    print(os.getpid(), flush=True)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pass

if __name__ == "__main__":
    with process_beside() as other:
        for _ in range(3):
            other.submit(work)
        sys.stdin.readline()
        raise SystemExit(3)
"""
SIGNALS = [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT, signal.SIGHUP, signal.SIGINT]


@pytest.mark.parametrize("number", [*SIGNALS, None])
def test_it_ends_with_its_parent(number: signal.Signals | None, tmp_path: Path) -> None:
    """In the middle of its work, by a signal or an error (None)."""
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, str(script)], text=True, **streams) as parent:  # type: ignore[call-overload]
        assert parent.stdout is not None
        other = int(parent.stdout.readline())
        if number is not None:
            parent.send_signal(number)
        try:
            rest, _ = parent.communicate("\n" if number is None else None, timeout=20)  # until nobody holds the other end
        finally:
            with suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)
        assert (rest, parent.returncode) == ("", 3 if number is None else -number)


def test_what_it_was_given_is_waited_for(tmp_path: Path) -> None:
    script = tmp_path / "quick.py"
    script.write_text("""
import time
from driftbus.consumers.process.beside import process_beside

def work(number):
    time.sleep(0.1)
    return number * number

if __name__ == "__main__":
    with process_beside() as other:
        some = [other.submit(work, number) for number in range(5)]
    print(*(one.result() for one in some))
""")
    assert subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout == "0 1 4 9 16\n"
