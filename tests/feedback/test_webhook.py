"""The receiver of webhooks, over real HTTP, with the payloads that GitHub's and GitLab's documentation show."""

import hashlib
import hmac
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from driftbus.consumers.bus.interface import BusError
from driftbus.consumers.reference.coincidences import read, tell
from driftbus.schemas.messages.coincidence import Coincidence

from ..consumers.clerks import settings, world
from ..streaming import everything

RECEIVER = Path(__file__).parents[2] / "deploy" / "webhook" / "receiver.py"
SECRET = b"a secret of some length"
GITHUB: dict[str, Any] = {
    "action": "created",
    "deployment_status": {
        "url": "https://api.github.com/repos/Codertocat/Hello-World/deployments/145988746/statuses/209916254",
        "id": 209916254,
        "node_id": "MDE2OkRlcGxveW1lbnRTdGF0dXMyMDk5MTYyNTQ=",
        "state": "success",
        "creator": {"login": "Codertocat", "id": 21031067, "type": "User", "site_admin": False},
        "description": "",
        "environment": "production",
        "target_url": "",
        "created_at": "2019-05-15T15:20:53Z",
        "updated_at": "2019-05-15T15:20:53Z",
    },
    "deployment": {
        "id": 145988746,
        "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
        "ref": "master",
        "task": "deploy",
        "payload": {},
        "original_environment": "production",
        "environment": "production",
        "description": None,
        "created_at": "2019-05-15T15:20:49Z",
    },
    "repository": {"id": 186853002, "name": "Hello-World", "full_name": "Codertocat/Hello-World", "private": False},
    "sender": {"login": "Codertocat", "id": 21031067, "type": "User"},
}
GITLAB: dict[str, Any] = {
    "object_kind": "deployment",
    "status": "success",
    "status_changed_at": "2021-04-28 21:50:00 +0200",
    "deployment_id": 15,
    "deployable_id": 796,
    "deployable_url": "https://gitlab.example.com/team/scorer/-/jobs/796",
    "environment": "staging",
    "environment_tier": "staging",
    "environment_slug": "staging",
    "environment_external_url": "https://staging.example.com",
    "project": {"id": 30, "name": "scorer", "path_with_namespace": "team/scorer", "ci_config_path": ""},
    "short_sha": "279484c0",
    "user": {"id": 1, "name": "Ann", "username": "ann"},
    "user_url": "https://gitlab.example.com/ann",
    "commit_url": "https://gitlab.example.com/team/scorer/-/commit/279484c0",
    "commit_title": "Add new file",
}


@pytest.fixture(scope="module")
def receiver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("webhook_receiver", RECEIVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Service:
    """A receiver that listens, and what it published."""

    def __init__(self, receiver: ModuleType, publish: Any = None, **wanted: Any) -> None:
        self.told: list[Coincidence] = []
        asked = receiver.Wanted(wanted.pop("sources", {}), **wanted)
        self.server = receiver.server("127.0.0.1", 0, SECRET, asked, publish or self.told.append)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        with closing(HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)) as connection:
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def github(self, said: object, *, secret: bytes = SECRET, event: str = "deployment_status") -> tuple[int, str]:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        mark = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        return self.post(body, {"X-GitHub-Event": event, "X-Hub-Signature-256": mark})

    def gitlab(self, said: object, *, token: str = SECRET.decode()) -> tuple[int, str]:
        return self.post(json.dumps(said).encode(), {"x-gitlab-event": "Deployment Hook", "x-gitlab-token": token})


@pytest.fixture
def service(receiver: ModuleType) -> Iterator[Service]:
    with closing(Service(receiver, sources={"Codertocat/Hello-World": "inventory"})) as one:
        yield one


def test_a_deployment_that_succeeded_is_a_release_of_its_source_whoever_tells_it(service: Service) -> None:
    assert service.github(GITHUB) == (202, "told at 2019-05-15T15:20:53Z")
    assert service.gitlab(GITLAB) == (202, "told at 2021-04-28T19:50:00Z")
    first, second = service.told
    assert first.plain() == {
        "type": "release",
        "ref": "Codertocat/Hello-World f95f852bd8fc to production (145988746)",
        "source": "inventory",
        "features": (),
        "time": 1_557_933_653_000,
    }
    assert (second.ref, second.source) == ("team/scorer 279484c0 to staging (15)", None)


def test_without_the_secret_nothing_is_told(service: Service) -> None:
    body = json.dumps(GITHUB).encode()
    assert service.github(GITHUB, secret=b"another secret of that length")[0] == 401
    assert service.gitlab(GITLAB, token="")[0] == 401
    assert service.gitlab(GITLAB, token="a secret of some lengtH")[0] == 401
    assert service.post(body, {"X-GitHub-Event": "deployment_status"})[0] == 401
    mark = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    assert service.post(body + b" ", {"X-GitHub-Event": "deployment_status", "X-Hub-Signature-256": mark})[0] == 401
    assert service.post(body, {"X-GitHub-Event": "deployment_status", "X-Hub-Signature-256": "sha256=\xe9"})[0] == 401
    assert not service.told


def test_what_is_no_deployment_that_succeeded_is_told_to_nobody(service: Service) -> None:
    assert service.github({"zen": "Keep it logically awesome."}, event="ping") == (202, "nothing to tell")
    failed = GITHUB | {"deployment_status": GITHUB["deployment_status"] | {"state": "failure"}}
    assert service.github(failed) == (202, "nothing to tell")
    assert service.gitlab(GITLAB | {"status": "running"}) == (202, "nothing to tell")
    assert not service.told


@pytest.mark.parametrize(
    "said",
    [
        b"{",
        b"\xff",
        b"[" * 10_000,
        [],
        {},
        GITHUB | {"deployment": None},
        GITHUB | {"repository": {"full_name": ["a"]}},
        GITHUB | {"repository": {"full_name": "x" * 600}},
        GITHUB | {"repository": {"full_name": "\0"}},
        GITHUB | {"deployment_status": {"state": "success", "created_at": "yesterday"}},
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(service: Service, said: object) -> None:
    status, reason = service.github(said)
    assert (status, bool(reason), service.told) == (400, True, [])


def test_a_body_that_is_too_long_or_of_no_length_is_not_read(service: Service) -> None:
    for length, status in (("1000001", 413), ("9" * 30, 413), ("9" * 5_000, 413), ("-1", 411)):
        with closing(HTTPConnection("127.0.0.1", service.server.server_port, timeout=10)) as connection:
            connection.putrequest("POST", "/")
            connection.putheader("Content-Length", length)
            connection.endheaders()
            assert connection.getresponse().status == status


def test_only_the_environments_that_are_asked_for_and_of_the_model_that_is(receiver: ModuleType) -> None:
    with closing(Service(receiver, environments=frozenset({"production"}), model="eta")) as service:
        assert service.gitlab(GITLAB) == (202, "nothing to tell")
        assert service.github(GITHUB)[0] == 202
        assert [one.model for one in service.told] == ["eta"]


def test_what_could_not_be_told_is_not_answered_as_if_it_were(receiver: ModuleType) -> None:
    def fails(_: Coincidence) -> None:
        raise BusError("no broker")

    with closing(Service(receiver, fails)) as service:
        assert service.github(GITHUB) == (503, "it could not be told; send it again")


def test_a_secret_that_could_be_guessed_is_refused(receiver: ModuleType) -> None:
    with pytest.raises(ValueError, match="DRIFTBUS_WEBHOOK_SECRET: 0 characters"):
        receiver.server("127.0.0.1", 0, b"", receiver.Wanted({}), print)


def test_it_lies_on_the_topic_as_the_clerk_reads_it(receiver: ModuleType, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    with closing(Service(receiver, partial(tell, bus, chosen))) as service:
        assert service.github(GITHUB)[0] == 202
    [record] = everything(bus, chosen.topics.models)[0]
    assert record.key is not None
    found = read(chosen.application, record.key, record.value, record.headers)
    assert found.time == 1_557_933_653_000
