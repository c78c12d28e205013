"""The page on which somebody reviews: an HTTP server for one person, on the loopback interface alone.

*Guarantee.* Nobody else reads or answers: the address that is printed at the start holds a secret, every request must name this host (a
name that an attacker has pointed here is refused), and what changes something must come from this page and as JSON, which no form of
another site can send. Nothing is fetched from anywhere, and nothing that a case says is markup.

*Trap.* Threads answer, and one thread has the bus: what a request asks is done by whoever calls `Page.turn`.
"""

import hmac
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib import resources
from typing import Any, NamedTuple

import msgspec

from ..bus.interface import BusError
from ..process.http_server import HTTPServer, ServingError, body_length
from .asking import Questions
from .desk import Desk, Refused
from .telling import told

HOST = "127.0.0.1"
#: Bytes of a request's body, and seconds that its answer may take.
_MOST_BODY, _WITHIN_S = 65_536, 8.0
#: Cases that are answered at one go.
_MOST_TOGETHER = 500
#: How far the clock of the page may be ahead of ours, ms: an answer of the year 3000 could never be changed.
_AHEAD_MS = 86_400_000
_ASSETS = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_JSON = "application/json"
#: What the page may do: load its own files and talk to its own server.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Answering(msgspec.Struct, forbid_unknown_fields=True):
    """What the page sends: an answer to these cases; a label, or why there is none."""

    cases: list[str]
    answered: int
    label: bool | int | float | str | None = None
    skipped: str | None = None


class TakingBack(msgspec.Struct, forbid_unknown_fields=True):
    """What the page sends: the last answer counts no more."""

    answered: int


class _Said(NamedTuple):
    status: HTTPStatus
    content: bytes
    kind: str = _JSON


class Page:
    """A reviewer's page: what it shows, and what becomes of what he answers."""

    def __init__(self, desk: Desk, questions: Questions, reviewer: str, model: str | None = None, *, blind: bool = False) -> None:
        self._desk, self._questions, self._reviewer, self._model, self._blind = desk, questions, reviewer, model, blind
        self._work: queue.SimpleQueue[tuple[Callable[[], bytes], Future[bytes]]] = queue.SimpleQueue()
        self._answered = set[str]()  # cases, since the start
        self.token = secrets.token_urlsafe(24)

    def turn(self, timeout_s: float) -> bool:
        """Do what is asked, if anything is within the time; whether there was something."""
        try:
            ask, answer = self._work.get(timeout=timeout_s)
        except queue.Empty:
            return False
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(ask())
            except (Refused, BusError, msgspec.MsgspecError) as error:
                answer.set_exception(error)
            except BaseException as error:
                answer.set_exception(error)
                raise
        return True

    def asked(self, path: str, body: bytes | None) -> bytes:
        """By any thread: the answer, as JSON, of the thread that turns. Raises `LookupError` for a path that there is not."""
        ask = {
            ("state", False): self._looked,
            ("answer", True): lambda: self._answer(msgspec.json.decode(body or b"", type=Answering)),
            ("undo", True): lambda: self._take_back(msgspec.json.decode(body or b"", type=TakingBack)),
        }.get((path, body is not None))
        if ask is None:
            raise LookupError(path)
        done = Future[bytes]()
        self._work.put((ask, done))
        try:
            return done.result(_WITHIN_S)
        except Late:
            done.cancel()
            msg = "the bus does not answer"
            raise BusError(msg) from None

    def _looked(self) -> bytes:
        self._desk.refresh()
        return self._state()

    def _answer(self, said: Answering) -> bytes:
        if not 1 <= len(said.cases) <= _MOST_TOGETHER:
            msg = f"cases: {len(said.cases):,}; 1 to {_MOST_TOGETHER} can be answered at one go"
            raise Refused(msg)
        _check(said.answered)
        self._desk.refresh()
        label, first = said.label, self._desk.request(said.cases[0])
        if label is not None and first is not None:
            label = self._questions(first).checked(label, self._questions.labels_of(first.model))
        self._desk.answer(self._reviewer, said.cases, said.answered, label=label, skipped=said.skipped)
        self._answered.update(said.cases)
        return self._state()

    def _take_back(self, said: TakingBack) -> bytes:
        _check(said.answered)
        self._desk.take_back(self._reviewer, said.answered)
        return self._state()

    def _state(self) -> bytes:
        waiting = self._desk.waiting(self._reviewer)
        first = waiting[0] if waiting else None
        open_again = {case.case for group in waiting for case in group.cases}
        self._answered -= open_again
        state: Mapping[str, Any] = {  # JSON
            "model": self._model,
            "reviewer": self._reviewer,
            "blind": self._blind,
            "done": len(self._answered),
            "left": sum(len(group.cases) for group in waiting),
            "undoable": bool(self._desk.last(self._reviewer)),
            "waiting": "New cases are shown here as they are drawn.",
            "case": None if first is None else told(first, self._questions(first.first), self._desk),
        }
        return msgspec.json.encode(state)


def _check(answered: int) -> None:
    if not 0 <= answered <= time.time_ns() // 1_000_000 + _AHEAD_MS:
        msg = f"answered: {answered} is no time by which an answer could have been given; set the clock of the machine that shows the page"
        raise Refused(msg)


@contextmanager
def served(page: Page, port: int) -> Iterator[str]:
    """Answer on the loopback interface until the end of the block; the address, with its secret. Port 0: any that is free."""
    assets = {name: (resources.files(__package__).joinpath("assets", file).read_bytes(), kind) for name, (file, kind) in _ASSETS.items()}

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "driftbus", ""

        def do_GET(self) -> None:
            self._tell(self._allowed() or self._got())

        def do_POST(self) -> None:
            self._tell(self._allowed() or self._posted())

        @property
        def _path(self) -> str:
            return self.path.partition("?")[0].removeprefix(f"/{page.token}/")

        def _allowed(self) -> _Said | None:
            """None: it is from whom the address was told, and for this server."""
            if self.headers.get("Host") not in hosts:
                return _refusal(HTTPStatus.MISDIRECTED_REQUEST, f"this is {HOST}:{bound}, and answers to no other name")
            given = self.path.partition("?")[0].split("/")
            if len(given) != 3 or not hmac.compare_digest(given[1].encode(), page.token.encode()):
                return _refusal(HTTPStatus.NOT_FOUND, "open the whole address that driftbus review printed")
            return None

        def _got(self) -> _Said:
            if self._path in assets:
                return _Said(HTTPStatus.OK, *assets[self._path])
            return self._asked(None)

        def _posted(self) -> _Said:
            origin, length = self.headers.get("Origin"), body_length(self.headers.get("Content-Length"))
            if origin is not None and origin not in {f"http://{host}" for host in hosts}:
                return _refusal(HTTPStatus.FORBIDDEN, f"a page of {origin[:200]} may not answer")
            if self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
                return _refusal(HTTPStatus.FORBIDDEN, "another page may not answer")
            if self.headers.get_content_type() != _JSON:
                return _refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content type: send {_JSON}")
            if length is None or length > _MOST_BODY:
                return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"length: at most {_MOST_BODY:,} bytes, and say how many")
            return self._asked(self.rfile.read(length))

        def _asked(self, body: bytes | None) -> _Said:
            try:
                return _Said(HTTPStatus.OK, page.asked(self._path, body))
            except LookupError:
                return _refusal(HTTPStatus.NOT_FOUND, "there is no such page")
            except (Refused, msgspec.MsgspecError) as error:
                return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
            except BusError as error:
                return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

        def _tell(self, said: _Said) -> None:
            self.send_response(said.status)
            self.send_header("Content-Type", said.kind)
            self.send_header("Content-Length", str(len(said.content)))
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.content)

        def log_message(self, *_: object) -> None:
            """Its lines would hold the secret."""

    try:
        server = HTTPServer((HOST, port), Handler)
    except (OSError, OverflowError) as error:
        msg = f"{HOST}:{port}: {getattr(error, 'strerror', None) or error}; write another --port, or 0 for any that is free"
        raise ServingError(msg) from error
    bound = server.server_address[1]
    hosts = {f"{HOST}:{bound}", f"localhost:{bound}"}
    thread = threading.Thread(target=server.serve_forever, name="review", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{bound}/{page.token}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _refusal(status: HTTPStatus, why: str) -> _Said:
    return _Said(status, msgspec.json.encode({"error": why}))
