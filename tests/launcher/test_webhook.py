"""A webhook is delivered until somebody has it: signed, under one id, bounded, and to nobody else."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from driftbus.consumers.launcher.seen import ENDS
from driftbus.consumers.launcher.signing import key_of, signature
from driftbus.consumers.launcher.template import NoSuchFact, filled
from driftbus.consumers.launcher.webhook import WebhookLauncher
from driftbus.consumers.process.looking import Looking
from driftbus.consumers.process.settings import ConfigurationError, parsed
from driftbus.schemas.configuration.launchers import Webhook

from ..waiting import until
from .jobs import job
from .receivers import HOSTILE, Receiver, receiving, wall

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")


def launcher_of(receiver: Receiver, **settings: Any) -> WebhookLauncher:
    own = {"url": f"{receiver.address}/hooks/", "timeout": "1s", "deadline": "1h", **settings}
    return WebhookLauncher(Webhook.model_validate(own), wall)


def at(number: int = 1, ago_ms: int = 0, *, started: bool = False, cancelling: bool = False) -> Any:  # a Job of now
    one = job(number, started=started, cancelling=cancelling)
    return type(one)(one.id, one.event, one.facts, wall() - ago_ms, started, cancelling)


def test_it_is_signed_with_both_secrets_under_the_id_of_the_job() -> None:
    with receiving() as receiver:
        assert launcher_of(receiver, secret=SECRETS[0], former_secret=SECRETS[1]).ensure(at()).state == "succeeded"
        ((_, path, headers, body),) = receiver.calls
    assert path == "/hooks/"
    assert body == job().event
    assert headers["webhook-id"] == headers["idempotency-key"] == job().id
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    expected = signature([key_of(one) for one in SECRETS], job().id, int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == expected
    assert len(expected.split()) == 2


def test_secrets_and_headers_come_from_files_and_are_read_each_time(tmp_path: Path) -> None:
    secret, token = tmp_path / "secret", tmp_path / "token"
    secret.write_text(f"{SECRETS[0]}\n")
    with receiving() as receiver:
        launcher = launcher_of(receiver, secret=f"file:{secret}", headers={"Authorization": f"file:{token}"})
        for number in range(2):
            token.write_text(f"Bearer {number}\n")
            assert launcher.ensure(at(number)).state == "succeeded"
        assert [headers["authorization"] for _, _, headers, _ in receiver.calls] == ["Bearer 0", "Bearer 1"]
        token.unlink()
        assert launcher.ensure(at(3)).why == f"webhook.headers.Authorization: file:{token}: cannot be read: FileNotFoundError"


def test_no_secret_is_shown() -> None:
    with receiving() as receiver:
        launcher = launcher_of(receiver, secret="whsec_c2hvcnQ=")
        assert "c2hvcnQ" not in launcher.ensure(at()).why
        assert "c2hvcnQ" not in repr(launcher._settings)
        assert not receiver.calls


@pytest.mark.parametrize(
    ("manner", "state", "why"),
    [
        ("200", "succeeded", "delivered"),
        ("409", "succeeded", "it was there already: HTTP 409"),
        ("301", "failed", "HTTP 301"),
        ("307", "failed", "HTTP 307"),
        ("400", "failed", "HTTP 400"),
        ("404", "failed", "HTTP 404"),
        ("408", "requested", "HTTP 408"),
        ("429", "requested", "HTTP 429"),
        ("500", "requested", "HTTP 500"),
        ("hangs", "requested", "no answer in time"),
        ("drips", "requested", "no answer in time"),
        ("half a head", "requested", "no answer in time"),
        ("cut", "requested", "the connection broke"),
    ],
)
def test_what_becomes_of_an_answer(manner: str, state: str, why: str) -> None:
    with receiving(manner) as receiver:
        began = time.monotonic()
        seen = launcher_of(receiver).ensure(at())
        assert (seen.state, seen.why) == (state, why)
        assert time.monotonic() - began < 10, "a server that drips is cut"
        assert len(receiver.calls) == 1, "no redirect is followed"


def test_it_is_tried_again_later_and_later_but_never_behind_the_deadline() -> None:
    with receiving("500") as receiver:
        launcher = launcher_of(receiver, deadline="1h")
        pauses = [launcher.ensure(at()).again_s for _ in range(12)]
        assert all(0.5 * 2.0**number <= pause_s <= 2.0**number for number, pause_s in enumerate(pauses[:8]))
        assert max(pauses) <= 300
        assert launcher.ensure(at(ago_ms=3_599_000)).again_s <= 1
        seen = launcher.ensure(at(ago_ms=3_600_000))
        assert (seen.state, seen.why, seen.undelivered) == ("failed", "undelivered within 1h: it may have arrived", True)


def test_where_its_end_is_reported_it_is_delivered_once() -> None:
    with receiving() as receiver:
        launcher = launcher_of(receiver, reports=True)
        assert launcher.ensure(at())[:2] == ("started", "delivered")
        assert launcher.ensure(at()).state == launcher.ensure(at(cancelling=True)).state == "started"
        assert launcher_of(receiver, reports=True).ensure(at(started=True)).state == "started", "another process knows it from the log"
        assert len(receiver.calls) == 1


def test_what_is_cancelled_is_delivered_no_more() -> None:
    with receiving("500") as receiver:
        launcher = launcher_of(receiver)
        assert launcher.ensure(at(cancelling=True))[:2] == ("cancelled", "it was not delivered")
        launcher.ensure(at(2))
        assert launcher.ensure(at(2, cancelling=True))[:2] == ("cancelled", "it is delivered no more; it may have arrived")
        assert len(receiver.calls) == 1


def test_a_hostile_endpoint_gets_each_in_the_end_and_one_that_keeps_ids_works_once() -> None:
    jobs = {one.id: one for one in map(at, range(20))}
    with receiving(*HOSTILE, *["204"] * 8, seed=3) as receiver:
        looking = Looking(launcher_of(receiver, timeout="300ms"), "test")
        looking.keep(jobs)
        until(lambda: sum(seen.state in ENDS for seen in looking.seen().values()) == len(jobs), 120)
        looking.stop()
        assert {seen.state for seen in looking.seen().values()} == {"succeeded"}
        assert receiver.works == dict.fromkeys(jobs, 1)
        assert len(receiver.calls) > len(jobs)


def test_a_body_is_a_structure_and_an_address_keeps_its_parts() -> None:
    body = {"dag_run_id": "{{ job }}", "logical_date": None, "conf": {"model": "{{ model }}", "why": "cause {{ trigger.cause }}"}}
    evil = 'x", "admin": true, "y": "{{ secret }}\r\nX-Evil: 1'
    with receiving() as receiver:
        launcher = launcher_of(receiver, url=f"{receiver.address}/api/{{{{ version }}}}/runs", body=body)
        one = at()
        facts = {"job": one.id, "model": evil, "version": "../../etc?x=1#", "trigger": {"cause": "data_drift"}}
        assert launcher.ensure(type(one)(one.id, one.event, facts, one.requested)).state == "succeeded"
        ((_, path, headers, sent),) = receiver.calls
    assert path == "/api/..%2F..%2Fetc%3Fx%3D1%23/runs"
    assert json.loads(sent) == {"dag_run_id": one.id, "logical_date": None, "conf": {"model": evil, "why": "cause data_drift"}}
    assert "x-evil" not in headers


@pytest.mark.parametrize("template", ["{{ nothing }}", "x {{ trigger }}", "{{ model.upper }}"])
def test_a_hole_for_which_there_is_nothing(template: str) -> None:
    with pytest.raises(NoSuchFact):
        filled(template, {"model": "eta", "trigger": {}})


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"url": "http://example.org/x"}, "insecure: true"),
        ({"url": "https://example.org/x", "body": {"a": "{{ nothing }}"}}, "body: {{ nothing }}: there is no nothing"),
        ({"url": "https://example.org/{{ trigger.reason }}"}, "there is no reason"),
        ({"url": "https://example.org/x", "body": ["{{ job + 1 }}"]}, "nothing is evaluated"),
        ({"url": "https://{{ model }}/x"}, "host"),
        ({"url": "https://example.org/übung"}, "is not an address"),
        ({"url": "https://example.org/a b/{{ job }}"}, "is not an address"),
        ({"url": "https://example.org/a\tb"}, "is not an address"),
        ({"url": "https://example..org/x"}, "is not an address"),
        ({"url": f"https://{'x' * 70}.org/x"}, "is not an address"),
        ({"url": "https://example.org/x", "body": {True: "push"}}, "written as JSON"),
        ({"url": "https://example.org/x", "body": [{None: 1}]}, "written as JSON"),
        ({"url": "https://example.org/x", "body": {"a": object()}}, "written as JSON"),
        ({"url": "https://example.org/x", "headers": {"X-Model": "{{ model }}"}}, "no {{ }} stand in headers"),
    ],
)
def test_what_would_never_work_is_refused_at_start(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason.replace("{", "\\{").replace("}", "\\}").replace("+", "\\+")):
        Webhook.model_validate(settings)


@pytest.mark.parametrize("key", ["secret", "former_secret", "headers"])
def test_secrets_come_from_the_environment_or_from_files(key: str) -> None:
    hook = {"application": "a", "streams": {"s": {"topics": ["t"]}}}

    def parse(value: str) -> None:
        written = {"url": "https://example.org", key: {"Authorization": value} if key == "headers" else value}
        parsed(json.dumps(hook | {"launchers": {"x": {"webhook": written}}}), {"SECRET": SECRETS[0]})

    parse("${SECRET}")
    parse("file:/run/secrets/x")
    with pytest.raises(ConfigurationError, match=rf"launchers\.x\.webhook\.{key}.*stands in the file") as refused:
        parse(SECRETS[1])
    assert SECRETS[1] not in str(refused.value)


def test_http_to_this_machine_and_where_somebody_wants_it() -> None:
    Webhook(url="http://127.0.0.1:1/x")
    Webhook(url="http://example.org/x", insecure=True)


@pytest.mark.parametrize("token", ["Bearer a-secret\r\nX-Evil: 1", "Bearer a-secret\n\nbody", "Bearer a-secret€", "Bearer a-secret\x00"])
def test_a_file_that_holds_no_header_ends_the_job_alone_and_is_not_shown(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_bytes(token.encode())
    with receiving() as receiver:
        seen = launcher_of(receiver, headers={"Authorization": f"file:{tmp_path / 'token'}"}).ensure(at())
        assert seen.state == "failed"
        assert "one line of ASCII" in seen.why
        assert "a-secret" not in seen.why
        assert not receiver.calls


@pytest.mark.parametrize("version", ["..", ".", ""])
def test_no_name_leads_a_step_back(version: str) -> None:
    with receiving() as receiver:
        launcher, one = launcher_of(receiver, url=f"{receiver.address}/models/{{{{ version }}}}/runs"), at()
        seen = launcher.ensure(type(one)(one.id, one.event, {"version": version}, one.requested))
        assert seen.state == "failed"
        assert "leads to another address" in seen.why
        assert not receiver.calls
