"""A process beside another: it ends with it, however that ends."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

#: It says who works, and does nothing else for longer than anybody waits.
BUSY = """
import os, time
from driftbus.consumers.process.beside import process_beside

def work():
    print(os.getpid(), flush=True)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pass

if __name__ == "__main__":
    with process_beside() as other:
        other.submit(work)
        time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT, signal.SIGHUP])
def test_it_ends_with_its_parent(number: signal.Signals, tmp_path: Path) -> None:
    """In the middle of its work, and though nobody closed anything."""
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        other = int(parent.stdout.readline())
        parent.send_signal(number)
        try:
            rest, _ = parent.communicate(timeout=20)  # until nobody holds the other end
        finally:
            with suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)
        assert (rest, parent.returncode) == ("", -number)
