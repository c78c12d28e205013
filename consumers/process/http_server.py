"""An HTTP server of few: a bound on requests, and on the time that each may take.

Whoever asks slowly, or only connects, costs one of a bounded number of threads for a bounded time, and never another's answer: where all
are taken, room is made by who has been answered and does not go, then by who has kept its thread waiting for longest. A request that is
being answered is let be until its deadline; where all are, whoever comes next waits, and hears after a second that it is too much (503).
"""

import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Requests that are answered at once, a thread each; seconds that one may take from its connection to its end.
MOST_AT_ONCE = 16
DEADLINE_S = 10.0
#: Whoever comes when all threads are taken waits so long; and so long until another one is ended for it, which has waited so long itself.
_WAITS_S, _STEP_S = 1.0, 0.1
#: So long whoever has been answered, and neither says more nor goes, is listened to.
_HEARD_S = 2.0
_TOO_MUCH = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"

_log = logging.getLogger(__name__)


class ServingError(Exception):
    """The address cannot be had."""


def body_length(said: str | None) -> int | None:
    """Bytes of a request's body, as its head says; None: it does not. 10^15 stands for whatever has more digits."""
    digits = said or ""
    if not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits) if len(digits) <= 15 else 10**15


class _Connection(socket.socket):
    """It knows how long its thread has waited for the other side, and whether it does now: only then to end it makes room."""

    ended = False
    until = math.inf
    _waited, _since = 0.0, math.inf

    def waits_s(self) -> float:
        """In all until now, if it waits now, else 0."""
        since = self._since
        return 0.0 if since == math.inf else self._waited + time.monotonic() - since

    def recv(self, *args: Any) -> bytes:  # these three as their parent has them
        with self._waiting():
            return super().recv(*args)

    def recv_into(self, *args: Any) -> int:
        with self._waiting():
            return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        with self._waiting():
            super().sendall(*args)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._waited += time.monotonic() - self._since
            self._since = math.inf


class HTTPServer(ThreadingHTTPServer):
    """An HTTP server with a bound on requests and on their time; both are kept by the thread that accepts."""

    daemon_threads = True
    request_queue_size = 128  # beyond it a connection is tried again after a second, though another would make room at once

    def __init__(self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler], deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._free = threading.Semaphore(MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._taken: dict[_Connection, None] = {}  #: the first to come first
        self._answered: dict[_Connection, None] = {}  #: and listened to until they go, the first to be answered first
        super().__init__(address, handler)

    def get_request(self) -> tuple[_Connection, Any]:
        """Who connects."""
        accepted, address = super().get_request()
        return _Connection(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach()), address

    def process_request(self, request: Any, client_address: Any) -> None:  # as socketserver has them
        """Give it a thread; where there is none, another's."""
        if not self._free.acquire(blocking=False) and not self._made_room():
            with suppress(OSError):
                request.sendall(_TOO_MUCH)
                request.recv(1 << 16, socket.MSG_DONTWAIT)  # what is closed with something unread loses what it said
            self.shutdown_request(request)
            return
        request.until = time.monotonic() + self._deadline_s
        with self._lock:
            self._taken[request] = None
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be had
            self._left(request, self._taken)
            raise

    def shutdown_request(self, request: Any) -> None:
        """It has been answered, or nobody hears it."""
        with self._lock:
            had_a_thread = request in self._taken
            if had_a_thread:
                del self._taken[request]
                self._answered[request] = None
        if had_a_thread:
            _heard(request)
            self._left(request, self._answered)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Called a few times a second: end what has taken too long."""
        now = time.monotonic()
        with self._lock:
            for one in [*self._answered, *self._taken]:
                if one.until < now:
                    _end(one)

    def _made_room(self) -> bool:
        """Whether a thread has become free, of itself or because another was ended."""
        until = time.monotonic() + _WAITS_S
        while time.monotonic() < until:
            self.service_actions()
            with self._lock:
                by_waiting = sorted(self._taken, key=_Connection.waits_s, reverse=True)
                others = (one for one in (*self._answered, *by_waiting) if one.waits_s() >= _STEP_S and not one.ended)
                if (first := next(others, None)) is not None:
                    _end(first)
            if self._free.acquire(timeout=_STEP_S):
                return True
        return False

    def _left(self, request: _Connection, where: dict[_Connection, None]) -> None:
        """Nobody of these any more: its thread is free. Behind this nobody ends the socket, whose number may be another's soon."""
        with self._lock:
            del where[request]
        self._free.release()

    def handle_error(self, *_: object) -> None:
        """Whoever asked is gone: nobody is told."""
        _log.debug("somebody who asked has gone", exc_info=True)


def _end(request: _Connection) -> None:
    """Its thread wakes up, finds nobody at the other side, and goes."""
    if not request.ended:
        request.ended = True
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)


def _heard(request: socket.socket) -> None:
    """Forget what is still sent, until whoever sends it has heard the answer: what is closed with something unread loses that."""
    with suppress(OSError):
        request.shutdown(socket.SHUT_WR)
        request.settimeout(_HEARD_S)
        while request.recv(1 << 16):
            pass
