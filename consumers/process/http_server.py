"""An HTTP server of few: a bound on requests, and on the time that each may take.

Whoever asks slowly, or only connects, costs one of a bounded number of threads for a bounded time, and never another's answer: where all
are taken, the one that has taken longest is ended.
"""

import logging
import math
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Requests that are answered at once, a thread each; seconds that one may take from its connection to its end.
MOST_AT_ONCE = 16
DEADLINE_S = 10.0
#: Until a thread whose request was ended has gone.
_GOING_S = 1.0
#: So long whoever has been answered, and neither says more nor goes, is listened to.
_HEARD_S = 2.0

_log = logging.getLogger(__name__)


class ServingError(Exception):
    """The address cannot be had."""


class HTTPServer(ThreadingHTTPServer):
    """An HTTP server with a bound on requests and on their time; both are kept by the thread that accepts."""

    daemon_threads = True
    request_queue_size = 128  # beyond it a connection is tried again after a second, though the oldest would make room at once

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._free = threading.Semaphore(MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._taken: dict[socket.socket, float] = {}  #: until when each may take, the first to be ended first
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # as socketserver has them
        """Give it a thread; where there is none, that of the oldest."""
        if not self._free.acquire(blocking=False):
            self._end(1, before=math.inf)
            if not self._free.acquire(timeout=_GOING_S):
                self.shutdown_request(request)
                return
        with self._lock:
            self._taken[request] = time.monotonic() + self._deadline_s
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """It has ended, by itself or not."""
        with self._lock:
            until = self._taken.pop(request, None)
            if until is not None:  # answered: it is the first to make room
                self._taken = {request: until, **self._taken}
        if until is not None:
            _heard(request)
        with self._lock:
            had_a_thread = self._taken.pop(request, None) is not None
            super().shutdown_request(request)
        if had_a_thread:
            self._free.release()

    def service_actions(self) -> None:
        """Called a few times a second: end what has taken too long."""
        self._end(MOST_AT_ONCE, before=time.monotonic())

    def _end(self, most: int, before: float) -> None:
        """Its thread wakes up, finds nobody at the other side, and goes."""
        with self._lock:
            for request in [one for one, until in self._taken.items() if until < before][:most]:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """Whoever asked is gone: nobody is told."""
        _log.debug("somebody who asked has gone", exc_info=True)


def _heard(request: socket.socket) -> None:
    """Forget what is still sent, until whoever sends it has heard the answer: what is closed with something unread loses that."""
    with suppress(OSError):
        request.shutdown(socket.SHUT_WR)
        request.settimeout(_HEARD_S)
        while request.recv(1 << 16):
            pass
