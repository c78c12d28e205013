"""Asks a function of Python, in a process of its own: it may hang, or die, and take nobody with it."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import msgspec

from ...schemas.configuration.golden import PythonCallable
from . import child
from .asking import MOST_BYTES, Batch, Erred, Invalid, Replies, TimedOut, decoded, found

#: Of the process, within one attempt: a function that kills it is not asked for ever.
MOST_STARTS = 3
#: Bytes at a time; seconds that it may outlive its time, where nobody kills it.
_PIECE, _SLACK_S = 1 << 16, 5


class PythonCaller:
    """Rows and version go in, a list of as many answers comes out."""

    def __init__(self, settings: PythonCallable, within_s: float) -> None:
        self._settings = settings
        self._ends = time.monotonic() + within_s
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._closed = False
        self._changing = threading.Lock()

    def ask(self, batch: Batch, deadline: float) -> Replies:
        """What the function returns."""
        frame = msgspec.json.encode({"rows": [row.features for row in batch.rows], "version": batch.asked.version})
        try:
            process = self._running(deadline)
            self._send(process, child.LENGTH.pack(len(frame)) + frame, deadline)
            answers = found(self._frame(process, deadline), ["answers"], "answers")
        except (TimedOut, Erred, Invalid):
            self._kill()
            raise
        if not isinstance(answers, list) or len(answers) != len(batch.rows):
            msg = f"{len(answers) if isinstance(answers, list) else 'no list of'} answers for {len(batch.rows)} rows"
            raise Invalid(msg)
        return Replies(answers, [None] * len(answers))

    def cut(self) -> None:
        """Kill it, and whatever it has started: whoever waits for its answer is told by the end of the pipe."""
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
            if self._starts >= MOST_STARTS:
                msg = f"the function's process ended {MOST_STARTS} times"
                raise Erred(msg)
            self._starts += 1
            lives_s = max(1, int(self._ends - time.monotonic()) + _SLACK_S)
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", child.__file__, self._settings.function, str(lives_s)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        self._frame(process, deadline)
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
