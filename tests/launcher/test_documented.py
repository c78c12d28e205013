"""The templates of docs/launchers.md, each delivered twice to a stand-in that answers as the system documents it."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from driftbus.consumers.launcher.kubernetes_job import manifest
from driftbus.consumers.launcher.signing import key_of, signature
from driftbus.consumers.launcher.webhook import WebhookLauncher
from driftbus.consumers.process.environment import expanded
from driftbus.schemas.configuration.launchers import KubernetesJob, Launcher

from ..loopback import Loopback, Silent
from .jobs import job
from .receivers import wall
from .test_webhook import SECRETS
from .worlds import request, settings_of

PAGE = Path(__file__).parents[2] / "docs/launchers.md"
ENVIRONMENT = {"GITHUB_TOKEN": "t0ken", "ARGO_SECRET": SECRETS[0]}
Headers = dict[str, str]
Answers = Callable[[str, Headers, bytes], int]


def documented() -> dict[str, Any]:
    """The launchers of the page, as YAML has them."""
    blocks = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    return {name: kind for block in blocks for name, kind in block.get("launchers", {}).items()}


def answering(answers: Answers) -> AbstractContextManager[Loopback]:
    """A server whose answers a function gives."""

    class Handler(Silent, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answers(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Loopback(Handler).answering()


class Airflow:
    """`POST /api/v2/dags/{dag_id}/dagRuns`: 200; 401 without a token, 422 without a logical date, 409 where the id is taken."""

    def __init__(self) -> None:
        self.effects: list[Any] = []

    def __call__(self, path: str, headers: Headers, body: bytes) -> int:
        run = json.loads(body)
        if headers.get("authorization") != "Bearer jwt":
            return 401
        if path != "/api/v2/dags/retrain/dagRuns" or "logical_date" not in run or set(run) - {"dag_run_id", "logical_date", "conf"}:
            return 422
        if run["dag_run_id"] in [one["dag_run_id"] for one in self.effects]:
            return 409
        self.effects.append(run)
        return 200


class GitHub:
    """`POST /repos/{owner}/{repo}/dispatches`: 204, and a run each; 403 without a user agent, 422 with more than ten keys of a payload."""

    def __init__(self) -> None:
        self.effects: list[Any] = []
        self.tags: set[str] = set()

    def __call__(self, path: str, headers: Headers, body: bytes) -> int:
        event = json.loads(body)
        if "user-agent" not in headers or headers.get("authorization") != "Bearer t0ken":
            return 403
        if path != "/repos/acme/models/dispatches" or len(event["event_type"]) > 100 or len(event["client_payload"]) > 10:
            return 422
        if event["client_payload"]["job"] not in self.tags:  # the workflow's first step, and its last
            self.effects.append(event)
            self.tags.add(event["client_payload"]["job"])
        return 204


class Argo:
    """An event source takes any JSON, and says 200; the Sensor submits a Workflow by name, of which there is one."""

    def __init__(self) -> None:
        self.effects: list[Any] = []
        self.names: set[str] = set()

    def __call__(self, path: str, headers: Headers, body: bytes) -> int:
        at_s = int(headers["webhook-timestamp"])
        if headers["webhook-signature"] != signature([key_of(SECRETS[0])], headers["webhook-id"], at_s, body):
            return 401
        name = json.loads(body)["job"]
        if name not in self.names:
            self.effects.append(json.loads(body))
            self.names.add(name)
        return 200 if path == "/retrain" else 404


@pytest.mark.parametrize(("name", "system"), [("airflow", Airflow), ("github", GitHub), ("argo", Argo)])
def test_what_the_page_says_is_delivered_and_twice_is_once(name: str, system: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer jwt\n")
    written = json.loads(json.dumps(documented()[name]).replace("/run/secrets/airflow", str(tmp_path / "token")))
    kind = Launcher.model_validate(expanded(written, ENVIRONMENT).content).webhook
    assert kind is not None
    asked = request(settings_of(tmp_path, {"webhook": {"url": "https://example.org"}}), 1)
    one = type(job())(asked.job, asked.encoded(), asked.plain(), asked.requested)
    answers = system()
    with answering(answers) as server:
        here = kind.model_copy(update={"url": server.address + urlsplit(kind.url).path})
        for _ in range(2):  # as after a death between a delivery and its commit
            assert WebhookLauncher(here, wall).ensure(one).state == "started"
    (effect,) = answers.effects
    assert asked.job in json.dumps(effect)
    assert "m" in (effect.get("conf") or effect.get("client_payload") or effect).values()


def test_the_other_launchers_of_the_page_are_valid() -> None:
    pages = documented()
    command = Launcher.model_validate(pages["trainer"]).command
    assert command is not None
    assert command.run == ("python", "fit.py")
    kind = Launcher.model_validate(pages["cluster"]).kind
    assert isinstance(kind, KubernetesJob)
    assert manifest(kind, job(), {})["spec"]["activeDeadlineSeconds"] == 4 * 3_600
