"""Deployments of GitHub or GitLab as coincident facts: a small receiver of webhooks, to be run beside driftbus, or changed to taste.

    DRIFTBUS_WEBHOOK_SECRET=... python deploy/webhook/receiver.py --config driftbus.yaml --source shop/inventory=inventory

A deployment that succeeded becomes `Coincidence(type="release")` on ``PREFIX.models``. Root causes that begin then name it.

*Guarantee.* Nothing is published that does not bear the secret: GitHub's signature over the body (HMAC-SHA256, ``X-Hub-Signature-256``), or
GitLab's token (``X-Gitlab-Token``), both compared in constant time. 202 is answered when the fact is on the bus; what is sent again until
then is told once. *Trap.* It speaks plain HTTP, and listens on this machine alone unless ``--host`` says otherwise: what lies
between it and the sender must speak TLS.
"""

import argparse
import hashlib
import hmac
import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from driftbus.consumers.bus.interface import BusError
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.process.http_server import HTTPServer, body_length
from driftbus.consumers.process.settings import load
from driftbus.consumers.reference.coincidences import tell
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.coincidence import Coincidence

_log = logging.getLogger("driftbus.webhook")
SECRET = "DRIFTBUS_WEBHOOK_SECRET"
#: Bytes of a request that are read, and seconds that one may take: both services send some tens of KB at once.
MOST_BYTES, PATIENCE_S = 1_000_000, 10
#: Characters of a secret below which it could be guessed.
LEAST_SECRET = 16


class Refused(Exception):
    """A request that is not answered with 202."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Wanted(NamedTuple):
    """What of all deployments is told, and how."""

    sources: Mapping[str, str]  #: by repository, the source whose values it makes
    environments: frozenset[str] = frozenset()  #: none: all
    model: str | None = None  #: none: every one that the configuration lists


class GitHubStatus(msgspec.Struct):
    """How a deployment went."""

    state: str
    created_at: str


class GitHubDeployment(msgspec.Struct):
    """What was deployed where."""

    id: int
    sha: str
    environment: str


class GitHubRepository(msgspec.Struct):
    """Whose it is."""

    full_name: str


class GitHub(msgspec.Struct):
    """Of the event ``deployment_status``, what is read."""

    deployment_status: GitHubStatus
    deployment: GitHubDeployment
    repository: GitHubRepository


class GitLabProject(msgspec.Struct):
    """Whose it is."""

    path_with_namespace: str


class GitLab(msgspec.Struct):
    """Of the event ``Deployment Hook``, what is read."""

    status: str
    status_changed_at: str
    deployment_id: int
    environment: str
    short_sha: str
    project: GitLabProject


class Deployed(NamedTuple):
    """What both services say of a deployment."""

    repository: str
    environment: str
    number: int
    commit: str
    at: str


def signed(secret: bytes, headers: Message, body: bytes) -> bool:
    """Whether the sender knows the secret."""
    if said := headers.get("X-Hub-Signature-256"):
        own = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
        return hmac.compare_digest(own.encode(), said.encode())
    return hmac.compare_digest(secret, headers.get("X-Gitlab-Token", "").encode())


def deployed(headers: Message, body: bytes) -> Deployed | None:
    """The deployment that succeeded; None: it speaks of something else. Raises `Refused` where it cannot be read."""
    try:
        if headers.get("X-GitHub-Event") == "deployment_status":
            return _of_github(msgspec.json.decode(body, type=GitHub))
        if headers.get("X-Gitlab-Event") == "Deployment Hook":
            return _of_gitlab(msgspec.json.decode(body, type=GitLab))
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"it cannot be read: {error}") from error
    return None


def _of_github(said: GitHub) -> Deployed | None:
    status, one = said.deployment_status, said.deployment
    if status.state != "success":
        return None
    return Deployed(said.repository.full_name, one.environment, one.id, one.sha[:12], status.created_at)


def _of_gitlab(said: GitLab) -> Deployed | None:
    if said.status != "success":
        return None
    at = datetime.strptime(said.status_changed_at, "%Y-%m-%d %H:%M:%S %z").isoformat()
    return Deployed(said.project.path_with_namespace, said.environment, said.deployment_id, said.short_sha, at)


def coincidence(one: Deployed, wanted: Wanted) -> Coincidence | None:
    """The fact that it is; None: nobody asked for it. Raises `Refused` where it is none that can be told."""
    if wanted.environments and one.environment not in wanted.environments:
        return None
    try:
        return Coincidence.of(
            {
                "type": "release",
                "ref": f"{one.repository} {one.commit} to {one.environment} ({one.number})",
                "source": wanted.sources.get(one.repository),
                "model": wanted.model,
                "time": one.at,
            }
        )
    except ValueError as error:
        raise Refused(400, str(error)) from error


class Receiver(BaseHTTPRequestHandler):
    """Of one request."""

    def __init__(self, *request: Any, secret: bytes, wanted: Wanted, publish: Callable[[Coincidence], None]) -> None:
        self._secret, self._wanted, self._publish = secret, wanted, publish
        super().__init__(*request)

    def do_POST(self) -> None:
        """The one thing that it does."""
        try:
            self._answer(202, self._received())
        except Refused as refused:
            self._answer(refused.status, str(refused))

    def _received(self) -> str:
        body, headers = self._body(), self.headers
        if not signed(self._secret, headers, body):
            raise Refused(401, "it does not bear the secret")
        one = deployed(headers, body)
        fact = None if one is None else coincidence(one, self._wanted)
        if fact is None:
            return "nothing to tell"
        try:
            self._publish(fact)
        except BusError as error:
            _log.error("not told: %s: %s", fact.ref, error)
            raise Refused(503, "it could not be told; send it again") from error
        return f"told at {iso(fact.time or 0)}"

    def _body(self) -> bytes:
        length = body_length(self.headers.get("Content-Length"))
        if length is None:
            raise Refused(411, "it does not say how long it is")
        if length > MOST_BYTES:
            raise Refused(413, f"more than {MOST_BYTES:,} bytes")
        return self.rfile.read(length)

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def server(host: str, port: int, secret: bytes, wanted: Wanted, publish: Callable[[Coincidence], None]) -> HTTPServer:
    """It serves when `serve_forever` is called. One fact is published at a time."""
    if len(secret) < LEAST_SECRET:
        msg = f"{SECRET}: {len(secret)} characters, it must have {LEAST_SECRET}: openssl rand -hex 32"
        raise ValueError(msg)
    lock = Lock()

    def one_by_one(fact: Coincidence) -> None:
        with lock:
            publish(fact)

    return HTTPServer((host, port), partial(Receiver, secret=secret, wanted=wanted, publish=one_by_one), PATIENCE_S)


def main() -> None:
    """Read the command line, and serve."""
    logging.basicConfig(level=logging.INFO)
    parser = argparse.ArgumentParser(description="Tell driftbus of deployments that GitHub's or GitLab's webhooks speak of.")
    parser.add_argument("--config", default="driftbus.yaml")
    parser.add_argument("--host", default="127.0.0.1", help="where it listens (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8787)
    parser.add_argument("--source", action="append", default=[], metavar="REPOSITORY=SOURCE", help="whose values a repository makes")
    parser.add_argument("--environment", action="append", default=[], help="none: all")
    parser.add_argument("--model", help="none: every one that the configuration lists")
    asked = parser.parse_args()
    pairs = [one.partition("=") for one in asked.source]
    if bad := [one for one, mark, source in pairs if not (one and mark and source)]:
        parser.error(f"--source {bad[0]}: write REPOSITORY=SOURCE")
    configuration = load(asked.config)
    wanted = Wanted({one: source for one, _, source in pairs}, frozenset(asked.environment), asked.model)
    bus = open_bus(configuration)
    try:
        served = server(asked.host, asked.port, os.environ.get(SECRET, "").encode(), wanted, partial(tell, bus, configuration))
    except ValueError as error:
        parser.error(str(error))
    _log.info("listening on http://%s:%s", asked.host, served.server_port)
    try:
        served.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        served.server_close()
        bus.close()


if __name__ == "__main__":
    main()
