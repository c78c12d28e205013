"""Whoever asks for what is refused hears why, however much of it is still on its way; whoever is answered, whatever others do."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from driftbus.consumers.process.http_server import MOST_AT_ONCE, HTTPServer, body_length

#: More than sockets hold.
LARGE = 16 << 20
#: Who asks for /slow is answered when it is released, and says when it has begun to be.
SLOW, BEGUN = threading.Semaphore(0), threading.Semaphore(0)


class Refusing(BaseHTTPRequestHandler):
    """It reads no body, unless asked."""

    def do_POST(self) -> None:
        if self.path == "/slow":
            BEGUN.release()
            SLOW.acquire(timeout=20)
        elif self.path == "/body":
            self.rfile.read(int(self.headers["Content-Length"]))
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
        assert BEGUN.acquire(timeout=20)
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


#: What is said of a request that keeps its thread waiting.
SAID = [b"", b"GET / HTT", b"POST / HTTP/1.0\r\nContent-Length: 9\r\n", b"POST /body HTTP/1.0\r\nContent-Length: 9\r\n\r\nhalf"]


@pytest.mark.parametrize("said", SAID)
def test_who_keeps_a_thread_waiting_makes_room_before_who_is_being_answered(said: bytes) -> None:
    """However often, and though the one that is being answered came first."""
    with refusing() as port, connected(port) as slow:
        slow.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        assert BEGUN.acquire(timeout=20)
        idle = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(2 * MOST_AT_ONCE)]
        try:
            for one in idle:
                one.sendall(said)
            for _ in range(2 * MOST_AT_ONCE):
                with connected(port) as quick:
                    quick.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    assert heard(quick).endswith(b"too much")
            SLOW.release()
            assert heard(slow).endswith(b"too much")
        finally:
            for one in idle:
                one.close()


def test_where_all_are_being_answered_who_comes_next_hears_that_it_is_too_much() -> None:
    with refusing() as port:
        slow = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(MOST_AT_ONCE)]
        try:
            for one in slow:
                one.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
                assert BEGUN.acquire(timeout=20)
            for _ in range(2):
                with connected(port) as quick:
                    quick.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    assert heard(quick).startswith(b"HTTP/1.0 503 ")
            SLOW.release(MOST_AT_ONCE)
            assert all(heard(one).endswith(b"too much") for one in slow)
        finally:
            for one in slow:
                one.close()


def test_who_was_answered_first_makes_room_first() -> None:
    """So whoever still sends what was refused hears why, though others come."""
    with refusing() as port:
        idle = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(MOST_AT_ONCE - 1)]
        try:
            for one in idle:
                one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert heard(one).endswith(b"too much")
            with connected(port) as sends:
                sends.sendall(b"POST / HTTP/1.0\r\nContent-Length: 400000\r\n\r\n")
                for _ in range(4):
                    with connected(port) as quick:
                        quick.sendall(b"GET / HTTP/1.0\r\n\r\n")
                        assert heard(quick).endswith(b"too much")
                    sends.sendall(b"x" * 100_000)
                assert heard(sends).endswith(b"too much")
        finally:
            for one in idle:
                one.close()


def test_where_no_thread_can_be_had_the_next_one_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """And whoever got none keeps nobody waiting, though it drips."""
    with refusing() as port:
        for _ in range(2 * MOST_AT_ONCE):
            with monkeypatch.context() as without:
                without.setattr(threading.Thread, "start", _no_thread)
                with connected(port) as none:
                    assert heard(none) == b""
        with connected(port) as quick:
            quick.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert heard(quick).endswith(b"too much")


def _no_thread(*_: object) -> None:
    msg = "can't start new thread"
    raise RuntimeError(msg)


LENGTHS = {"0": 0, "12": 12, "9" * 15: 10**15 - 1, "1" * 16: 10**15, "9" * 5_000: 10**15}
NONE = (None, "", "-1", "1.5", "1e3", "0x10", "\xb2", "\xbd", " 1")


@pytest.mark.parametrize(("said", "length"), [*LENGTHS.items(), *((one, None) for one in NONE)])
def test_the_length_of_a_body(said: str | None, length: int | None) -> None:
    assert body_length(said) == length


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", port), 20)) as one:
        yield one


def heard(one: socket.socket) -> bytes:
    """All that it is told."""
    return one.makefile("rb").read()
