"""Model servers on loopback, good and bad: by the path, so that one serves them all."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

from ..loopback import Loopback, Silent

#: Seconds that a server hangs, if nobody hangs up.
_LONG_S = 30
Body = dict[str, Any]  # JSON


class Server(Loopback):
    """``answers``: by the last part of the path before any of V2, what becomes of a request."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.calls: list[tuple[str, Body, str]] = []  #: path, body, the header that marks it


class _Handler(Silent, BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body: Body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.path, body, self.headers.get("driftbus-evaluation", "")))
        manner = self.path.lstrip("/").split("/")[0]
        MANNERS.get(manner, good)(self, body)

    def answer(self, content: object, status: int = 200) -> None:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def right(features: Body) -> object:
    """What a good model answers: rows of these tests say it."""
    return features["right"]


def answered(handler: _Handler, body: Body, version: str | None = None) -> Body:
    """The good answer, in the form that was asked for."""
    steps = handler.path.split("/")
    if "inputs" in body:
        asked = steps[steps.index("versions") + 1] if "versions" in steps else "1"
        columns = {one["name"]: one["data"] for one in body["inputs"]}
        data = columns["right"]
        output = {"name": "predict", "shape": [len(data)], "datatype": "FP64", "data": data}
        return {"model_name": "m", "model_version": version or asked, "id": body["id"], "outputs": [output]}
    if "instances" in body:
        return {"predictions": [right(row) for row in body["instances"]], "version": version or "1"}
    return {"prediction": right(body["features"]), "version": version or (steps[2] if len(steps) > 2 else "1")}


def good(handler: _Handler, body: Body) -> None:
    handler.answer(answered(handler, body))


def _hang(handler: _Handler, _: Body) -> None:
    handler.server.stopping.wait(_LONG_S)


def _drip(handler: _Handler, body: Body) -> None:
    """A byte now and then: no single read ever takes long."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + json.dumps(answered(handler, body)).encode()
    with suppress(OSError):
        for byte in raw:
            handler.connection.sendall(bytes([byte]))
            if handler.server.stopping.wait(0.05):
                return


def _drip_head(handler: _Handler, _: Body) -> None:
    with suppress(OSError):
        handler.connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            handler.connection.sendall(b"x-%d: 1\r\n" % number if number % 50 == 0 else b"")
            if handler.server.stopping.wait(0.02):
                return


def _die(handler: _Handler, body: Body) -> None:
    """In the middle of an answer."""
    raw = json.dumps(answered(handler, body)).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(raw) + 10))
    handler.end_headers()
    handler.wfile.write(raw)
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _vanish(handler: _Handler, _: Body) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _redirect(handler: _Handler, _: Body) -> None:
    handler.send_response(307)
    handler.send_header("Location", "/good")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _huge(handler: _Handler, _: Body) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    with suppress(OSError):
        while not handler.server.stopping.is_set():
            handler.wfile.write(b" " * (1 << 20))


def _fresh(handler: _Handler, body: Body) -> None:
    """Closes behind every answer, without saying so."""
    good(handler, body)
    handler.close_connection = True


def _late(handler: _Handler, body: Body) -> None:
    """As a model that has to think; of hard rows now and then for too long."""
    handler.server.stopping.wait(1.0 if body["features"].get("hard") and len(handler.server.calls) % 2 else 0.05)
    good(handler, body)


def _slow(handler: _Handler, body: Body) -> None:
    """Does not answer for rows that say so."""
    features = body["features"]
    if features.get("hard"):
        handler.server.stopping.wait(_LONG_S)
        return
    good(handler, body)


MANNERS: dict[str, Callable[[_Handler, Body], None]] = {
    "hang": _hang,
    "drip": _drip,
    "drip-head": _drip_head,
    "500": lambda handler, _: handler.answer({"error": "\x1b[31mno"}, 500),
    "404": lambda handler, _: handler.answer(b"", 404),
    "nonsense": lambda handler, _: handler.answer(b"\xff\xfe not json"),
    "deep": lambda handler, _: handler.answer(b"[" * 100_000),
    "empty": lambda handler, _: handler.answer({}),
    "few": lambda handler, body: handler.answer({"predictions": [1], "outputs": [{"name": "p", "data": [1]}], "id": body.get("id")}),
    "text": lambda handler, body: handler.answer(
        {"prediction": ["no", {"number": 1}], "predictions": [None] * len(body.get("instances", ()))}
    ),
    "other-version": lambda handler, body: handler.answer(answered(handler, body, "2")),
    "other-id": lambda handler, body: handler.answer({**answered(handler, body), "id": "of-another"}),
    "die": _die,
    "vanish": _vanish,
    "redirect": _redirect,
    "huge": _huge,
    "fresh": _fresh,
    "slow": _slow,
    "late": _late,
}


def serving() -> AbstractContextManager[Server]:
    """One, for as long as the block."""
    return Server().answering()


def elapsed(began: float) -> float:
    """Seconds since then."""
    return time.monotonic() - began
