"""Whoever asks for what is refused hears why, however much of it is still on its way."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from driftbus.consumers.process.http_server import MOST_AT_ONCE, HTTPServer

#: More than sockets hold.
LARGE = 16 << 20
#: Who asks for /slow is answered when it is released.
SLOW = threading.Semaphore(0)


class Refusing(BaseHTTPRequestHandler):
    """It reads no body."""

    def do_POST(self) -> None:
        if self.path == "/slow":
            SLOW.acquire(timeout=20)
        self.send_response(413)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"too much")

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def refusing() -> Iterator[int]:
    """Its port."""
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(("method", "status"), [("POST", 413), ("GET", 413), ("PUT", 501), ("DELETE", 501)])
def test_a_refusal_is_heard_by_whoever_still_sends(method: str, status: int) -> None:
    with refusing() as port:
        for _ in range(5):
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
                connection.request(method, "/", b"x" * LARGE)
                answer = connection.getresponse()
                assert answer.status == status
                assert answer.read()


def test_parts_of_no_said_length_are_forgotten_too() -> None:
    with refusing() as port, closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", "/", iter([b"x" * (1 << 20)] * 16), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        assert connection.getresponse().read() == b"too much"


def test_who_stays_and_says_nothing_keeps_nobody_else_out() -> None:
    with refusing() as port:
        idle = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(2 * MOST_AT_ONCE)]
        try:
            for one in idle:
                one.sendall(b"GET / HTTP/1.0\r\n\r\n")
            began = time.monotonic()
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
                connection.request("GET", "/")
                assert connection.getresponse().read() == b"too much"
            assert time.monotonic() - began < 10
            heard = [one.makefile("rb").read() for one in idle]
            assert sum(one.endswith(b"too much") for one in heard) >= MOST_AT_ONCE
        finally:
            for one in idle:
                one.close()


def test_who_is_answered_makes_room_before_who_is_not() -> None:
    with refusing() as port, closing(socket.create_connection(("127.0.0.1", port), 20)) as slow:
        slow.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        idle = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(MOST_AT_ONCE + 4)]
        try:
            for one in idle:
                one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert one.makefile("rb").read().endswith(b"too much")
            SLOW.release()
            assert slow.makefile("rb").read().endswith(b"too much")
        finally:
            for one in idle:
                one.close()
