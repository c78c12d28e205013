"""An Alertmanager on loopback that behaves as its API v2 is documented: alerts are known by their labels, and forgotten at a restart."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from ..loopback import Loopback, Silent

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
#: Of what does not say when it ends.
RESOLVE_TIMEOUT = timedelta(minutes=5)

Labels = frozenset[tuple[str, str]]
Alert = dict[str, Any]  # JSON


class Alertmanager(Loopback):
    """Answers on ``/api/v2/alerts``; cuts the line while it is ``away``."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.alerts: dict[Labels, Alert] = {}
        self.posts: list[list[Alert]] = []
        self.away = False
        self.authorization: list[str | None] = []
        self.changing = threading.Lock()

    def restart(self) -> None:
        """Without its memory."""
        with self.changing:
            self.alerts.clear()

    def take(self, posted: list[Alert]) -> str | None:
        """Why some of it is refused; the rest is kept."""
        now, wrong = datetime.now(UTC), list[str]()
        for one in posted:
            labels = {name: value for name, value in one["labels"].items() if value}
            starts = _time(one.get("startsAt")) or now
            ends = _time(one.get("endsAt")) or now + RESOLVE_TIMEOUT
            if not labels or not all(_LABEL.fullmatch(name) for name in labels) or starts > ends:
                wrong.append(f"invalid: {one}")
                continue
            key = frozenset(labels.items())
            known = self.alerts.get(key)
            if known is not None and starts <= known["ends"] and ends >= known["starts"]:
                starts = min(starts, known["starts"])
            self.alerts[key] = {"labels": labels, "annotations": one.get("annotations", {}), "starts": starts, "ends": ends}
        return "; ".join(wrong) or None

    def active(self) -> list[Alert]:
        """Those that are not over."""
        with self.changing:
            return [one for one in self.alerts.values() if one["ends"] > datetime.now(UTC)]

    def names(self) -> list[tuple[str, str]]:
        """Name and severity of these."""
        return sorted((one["labels"]["alertname"], one["labels"]["severity"]) for one in self.active())


class _Handler(Silent, BaseHTTPRequestHandler):
    server: Alertmanager

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        if server.away or self.path != "/api/v2/alerts":
            self.close_connection = True
            return
        with server.changing:
            server.authorization.append(self.headers.get("Authorization"))
            posted = json.loads(body)
            server.posts.append(posted)
            wrong = server.take(posted)
        answer = b"" if wrong is None else json.dumps({"code": 400, "message": wrong}).encode()
        self.send_response(200 if wrong is None else 400)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@contextmanager
def alertmanager() -> Iterator[Alertmanager]:
    """One until the end of the block."""
    with Alertmanager().answering() as one:
        yield one


def _time(written: str | None) -> datetime | None:
    return None if not written else datetime.fromisoformat(written)
