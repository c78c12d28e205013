"""The process in which Apprise speaks, from outside: an answer by the deadline, or the process is gone."""

import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress

import msgspec

from . import child


class NoAnswer(Exception):
    """None came in time; the process is gone."""


class Saying:
    """One address. The process lives from the first message to `rest`."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._changing, self._stopped = threading.Lock(), False

    def say(self, message: dict[str, str]) -> int:
        """One message; empty: whether the address is one. Raises `NoAnswer`."""
        with self._changing:
            if self._stopped:
                return child.NOT_SAID
            if self._process is None:
                words = [sys.executable, "-P", child.__file__]
                self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        deadline, answer = time.monotonic() + self._timeout_s, b""
        with suppress(BrokenPipeError):  # it was killed: there is no answer
            process.stdin.write(msgspec.json.encode({"url": self._url, **message}) + b"\n")
            process.stdin.flush()
            while not answer.endswith(b"\n"):
                ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
                piece = os.read(process.stdout.fileno(), 16) if ready else b""
                if not piece:
                    break
                answer += piece
        if not answer.endswith(b"\n"):
            self.rest()
            raise NoAnswer
        return int(answer)

    def rest(self) -> None:
        """It is gone until the next message."""
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            with process:
                pass

    def stop(self) -> None:
        """From any thread: say nothing more."""
        with self._changing:
            self._stopped = True
            if self._process is not None:
                self._process.kill()
