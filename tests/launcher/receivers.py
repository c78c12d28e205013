"""Receivers of webhooks on loopback. A hostile one answers late, hangs, drips, cuts the line and says that it cannot; but it keeps ids."""

import random
import socket
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler

from ..loopback import Loopback, Silent

_LONG_S = 30
#: So long a late answer takes.
LATE_S = (1.0, 3.0)


class Receiver(Loopback):
    """What has come. A manner is drawn for every call; ``work`` is done once an id, as its readers are told to do it."""

    def __init__(self, manners: tuple[str, ...], seed: int = 1) -> None:
        super().__init__(_Handler)
        self.manners, self.draw = manners, random.Random(seed)
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []  #: manner, path, headers in small letters, body
        self.works = Counter[str]()
        self.known: set[str] = set()
        self.changing = threading.Lock()
        self.waiting = 0  #: calls that are being answered late, now

    def work(self, identity: str) -> None:
        """Once an id."""
        with self.changing:
            if identity not in self.known:
                self.known.add(identity)
                self.works[identity] += 1


class _Handler(Silent, BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        server = self.server
        with server.changing:
            manner = server.draw.choice(server.manners)
            server.calls.append((manner, self.path, headers, body))
        self.close_connection = True
        identity = headers.get("webhook-id", "")
        if manner == "hangs":
            server.stopping.wait(_LONG_S)
        elif manner == "drips":
            server.work(identity)
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not server.stopping.wait(0.05):
                    self.wfile.write(b".")
        elif manner.startswith("late "):
            self._answer_late(manner.removeprefix("late "))
        elif manner == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif manner == "cut after its work":
            server.work(identity)
            self.connection.shutdown(socket.SHUT_RDWR)
        elif manner == "half a head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            server.stopping.wait(_LONG_S)
        else:
            if manner.startswith("2"):
                server.work(identity)
            self.send_response(int(manner))
            if manner in ("429", "503"):
                self.send_header("Retry-After", server.draw.choice(["1", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "-5"]))
            if manner.startswith("3"):
                self.send_header("Location", f"{server.address}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _answer_late(self, status: str) -> None:
        server = self.server
        with server.changing:
            server.waiting += 1
            seconds = server.draw.uniform(*LATE_S)
        server.stopping.wait(seconds)
        with server.changing:
            server.waiting -= 1
        with suppress(OSError):
            self.send_response(int(status))
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_PUT = do_POST  # noqa: N815  # as its parent calls it


#: Half of all calls are answered.
HOSTILE = ("hangs", "drips", "cut", "cut after its work", "half a head", "500", "429", "503", *["204"] * 8)


def receiving(*manners: str, seed: int = 1) -> AbstractContextManager[Receiver]:
    """A receiver until the end of the block."""
    return Receiver(manners or ("204",), seed).answering()


def wall() -> int:
    return time.time_ns() // 1_000_000
