"""One HTTP connection to a server that may hang, drip, lie and die: an answer by the deadline, bounded, or none.

*Guarantee.* A call returns or raises by its deadline, however slowly a server speaks: what is under way is cut, and what was cut is no
answer. It follows no redirect, uses no proxy of the environment, and reads no more than it is told to.

*Trap.* A name is looked up by the system, which nothing can cut. Who asks must not wait for the thread that does.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from .answers import MOST_BYTES, Erred, Invalid, TimedOut


class Answer(NamedTuple):
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes  #: one byte more than was to be read says that there is more


class Connection:
    """Kept open from call to call; made anew where it broke."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._secure, self._host = parts.scheme == "https", parts.hostname or ""
        #: Always said: of a host without one the library takes the end of an IPv6 address for it.
        self._port = parts.port if parts.port is not None else 443 if self._secure else 80
        self._path = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        self._open: http.client.HTTPConnection | None = None
        self._context: ssl.SSLContext | None = None
        self._closed = False

    def post(self, path: str, body: bytes, deadline: float, headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """The body of the answer; ``headers``: of this call, beside those of all. Raises `TimedOut`, `Erred`, `Invalid`."""
        answer = self.ask("POST", path, body, deadline, headers)
        if not 200 <= answer.status < 300:
            msg = f"HTTP {answer.status}"
            raise Erred(msg)
        if len(answer.body) > MOST_BYTES:
            msg = f"the answer has more than {MOST_BYTES:,} bytes"
            raise Invalid(msg)
        return answer.body

    def ask(
        self,
        method: str,
        path: str,
        body: bytes,
        deadline: float,
        headers: Mapping[str, str] = MappingProxyType({}),
        most: int = MOST_BYTES,
    ) -> Answer:
        """Whatever the server says, ``most`` bytes of it and one. Raises `TimedOut`, `Erred`."""
        used = self._open is not None
        try:
            return self._asked(method, path, body, deadline, headers, most)
        except (http.client.RemoteDisconnected, ConnectionError):
            if not used:
                msg = "the connection broke"
                raise Erred(msg) from None
        try:
            return self._asked(method, path, body, deadline, headers, most)  # it had been closed while it was idle
        except ConnectionError:
            msg = "the connection broke"
            raise Erred(msg) from None

    def cut(self) -> None:
        """From any thread: give up what is under way, and do nothing more."""
        self._closed = True
        if connection := self._open:
            _cut(connection)

    def close(self) -> None:
        """By the thread that posts: it posts no more."""
        self._closed = True
        if connection := self._open:
            connection.close()

    def _asked(self, method: str, path: str, body: bytes, deadline: float, headers: Mapping[str, str], most: int) -> Answer:
        left = deadline - time.monotonic()
        if left <= 0 or self._closed:
            raise TimedOut
        connection = self._open or self._made()
        watch = threading.Timer(left, _cut, (connection,))
        watch.daemon = True
        whole = False
        try:
            watch.start()
            self._open = connection
            if connection.sock is None:
                self._connect(connection, deadline)
            connection.sock.settimeout(_left(deadline))
            if self._closed:
                raise TimedOut
            connection.request(method, self._path + path, body, {**self._headers, **headers})
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read(most + 1))
            whole = response.isclosed() and not response.will_close
            if time.monotonic() >= deadline or self._closed:
                raise TimedOut
            if response.length and len(answer.body) <= most:  # a read of at most so many bytes does not say so
                msg = "the answer ends before it is whole"
                raise Erred(msg)
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a host or a header that is none, and shows it
            raise self._told(error, deadline) from None
        finally:
            watch.cancel()
            if not whole:
                self._open = None
                connection.close()
        return answer

    def _made(self) -> http.client.HTTPConnection:
        if self._secure and self._context is None:
            self._context = ssl.create_default_context()
        if self._context is not None:
            return http.client.HTTPSConnection(self._host, self._port, context=self._context)
        return http.client.HTTPConnection(self._host, self._port)

    def _connect(self, connection: http.client.HTTPConnection, deadline: float) -> None:
        """To one of the name's machines, which share the time: the library would give all of it to each."""
        places = socket.getaddrinfo(self._host, connection.port, type=socket.SOCK_STREAM)
        for others, (family, kind, protocol, _, address) in zip(range(len(places) - 1, -1, -1), places, strict=True):
            try:
                connection.sock = sock = socket.socket(family, kind, protocol)
                sock.settimeout(_left(deadline) / (others + 1))
                sock.connect(address)
                break
            except OSError:
                connection.close()
                if not others:
                    raise
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            sock.settimeout(_left(deadline))
            connection.sock = self._context.wrap_socket(sock, server_hostname=self._host)

    def _told(self, error: Exception, deadline: float) -> Exception:
        if self._closed or isinstance(error, TimeoutError) or time.monotonic() >= deadline:
            return TimedOut()
        if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
            return error
        if isinstance(error, http.client.IncompleteRead):
            return Erred("the answer ends before it is whole")
        if isinstance(error, ConnectionRefusedError):
            return Erred("the connection was refused")
        return Erred(f"the call failed: {type(error).__name__}")


def _left(deadline: float) -> float:
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left


def _cut(connection: http.client.HTTPConnection) -> None:
    """Whoever reads from it, or writes to it, is told at once."""
    if (sock := connection.sock) is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
