"""A function of Python, called in a process of its own: it may hang, or die, and take nobody with it."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from . import child
from .answers import MOST_BYTES, Erred, Invalid, TimedOut, decoded, found

#: Bytes at a time; seconds that it may outlive its time, where nobody kills it.
_PIECE, _SLACK_S = 1 << 16, 5


class NotLoaded(Erred):
    """There is no such function, or what it is made of cannot be loaded: ``why``, as Python says it."""

    def __init__(self, why: str) -> None:
        super().__init__("the function cannot be loaded")
        self.why = why


class FunctionProcess:
    """One function, used by one thread; its process is started when it is first needed, and again where it ended.

    Parameters
    ----------
    named
        ``package.module:function``, or a class.
    made_of
        With a class: what its instance is made of, whose ``encode`` is called.
    most_starts
        Of the process; None: as many as it takes.
    """

    def __init__(self, named: str, made_of: str | None = None, most_starts: int | None = None) -> None:
        self._named = [named] if made_of is None else [named, made_of]
        self._most_starts = most_starts
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._closed = False
        self._changing = threading.Lock()

    def start(self, deadline: float) -> None:
        """Have it ready by a time of the monotonic clock. Raises `NotLoaded`, `TimedOut`, `Erred`, `Invalid`."""
        try:
            self._running(deadline)
        except (TimedOut, Erred, Invalid):
            self._kill()
            raise

    def call(self, arguments: Sequence[object], answers: int, deadline: float) -> list[object]:
        """What the function returns for these: a list of so many. Raises `TimedOut`, `Erred`, `Invalid`."""
        frame = msgspec.json.encode({"arguments": arguments, "within_s": deadline - time.monotonic() + _SLACK_S})
        try:
            process = self._running(deadline)
            self._send(process, child.LENGTH.pack(len(frame)) + frame, deadline)
            answer = self._frame(process, deadline)
        except (TimedOut, Erred, Invalid):
            self._kill()
            raise
        if isinstance(answer, dict) and "raised" in answer:
            msg = "the function raised an error"
            raise Erred(msg)
        returned = found(answer, ["answers"], "answers")
        if not isinstance(returned, list) or len(returned) != answers:
            msg = f"{len(returned) if isinstance(returned, list) else 'no list of'} answers for {answers} rows"
            raise Invalid(msg)
        return returned

    def cut(self) -> None:
        """From any thread: kill it, and whatever it has started. Whoever waits for its answer is told by the end of the pipe."""
        with self._changing:
            self._closed = True
            if self._process is not None:
                _killed(self._process)

    def close(self) -> None:
        """It is gone, and nothing of it left."""
        with self._changing:
            self._closed = True
        self._kill()

    def _running(self, deadline: float) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        with self._changing:
            if self._closed:
                raise TimedOut
            if self._starts == self._most_starts:
                msg = f"the function's process ended {self._starts} times"
                raise Erred(msg)
            self._starts += 1
            within_s = deadline - time.monotonic() + _SLACK_S
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", child.__file__, str(within_s), *self._named],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        ready = self._frame(process, deadline)
        if isinstance(ready, dict) and "unusable" in ready:
            raise NotLoaded(str(ready["unusable"]))
        return process

    def _send(self, process: subprocess.Popen[bytes], content: bytes, deadline: float) -> None:
        assert process.stdin is not None
        left = memoryview(content)
        while left:
            _, ready, _ = select.select([], [process.stdin], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimedOut
            try:
                left = left[os.write(process.stdin.fileno(), left[:_PIECE]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended() from None

    def _frame(self, process: subprocess.Popen[bytes], deadline: float) -> object:
        length = child.LENGTH.unpack(self._read(process, child.LENGTH.size, deadline))[0]
        if length > MOST_BYTES:
            msg = f"the answer has more than {MOST_BYTES:,} bytes"
            raise Invalid(msg)
        return decoded(self._read(process, length, deadline))

    def _read(self, process: subprocess.Popen[bytes], length: int, deadline: float) -> bytes:
        assert process.stdout is not None
        pieces, left = list[bytes](), length
        while left:
            try:
                ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
                piece = os.read(process.stdout.fileno(), min(left, _PIECE)) if ready else None
            except OSError:
                raise self._ended() from None
            if piece is None:
                raise TimedOut
            if not piece:
                raise self._ended()
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def _ended(self) -> Exception:
        return TimedOut() if self._closed else Erred("the function's process ended: it raised, or was killed")

    def _kill(self) -> None:
        with self._changing:
            process, self._process = self._process, None
            if process is None:
                return
            _killed(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _killed(process: subprocess.Popen[bytes]) -> None:
    """With its children. It is waited for by nobody else, so its id is still its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
