"""Starts the product's processes by forking one that has imported everything: a kill then meets a process at work, not at its imports.

``python -m tests.kafka.nursery`` answers each line of its input by one of JSON. A list of a log, a crash switch or null, and arguments:
the process id of ``driftbus`` with these, whose words go to the log. ``null``: all ids that have ended so far, with their exit codes. At
the end of its input it kills those that are left.
"""

import importlib
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from driftbus.consumers.command.main import main

from .determinism.crashing import Switch, install

#: What `driftbus run` imports when it is called.
_LATE = ("driftbus.consumers.command.run", "driftbus.consumers.command.errors", "driftbus.consumers.bus.kafka", "river.drift")
_FAREWELL_S = 120

Answer = TypeVar("Answer")
#: A log's name; point, hits and log of a switch; arguments.
Birth = tuple[str, tuple[str, int, str] | None, list[str]]


class Nursery:
    """One of one's own. Its processes die with it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        self._answer(int)

    def start(self, log: Path, *arguments: str, switch: tuple[str, int, str] | None = None) -> int:
        """``driftbus ARGUMENTS``; its process id."""
        birth: Birth = str(log), switch, list(arguments)
        return self._ask(birth, int)

    def ended(self) -> dict[int, int]:
        """Exit codes, by process id, of all that have ended."""
        return self._ask(None, dict[int, int])

    def close(self) -> None:
        """Leave no process behind."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_FAREWELL_S)
        self._process.stdout.close()

    def _ask(self, what: object, kind: type[Answer]) -> Answer:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(what) + b"\n")
        self._process.stdin.flush()
        return self._answer(kind)

    def _answer(self, kind: type[Answer]) -> Answer:
        assert self._process.stdout is not None
        return msgspec.json.decode(self._process.stdout.readline(), type=kind, strict=False)


def _become(birth: Birth) -> None:
    """The product itself, in a forked process."""
    name, switch, arguments = birth
    log = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for here, there in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(here, there)
    if switch is not None:
        install(Switch(*switch))
    main(arguments)


def _start(birth: Birth) -> int:
    if pid := os.fork():
        return pid
    code = 1
    try:
        _become(birth)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # what an interpreter does with it
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _reap(ended: dict[int, int]) -> dict[int, int]:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    return ended


def _nurse() -> None:
    """Answer until there is nothing more to answer."""
    started, ended = list[int](), dict[int, int]()
    print("0", flush=True)
    for line in sys.stdin:
        birth = msgspec.json.decode(line, type=Birth | None)
        if birth is not None:
            started.append(_start(birth))
            print(started[-1], flush=True)
        else:
            print(msgspec.json.encode(_reap(ended)).decode(), flush=True)
    for pid in set(started) - _reap(ended).keys():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    for module in _LATE:
        importlib.import_module(module)
    _nurse()
