"""Programs of other people, in environments of their own: made once, and run on the loopback interface for as long as a block."""

import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_STARTS_S = 180
_LAST_WORDS = 3_000


def environment(name: str, requirement: str) -> Path:
    """The folder of an environment beside the checkout's own, with what is required; made where it is missing."""
    folder = Path(__file__).parents[1] / name
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True, clear=True, symlinks=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", requirement], check=True)
        (folder / ".ready").touch()
    return folder


def free_port() -> int:
    """One that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(command: Sequence[str | Path], folder: Path, variables: Mapping[str, str], answers: Callable[[], object]) -> Iterator[None]:
    """A server at work in a folder, from its first answer on: until then asking raises `OSError`. Who ends before, tells why."""
    log = folder / "server.log"
    with log.open("wb") as words:
        started = subprocess.Popen(command, stdout=words, stderr=words, env=os.environ | variables, cwd=folder)
    try:
        for _ in range(_STARTS_S):
            if started.poll() is not None:
                sys.exit(log.read_text()[-_LAST_WORDS:])
            try:
                answers()
                break
            except OSError:
                time.sleep(1)
        yield
    finally:
        started.terminate()
        started.wait(30)
