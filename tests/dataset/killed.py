"""Builds the data of a request, and is killed at every step on the way: ``python -m tests.dataset.killed REQUEST OUT``."""

import os
import signal
import sys
from contextlib import closing
from itertools import count
from pathlib import Path

from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.dataset.build import build
from driftbus.consumers.process.settings import load
from driftbus.schemas.messages.retrain import RetrainRequest

#: What is done to the folder, and to what is in it.
STEPS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")


def killed_at(step: int, request: RetrainRequest, out: Path) -> bool:
    """Whether another process was, in front of that step; else it came to its end."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    left, part = count(-step), str(out.with_name(f".{out.name}.part").absolute())

    def told(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and str(arguments[0]).startswith(part) and not next(left):
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load()
    with closing(open_bus(settings)) as bus:
        sys.addaudithook(told)
        build(bus, settings, request, out)
    os._exit(0)


def main() -> None:
    request, out = RetrainRequest.decoded(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2])
    for step in count():
        if not killed_at(step, request, out):
            print(step)
            return
        assert not out.exists(), step


if __name__ == "__main__":
    main()
