"""Folders for what lies on a disk only as long as something is done: they hold rows of users, and do not outlive it."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: What ends a process without a word: the folders go first.
_ENDS = (signal.SIGTERM, signal.SIGHUP)
_held: list[str] = []


@contextmanager
def scratch(purpose: str | None = None) -> Iterator[str]:
    """A folder of the system's temporary files, gone at the end of the block, or of the process by a signal.

    A signal that somebody listens to is theirs. Nothing is raised by one: who clears up after himself might pass over that.
    """
    main = threading.current_thread() is threading.main_thread()
    unheard = [number for number in _ENDS if main and signal.getsignal(number) is signal.SIG_DFL]
    with tempfile.TemporaryDirectory(prefix="driftbus-" if purpose is None else f"driftbus-{purpose}-") as folder:
        _held.append(folder)
        try:
            for number in unheard:
                signal.signal(number, _end)
            yield folder
        finally:
            for number in unheard:
                signal.signal(number, signal.SIG_DFL)
            _held.remove(folder)


def _end(number: int, _: FrameType | None) -> None:
    for folder in _held:
        shutil.rmtree(folder, ignore_errors=True)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
