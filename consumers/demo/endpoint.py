"""The demo's model server over HTTP, on the loopback alone: rows and a version go in, the version's probabilities come out. So a golden set
is asked of the model as any other server would be asked.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .data import CATEGORICAL
from .forest import Columns
from .timetable import NUMBERS

#: What a version answers.
Answer = Callable[[str, Columns], NDArray[np.float64]]
#: Where its answers stand.
ANSWER = "scores"


class Endpoint:
    """Answers from when it is made until it is closed; at ``url``, on a port that is free."""

    def __init__(self, answer: Answer) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # its name in the library
                asked = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
                scores = answer(asked["version"], table(asked["rows"]))
                content = msgspec.json.encode({ANSWER: scores.tolist()})
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="endpoint", daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def table(rows: Sequence[Mapping[str, Any]]) -> Columns:  # JSON
    """Rows as columns; a null is a NaN.

    >>> table([{name: None for name in NUMBERS} | {name: "x" for name in CATEGORICAL}])["temp"].tolist()
    [nan]
    """
    numbers = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in NUMBERS}
    return numbers | {name: np.array([row[name] for row in rows], dtype=object) for name in CATEGORICAL}
