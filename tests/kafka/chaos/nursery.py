"""Starts the product's processes by forking one that has imported everything: a kill then meets a process at work, not at its imports.

``python -m tests.kafka.chaos.nursery FOLDER`` answers each line of its input by one of JSON. ``start NAME ROLE``: the process id of
``driftbus run ROLE`` with ``NAME.yaml``, whose words go to ``NAME.log``. ``ended``: all ids that have ended so far, with their exit codes.
At the end of its input it kills those that are left.
"""

import importlib
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from driftbus.consumers.command.main import main

#: What `driftbus run` imports when it is called.
_LATE = ("driftbus.consumers.command.run", "driftbus.consumers.command.errors", "driftbus.consumers.bus.kafka", "river.drift")


def _become(folder: Path, name: str, role: str) -> None:
    """The product itself, in a forked process."""
    log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for here, there in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(here, there)
    main(["run", role, "--config", str(folder / f"{name}.yaml")])


def _start(folder: Path, name: str, role: str) -> int:
    if pid := os.fork():
        return pid
    code = 1
    try:
        _become(folder, name, role)
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


def nurse(folder: Path) -> None:
    """Answer until there is nothing more to answer."""
    started, ended = list[int](), dict[int, int]()
    print("0", flush=True)
    for line in sys.stdin:
        what, *arguments = line.split()
        if what == "start":
            started.append(_start(folder, *arguments))
            print(started[-1], flush=True)
        else:
            print(msgspec.json.encode(_reap(ended)).decode(), flush=True)
    for pid in set(started) - _reap(ended).keys():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    for module in _LATE:
        importlib.import_module(module)
    nurse(Path(sys.argv[1]))
