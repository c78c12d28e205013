"""The V2 inference protocol (KServe) over HTTP: each request by a thread of its own; predictions are written by one for all.

Whoever asks slowly costs one of a bounded number of threads for a bounded time (`driftbus.consumers.process.http_server`).
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from ...schemas.configuration import Configuration
from ..bus.interface import Bus, BusError, Output
from ..decode.marked import HEADER
from ..process.http_server import HTTPServer, ServingError, body_length
from ..process.last_net import told
from .answering import artifact, fitting, model_of, predictions
from .models import Loaded, Models
from .reading import Refused
from .tensors import rows_of

#: Bytes of a request, and predictions that are written at once.
MOST_BYTES, MOST_AT_ONCE = 1 << 20, 5_000
#: So long an answer waits for its predictions to be written, in seconds.
WRITTEN_WITHIN_S = 8.0
_KINDS = {"number": "FP64", "boolean": "BOOL", "text": "BYTES"}
_Said = tuple[HTTPStatus, dict[str, Any]]  # JSON
_log = logging.getLogger(__name__)


class _Written(NamedTuple):
    """Predictions to be written, and who waits for that."""

    outputs: list[Output]
    done: threading.Event
    failed: list[str]


class Listening:
    """Answers from now until it is closed."""

    def __init__(self, bus: Bus, configuration: Configuration, models: Models, wall: Callable[[], int]) -> None:
        settings = configuration.serving
        assert settings is not None
        assert settings.port is not None
        self._bus, self._configuration, self._models, self._wall = bus, configuration, models, wall
        self._queue: queue.Queue[_Written | None] = queue.Queue()
        self._counts, self._lock = {"answered": 0, "refused": 0}, threading.Lock()
        try:
            self._server = HTTPServer((settings.host, settings.port), self._handler())
        except OSError as error:
            msg = f"serving: {settings.host}:{settings.port}: {error.strerror}; write another serving.port, or 0 for any that is free"
            raise ServingError(msg) from error
        self.address = settings.host, int(self._server.server_address[1])
        self._threads = [
            threading.Thread(target=self._server.serve_forever, name="serving", daemon=True),
            threading.Thread(target=self._write, name="served", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        _log.info("serving: http://%s:%d/v2/models/%s", *self.address, ",".join(models.now))

    def counts(self) -> Mapping[str, int]:
        """Requests answered, and refused."""
        return self._counts

    def close(self) -> None:
        """Nobody is answered any more."""
        self._server.shutdown()
        self._server.server_close()
        self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        """In its thread: whatever waits, in one transaction."""
        while (first := self._queue.get()) is not None:
            some, ending = [first], False
            while sum(len(one.outputs) for one in some) < MOST_AT_ONCE and not self._queue.empty():
                one = self._queue.get()
                if one is None:
                    ending = True
                    break
                some.append(one)
            try:
                self._bus.publish([output for one in some for output in one.outputs])
            except Exception as error:  # noqa: BLE001  # told to those that wait; whoever comes next is served
                if not isinstance(error, BusError):
                    _log.warning("serving: predictions were not written: %s", told(error))
                for one in some:
                    one.failed.append(f"the bus refused: {type(error).__name__}")
            for one in some:
                one.done.set()
            if ending:
                return

    def safely(self, ask: Callable[[], _Said]) -> _Said:
        """What is answered; what nobody foresaw, too, has an answer."""
        try:
            return ask()
        except Exception as error:  # noqa: BLE001  # told to whoever asks
            _log.warning("serving: a request was not answered: %s", told(error))
            return self._counted((HTTPStatus.INTERNAL_SERVER_ERROR, {"error": told(error)}))

    def _counted(self, said: _Said) -> _Said:
        with self._lock:
            self._counts["answered" if said[0] is HTTPStatus.OK else "refused"] += 1
        return said

    def said(self, path: str) -> _Said:
        """What is known."""
        parts = _parts(path)
        if parts in (["v2"], ["v2", "health", "live"], ["v2", "health", "ready"]):
            return HTTPStatus.OK, {"name": "driftbus", "version": "1", "extensions": []} if len(parts) == 1 else {parts[2]: True}
        try:
            model, rest = self._model(parts)
        except Refused as refused:
            return HTTPStatus.NOT_FOUND, {"error": str(refused)}
        if rest == ["ready"]:
            return HTTPStatus.OK, {"name": model.name, "ready": True}
        if rest:
            return HTTPStatus.NOT_FOUND, {"error": f"there is no /{'/'.join(rest)[:100]} of a model"}
        return HTTPStatus.OK, {
            "name": model.name,
            "versions": [model.version],
            "platform": "driftbus",
            "inputs": [{"name": name, "datatype": _KINDS[kind], "shape": [-1]} for name, kind in model.features.items()],
            "outputs": [{"name": "score", "datatype": "FP64", "shape": [-1]}, {"name": "prediction", "datatype": "BOOL", "shape": [-1]}],
        }

    def inferred(self, path: str, body: bytes, mark: str | None) -> _Said:
        """The answer to rows; they have been written as predictions."""
        try:
            model, rest = self._model(_parts(path))
            if rest != ["infer"]:
                return HTTPStatus.NOT_FOUND, {"error": "rows go to /v2/models/NAME/infer"}
        except Refused as refused:
            return HTTPStatus.NOT_FOUND, {"error": str(refused)}
        try:
            request = _request(body)
            id_, rows = rows_of(request)
            said = model.answers([row.features for row in rows])
            marks = () if mark is None else ((HEADER, mark.encode()),)
            outputs = fitting(predictions(self._configuration, model, rows, said, self._wall(), marks), self._models.most_bytes)
        except Refused as refused:
            return self._counted((HTTPStatus.BAD_REQUEST, {"error": str(refused)}))
        waiting = _Written(outputs, threading.Event(), [])
        self._queue.put(waiting)
        if not waiting.done.wait(WRITTEN_WITHIN_S) or waiting.failed:
            why = waiting.failed[0] if waiting.failed else "the bus does not answer"
            return self._counted((HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"{why}: ask again"}))
        answer = {
            "model_name": model.name,
            "model_version": model.version,
            "id": id_,
            "parameters": {"artifact": artifact(model) or "", "ids": [row.id for row in rows]},
            "outputs": [
                {"name": "score", "datatype": "FP64", "shape": [len(rows)], "data": [one.score for one in said]},
                {"name": "prediction", "datatype": "BOOL", "shape": [len(rows)], "data": [one.prediction for one in said]},
            ],
        }
        return self._counted((HTTPStatus.OK, answer))

    def _model(self, parts: list[str]) -> tuple[Loaded, list[str]]:
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            msg = "there are /v2, /v2/health/ready, /v2/models/NAME and /v2/models/NAME/infer"
            raise Refused(msg)
        model, rest = model_of(self._models.now, parts[2]), parts[3:]
        if rest[:1] == ["versions"]:
            if rest[1:2] != [model.version]:
                msg = f"versions: {model.name} is served as {model.version}"
                raise Refused(msg)
            rest = rest[2:]
        return model, rest

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listening = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(listening.safely(lambda: listening.said(self.path)))

            def do_POST(self) -> None:
                length = body_length(self.headers.get("Content-Length"))
                if length is None:
                    self._say((HTTPStatus.LENGTH_REQUIRED, {"error": "Content-Length: is missing"}))
                elif length > MOST_BYTES:
                    error = f"Content-Length: {length:,} bytes, and a request has at most {MOST_BYTES:,}"
                    self._say((HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": error}))
                else:
                    body, mark = self.rfile.read(length), self.headers.get(HEADER)
                    self._say(listening.safely(lambda: listening.inferred(self.path, body, mark)))

            def _say(self, said: _Said) -> None:
                body = msgspec.json.encode(said[1])
                self.send_response(said[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody wants a line for each."""

        return Handler


def _parts(path: str) -> list[str]:
    return [unquote(part) for part in path.partition("?")[0].strip("/").split("/")]


def _request(body: bytes) -> dict[str, Any]:  # JSON
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        msg = f"the body is no JSON object: {error}"
        raise Refused(msg) from None
