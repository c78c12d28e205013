"""Where Label Studio says that something was annotated: its webhooks, received on the loopback interface alone.

*Guarantee.* A call is a word that a round is worth while, and no more: nothing in it counts, so nobody can answer by it. It must name this
host, and the address holds a secret that is new at every start. However many come, they make one round.
"""

import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from ..process.http_server import HTTPServer, ServingError, body_length

HOST = "127.0.0.1"
#: Bytes of a call that are taken off the line.
_MOST_BODY = 1 << 20


class Webhook(NamedTuple):
    """What is received at."""

    address: str  #: with its secret: to be entered in the project's settings
    news: threading.Event  #: set where somebody has called


@contextmanager
def received(port: int) -> Iterator[Webhook]:
    """Receive until the end of the block. Port 0: any that is free. Raises `ServingError` where the port cannot be had."""
    secret, news = secrets.token_urlsafe(24), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "driftbus", ""

        def do_POST(self) -> None:
            own = self.headers.get("Host") in hosts
            known = own and hmac.compare_digest(self.path.partition("?")[0].encode(), f"/{secret}".encode())
            if known:
                news.set()
            length = body_length(self.headers.get("Content-Length")) or 0
            self.rfile.read(min(length, _MOST_BODY))  # else the answer may not arrive
            self.close_connection = True
            self.send_response(HTTPStatus.NO_CONTENT if known else HTTPStatus.NOT_FOUND if own else HTTPStatus.MISDIRECTED_REQUEST)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """A line for every annotation says nothing."""

    try:
        server = HTTPServer((HOST, port), Handler)
    except OSError as error:
        msg = f"--webhook {port}: {error.strerror}; write another port, or 0 for any that is free"
        raise ServingError(msg) from error
    bound = server.server_address[1]
    hosts = {f"{HOST}:{bound}", f"localhost:{bound}"}
    thread = threading.Thread(target=server.serve_forever, name="webhook", daemon=True)
    thread.start()
    try:
        yield Webhook(f"http://{HOST}:{bound}/{secret}", news)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
