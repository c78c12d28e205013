"""``/metrics``, ``/healthz`` and ``/readyz`` over HTTP, where ``metrics:`` is configured.

*Guarantee.* The consumers never wait for it: it has threads of its own, and reads what the observer has noted. It answers while they hang,
which is what `healthz` is for. Whoever asks slowly, or only connects, costs one of a bounded number of threads for a bounded time
(`driftbus.consumers.process.http_server`).
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from ...schemas.configuration import Metrics
from ..process.http_server import DEADLINE_S, HTTPServer, ServingError
from .observer import Observer

_log = logging.getLogger(__name__)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def health(observer: Observer, within_ms: int) -> tuple[bool, str]:
    """Whether the consumers turn."""
    since = observer.clock() - observer.turned_at
    if since * 1000 > within_ms:
        return False, f"the last turn ended {since:.0f} s ago; at most {within_ms / 1000:g} s are well (metrics.turn_within)"
    return True, f"the last turn ended {since:.1f} s ago"


def readiness(observer: Observer, within_ms: int) -> tuple[bool, str]:
    """Whether every consumer has partitions, and has caught up. What is known is as old as the last turn."""
    numbers = observer.reading.numbers
    if not numbers:
        return False, "starting"
    since = observer.clock() - observer.turned_at
    if since * 1000 > within_ms:
        return False, f"the last turn ended {since:.0f} s ago: how far behind it is now is not known (metrics.ready_within)"
    ready, lines = True, []
    for role, own in numbers.items():
        partitions, behind = own.get("partitions", 0), own.get("behind_ms", 0)
        ready = ready and partitions > 0 and behind <= within_ms
        lines.append(f"{role}: {partitions} partitions, {behind / 1000:.0f} s behind")
    return ready, "\n".join([*lines, f"ready: all with partitions, at most {within_ms / 1000:g} s behind (metrics.ready_within)"])


@contextmanager
def served(
    settings: Metrics, exposition: Callable[[], bytes], observer: Observer, deadline_s: float = DEADLINE_S
) -> Iterator[tuple[str, int]]:
    """Answer until the end of the block; the address."""
    answers: dict[str, Callable[[], tuple[bool, str | bytes]]] = {
        "/metrics": lambda: (True, exposition()),
        "/healthz": lambda: health(observer, settings.turn_within),
        "/readyz": lambda: readiness(observer, settings.ready_within),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND, explain=f"there are {', '.join(answers)}")
                return
            well, text = answer()
            body = text if isinstance(text, bytes) else f"{text}\n".encode()
            self.send_response(HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Type", _TEXT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody wants a line every ten seconds for being asked."""

    try:
        server = HTTPServer((settings.host, settings.port), Handler, deadline_s)
    except OSError as error:
        msg = f"metrics: {settings.host}:{settings.port}: {error.strerror}; write another metrics.port, or 0 for any that is free"
        raise ServingError(msg) from error
    address = settings.host, server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    _log.info("metrics: http://%s:%d%s", *address, ", ".join(answers))
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
