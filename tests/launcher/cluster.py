"""A stand-in for Kubernetes' API: Jobs and ConfigMaps of a namespace, and lines that break.

One line in so many is cut: half of these before anything is done, half behind it. What it makes is counted by name. A Job runs, and ends as
its image says: `succeeds`, `fails`, `hangs`, or whatever stands behind `says-`, a status and its reason. That the real API answers, and
changes Jobs, as this one does, is what `tests.launcher.plane` tries.
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
#: Reasons of answers, by status.
_REASONS = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 422: "Invalid", 429: "TooManyRequests", 503: "ServiceUnavailable"}


def stamp(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def refusal(status: int, message: str, kind: str, name: str, reason: str | None = None) -> tuple[int, Body]:
    """As the API says it."""
    said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": status}
    return status, said | {"reason": reason or _REASONS[status], "details": {"name": name, "kind": kind}}


def condition(kind: str, reason: str) -> Body:
    """One that holds since now."""
    return {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": stamp(time.time())}


def kubeconfig_of(address: str, folder: Path, token: str = "t", authority: str | None = None) -> str:
    """A file that leads to an API; ``authority``: the file of who signed its certificate."""
    file = folder / "kubeconfig"
    cluster = {"server": address} | ({} if authority is None else {"certificate-authority": authority})
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **document}))
    return str(file)


class Cluster(Loopback):
    """What is there: by kind and name; ``runs``: how often a Job of a name was begun."""

    def __init__(self, cuts: int) -> None:
        super().__init__(_Handler)
        self.cuts, self.number = cuts, itertools.count(1)
        self.there: dict[tuple[str, str], Body] = {}
        self.made, self.runs, self.cut = Counter[tuple[str, str]](), Counter[str](), 0
        self.changing = threading.Lock()

    def kubeconfig(self, folder: Path) -> str:
        return kubeconfig_of(self.address, folder)

    def done(self, method: str, kind: str, name: str | None, body: Body, query: dict[str, list[str]]) -> tuple[int, Body]:
        """What becomes of a request."""
        if method == "POST":
            return self._made(kind, body)
        if name is None:
            wanted = dict(one.split("=") for one in query.get("labelSelector", [""])[0].split(",") if one)
            behind, most = query.get("continue", [""])[0], int(query.get("limit", ["500"])[0])
            names = sorted(name for of, name in self.there if of == kind and name > behind)
            found = [self.there[kind, name] for name in names if wanted.items() <= self.there[kind, name]["metadata"]["labels"].items()]
            more = {"continue": found[most - 1]["metadata"]["name"]} if len(found) > most else {}
            return 200, {"items": [self._now(one) for one in found[:most]], "metadata": more}
        if (kind, name) not in self.there:
            return refusal(404, f'{kind} "{name}" not found', kind, name)
        if method == "DELETE":
            del self.there[kind, name]
            return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": {"name": name, "kind": kind}}
        one = self.there[kind, name]
        if method == "PATCH":
            one["spec"].update(body["spec"])
            one.setdefault("suspended", time.time())
        return 200, self._now(one)

    def _made(self, kind: str, body: Body) -> tuple[int, Body]:
        name = body["metadata"]["name"]
        image = body["spec"]["template"]["spec"]["containers"][0]["image"] if kind == "jobs" else ""
        if image.startswith("says-"):
            status, _, reason = image.removeprefix("says-").partition("-")
            return refusal(int(status), "it is not allowed", kind, name, reason)
        if (kind, name) in self.there:
            return refusal(409, f'{kind} "{name}" already exists', kind, name, "AlreadyExists")
        self.made[kind, name] += 1
        body["metadata"]["creationTimestamp"] = stamp(time.time())
        body.setdefault("status", {})
        self.there[kind, name] = body
        if kind == "jobs" and body["spec"].get("suspend"):
            body["suspended"] = time.time()
        elif kind == "jobs":
            self.runs[name] += 1
            body["began"] = time.time()
        return 201, body

    def _now(self, one: Body) -> Body:
        """A Job's status, as its controller, which comes a little later, and time have made it."""
        ended = any(each["type"] in ("Complete", "Failed") for each in one.get("status", {}).get("conditions", ()))
        if "suspended" in one and not ended:
            since = time.time() - one["suspended"]
            if since > _RUNS_S:
                one["status"] = {"conditions": [condition("Suspended", "JobSuspended")]}
                one["status"] |= {"terminating": 1} if "began" in one and since < 2 * _RUNS_S else {}
        elif "began" in one and not ended:
            image = one["spec"]["template"]["spec"]["containers"][0]["image"]
            if image == "hangs" or time.time() - one["began"] < _RUNS_S:
                one["status"] = {"active": 1, "startTime": stamp(one["began"])}
            elif image == "succeeds":
                one["status"] = {"conditions": [condition(kind, "CompletionsReached") for kind in ("SuccessCriteriaMet", "Complete")]}
            else:
                one["status"] = {"conditions": [condition(kind, "BackoffLimitExceeded") for kind in ("FailureTarget", "Failed")]}
        return {key: value for key, value in one.items() if key not in ("began", "suspended")}


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
