"""A stand-in for Kubernetes' API: Jobs and ConfigMaps of a namespace, and lines that break.

One line in so many is cut: half of these before anything is done, half behind it. What it makes is counted by name. A Job runs, and ends as
its image says: `succeeds`, `fails`, `hangs`, or whatever stands behind `says-`, a status.
"""

import itertools
import json
import socket
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from ..loopback import Loopback, Silent

Body = dict[str, Any]  # JSON
_RUNS_S = 0.05


def stamp(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


class Cluster(Loopback):
    """What is there: by kind and name; ``runs``: how often a Job of a name was begun."""

    def __init__(self, cuts: int) -> None:
        super().__init__(_Handler)
        self.cuts, self.number = cuts, itertools.count(1)
        self.there: dict[tuple[str, str], Body] = {}
        self.made, self.runs, self.cut = Counter[tuple[str, str]](), Counter[str](), 0
        self.changing = threading.Lock()

    def kubeconfig(self, folder: Path) -> str:
        file = folder / "kubeconfig"
        document = {
            "clusters": [{"name": "c", "cluster": {"server": self.address}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **document}))
        return str(file)

    def done(self, method: str, kind: str, name: str | None, body: Body, query: dict[str, list[str]]) -> tuple[int, Body]:
        """What becomes of a request."""
        if method == "POST":
            return self._made(kind, body)
        if name is None:
            wanted = dict(one.split("=") for one in query.get("labelSelector", [""])[0].split(",") if one)
            found = [one for (of, _), one in self.there.items() if of == kind and wanted.items() <= one["metadata"]["labels"].items()]
            return 200, {"items": [self._now(one) for one in found], "metadata": {}}
        if (kind, name) not in self.there:
            return 404, {"message": f"{kind} {name!r} not found"}
        if method == "DELETE":
            return 200, self.there.pop((kind, name))
        if method == "PATCH":
            self.there[kind, name]["spec"].update(body["spec"])
        return 200, self._now(self.there[kind, name])

    def _made(self, kind: str, body: Body) -> tuple[int, Body]:
        name = body["metadata"]["name"]
        image = body["spec"]["template"]["spec"]["containers"][0]["image"] if kind == "jobs" else ""
        if image.startswith("says-"):
            return int(image.removeprefix("says-")), {"message": "it is not allowed"}
        if (kind, name) in self.there:
            return 409, {"message": "already exists"}
        self.made[kind, name] += 1
        body["metadata"]["creationTimestamp"] = stamp(time.time())
        body.setdefault("status", {})
        self.there[kind, name] = body
        if kind == "jobs" and not body["spec"].get("suspend"):
            self.runs[name] += 1
            body["began"] = time.time()
        return 201, body

    def _now(self, one: Body) -> Body:
        """A Job's status, as time has made it."""
        if "began" in one and "conditions" not in one["status"]:
            image = one["spec"]["template"]["spec"]["containers"][0]["image"]
            if one["spec"].get("suspend"):
                one["status"] = {"conditions": [{"type": "Suspended", "status": "True", "lastTransitionTime": stamp(time.time())}]}
            elif image == "hangs" or time.time() - one["began"] < _RUNS_S:
                one["status"] = {"active": 1, "startTime": stamp(one["began"])}
            else:
                kind, reason = ("Complete", "CompletionsReached") if image == "succeeds" else ("Failed", "BackoffLimitExceeded")
                condition = {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": stamp(time.time())}
                one["status"] = {"conditions": [condition]}
        return {key: value for key, value in one.items() if key != "began"}


class _Handler(Silent, BaseHTTPRequestHandler):
    server: Cluster

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        pieces = parts.path.split("/namespaces/")[1].split("/")
        server = self.server
        with server.changing:
            number = next(server.number)
            cut = server.cuts > 0 and number % server.cuts == 0
            server.cut += cut
            if cut and number // server.cuts % 2:
                self._break()
                return
            name = pieces[2] if len(pieces) > 2 else None
            status, content = server.done(self.command, pieces[1], name, json.loads(raw or b"{}"), parse_qs(parts.query))
        if cut:
            self._break()
            return
        encoded = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def _break(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815  # as its parent calls them


def standing_in(cuts: int = 0) -> AbstractContextManager[Cluster]:
    """A cluster until the end of the block; ``cuts``: one line in so many breaks."""
    return Cluster(cuts).answering()
