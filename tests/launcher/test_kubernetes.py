"""A Job of Kubernetes is made once, by its name; what is gone is lost, and what is cancelled is suspended."""

import json
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from driftbus.consumers.launcher.kubernetes_job import KubernetesLauncher, NoClient, name_of
from driftbus.schemas.configuration.launchers import KubernetesJob

from ..loopback import Loopback, Silent
from .cluster import Cluster, kubeconfig_of, stamp, standing_in
from .jobs import ended, job

NAME = name_of(job().id)


def template(image: str = "succeeds") -> dict[str, Any]:
    container = {"name": "train", "image": image, "command": ["train"], "env": [{"name": "A", "value": "1"}]}
    return {"metadata": {"labels": {"team": "eta"}}, "spec": {"template": {"spec": {"containers": [container]}}}}


def launcher_of(cluster: Cluster, folder: Path, image: str = "succeeds") -> KubernetesLauncher:
    return launcher_at(cluster.kubeconfig(folder), image)


def launcher_at(kubeconfig: str, image: str = "succeeds") -> KubernetesLauncher:
    settings = {"namespace": "ml", "template": template(image), "poll": "20ms", "kubeconfig": kubeconfig}
    return KubernetesLauncher(KubernetesJob.model_validate(settings), "rides", "train")


def test_it_is_made_once_and_the_event_is_a_file(tmp_path: Path) -> None:
    with standing_in() as cluster:
        assert ended(launcher_of(cluster, tmp_path), job()).state == "succeeded"
        assert ended(launcher_of(cluster, tmp_path), job()).state == "succeeded", "another process finds it"
        assert cluster.runs == {NAME: 1}
        made, event = cluster.there["jobs", NAME], cluster.there["configmaps", NAME]
        spec = made["spec"]
        (container,) = spec["template"]["spec"]["containers"]
        assert event["data"]["event.json"].encode() == job().event
        assert job().event.decode() not in json.dumps(made), "nothing of it stands in the Job"
        assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"], spec["activeDeadlineSeconds"]) == (0, "Never", 21_600)
        assert {one["name"]: one["value"] for one in container["env"]} == {
            **{"A": "1", "DRIFTBUS_JOB": job().id, "DRIFTBUS_EVENT": "/var/run/driftbus/event.json"}
        }
        assert made["metadata"]["labels"]["driftbus.io/job"] == job().id
        assert made["metadata"]["labels"]["team"] == "eta"


def test_lines_break_and_each_is_made_once(tmp_path: Path) -> None:
    with standing_in(cuts=7) as cluster:
        launcher = launcher_of(cluster, tmp_path)
        for number in range(20):
            assert ended(launcher, job(number)).state == "succeeded"
        assert cluster.runs == {name_of(job(number).id): 1 for number in range(20)}
        assert cluster.cut > 5


SAID = {"400": "failed", "422": "failed", "403": "requested", "429": "requested", "503": "requested", "409-Conflict": "requested"}


@pytest.mark.parametrize(("said", "state"), SAID.items())
def test_what_the_api_says(tmp_path: Path, said: str, state: str) -> None:
    """A conflict is none about the name: two calls changed a quota at once, and neither made a Job."""
    with standing_in() as cluster:
        seen = launcher_of(cluster, tmp_path, f"says-{said}").ensure(job())
        assert seen.state == state
        assert seen.why == f"HTTP {said[:3]}: it is not allowed"
        assert (("configmaps", NAME) in cluster.there) == (state == "requested"), "an event stays as long as its Job may come"


@pytest.mark.parametrize("said", ["400", "403", "404", "422"])
def test_what_was_made_before_the_api_refused_it_runs(tmp_path: Path, said: str) -> None:
    """A process died before it had said so, and its successor has another template."""
    with standing_in() as cluster:
        launcher_of(cluster, tmp_path).ensure(job())
        successor = launcher_of(cluster, tmp_path, f"says-{said}")
        successor.sure_s = 0
        assert ended(successor, job()).state == "succeeded"
        assert ("configmaps", NAME) in cluster.there


def test_what_is_forbidden_is_so_when_it_has_been_said_for_a_while(tmp_path: Path) -> None:
    """An API that starts forbids what it will allow in a moment."""
    with standing_in() as cluster:
        launcher, refused = launcher_of(cluster, tmp_path, "says-403"), launcher_of(cluster, tmp_path, "says-403")
        refused.sure_s = 0.5
        assert launcher.ensure(job()).state == refused.ensure(job()).state == "requested"
        assert ended(refused, job())[:2] == ("failed", "HTTP 403: it is not allowed")
        assert launcher.ensure(job()).state == "requested"
        assert ended(launcher_of(cluster, tmp_path), job()).state == "succeeded"


@pytest.mark.parametrize("status", [403, 404, 422, 502])
def test_what_stands_in_front_of_the_api_ends_no_job(tmp_path: Path, status: int) -> None:
    """A proxy, for example, whose pages are not the API's."""

    class Proxy(Silent, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"<p>no</p>")

        do_POST = do_GET  # noqa: N815  # as its parent calls it

    with Loopback(Proxy).answering() as proxy:
        launcher = launcher_at(kubeconfig_of(proxy.address, tmp_path))
        assert launcher.ensure(job())[:2] == ("requested", f"HTTP {status}: {HTTPStatus(status).phrase}")
        assert launcher.ensure(job(started=True)).state == "started"


def test_what_fails_says_why(tmp_path: Path) -> None:
    with standing_in() as cluster:
        assert ended(launcher_of(cluster, tmp_path, "fails"), job())[:2] == ("failed", "BackoffLimitExceeded")


def test_a_job_that_was_seen_and_is_gone_is_lost(tmp_path: Path) -> None:
    with standing_in() as cluster:
        launcher = launcher_of(cluster, tmp_path, "hangs")
        assert launcher.ensure(job()).state == "started"
        del cluster.there["jobs", NAME]
        assert launcher.ensure(job()).state == "lost"
        assert ("configmaps", NAME) not in cluster.there
        assert launcher_of(cluster, tmp_path).ensure(job(started=True)).state == "lost", "another process knows it from the log"
        assert cluster.runs == {NAME: 1}


def test_to_cancel_is_to_suspend_and_the_name_stays(tmp_path: Path) -> None:
    with standing_in() as cluster:
        launcher = launcher_of(cluster, tmp_path, "hangs")
        assert launcher.ensure(job()).state == "started"
        assert launcher.ensure(job(cancelling=True)).state == "started", "its Pods are still there"
        assert ended(launcher, job(cancelling=True)).state == "cancelled"
        left = cluster.there["jobs", NAME]
        assert left["spec"]["suspend"]
        assert "terminating" not in left["status"]


def test_what_ended_before_it_was_suspended_has_succeeded(tmp_path: Path) -> None:
    with standing_in() as cluster:
        launcher = launcher_of(cluster, tmp_path)
        launcher.ensure(job())
        one = cluster.there["jobs", NAME]
        began, one["spec"]["suspend"], one["status"] = one.pop("began"), True, {}  # of which its controller has seen nothing yet
        assert launcher.ensure(job(cancelling=True)).state == "started"
        one["began"] = began
        assert ended(launcher, job(cancelling=True)).state == "succeeded"


def test_what_is_cancelled_before_it_was_made_never_runs(tmp_path: Path) -> None:
    """Its name is taken, so that a call that was cut and arrives later makes nothing."""
    with standing_in() as cluster:
        assert ended(launcher_of(cluster, tmp_path), job(cancelling=True)).state == "cancelled"
        assert not cluster.runs
        assert ended(launcher_of(cluster, tmp_path), job()).state == "cancelled"
        assert not cluster.runs


def test_a_name_that_another_has(tmp_path: Path) -> None:
    with standing_in() as cluster:
        launcher = launcher_of(cluster, tmp_path)
        ended(launcher, job())
        cluster.there["jobs", NAME]["metadata"]["labels"]["driftbus.io/job"] = "another"
        assert launcher.ensure(job())[:2] == ("failed", f"the name {NAME} is taken by another Job")


def test_what_ended_days_ago_is_removed_unless_it_is_open(tmp_path: Path) -> None:
    with standing_in() as cluster:
        launcher = launcher_of(cluster, tmp_path)
        for number in range(3):
            ended(launcher, job(number))
        for number in range(2):
            for condition in cluster.there["jobs", name_of(job(number).id)]["status"]["conditions"]:
                condition["lastTransitionTime"] = stamp(time.time() - 8 * 86_400)
        launcher.clean({job(1).id})
        assert {name for _, name in cluster.there} == {name_of(job(1).id), name_of(job(2).id)}


def test_more_than_a_page_is_removed(tmp_path: Path) -> None:
    with standing_in() as cluster:
        launcher = launcher_of(cluster, tmp_path)
        ended(launcher, job(0))
        one = cluster.there["jobs", name_of(job(0).id)]
        for condition in one["status"]["conditions"]:
            condition["lastTransitionTime"] = stamp(time.time() - 8 * 86_400)
        for number in range(101):
            name, labels = name_of(job(number).id), {**one["metadata"]["labels"], "driftbus.io/job": job(number).id}
            cluster.there["jobs", name] = {**one, "metadata": {**one["metadata"], "name": name, "labels": labels}}
        launcher.clean(())
        assert not cluster.there


def test_nobody_answers(tmp_path: Path) -> None:
    with standing_in() as cluster:
        launcher = launcher_of(cluster, tmp_path)
    assert launcher.ensure(job()).state == "requested"
    assert launcher.ensure(job(started=True)).state == "started"
    launcher.clean(())


def test_no_cluster_is_known(tmp_path: Path) -> None:
    settings = {"namespace": "ml", "template": template(), "kubeconfig": str(tmp_path / "none")}
    with pytest.raises(NoClient, match="no cluster of Kubernetes is known"):
        KubernetesLauncher(KubernetesJob.model_validate(settings), "rides", "train")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"spec": {}}, "is no Job"),
        ({"spec": template()["spec"] | {"ttlSecondsAfterFinished": 60}}, "ttlSecondsAfterFinished: the Job's name is the memory"),
        ({"spec": template()["spec"] | {"suspend": True}}, "suspend: to suspend a Job is to cancel it"),
        ({"metadata": {"labels": ["a"]}, "spec": template()["spec"]}, r"is no Job: metadata\.labels"),
        (
            {"spec": {"template": {"spec": {**template()["spec"]["template"]["spec"], "volumes": 1}}}},
            r"is no Job: spec\.template\.spec\.volumes",
        ),
        ({"spec": {"template": {"spec": {"containers": [{"image": "x", "env": {"A": "1"}}]}}}}, r"is no Job: .*containers\.0\.env"),
        ({"spec": {"template": {"spec": {"containers": None}}}}, r"is no Job: spec\.template\.spec\.containers"),
        ({"spec": template()["spec"] | {"backoffLimit": 2}}, "backoffLimit: what failed would run again"),
        ({"spec": template()["spec"] | {"backoffLimitPerIndex": 1}}, "backoffLimitPerIndex: what failed would run again"),
        (
            {"spec": template()["spec"] | {"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": []}]}}},
            "podFailurePolicy: what failed would run again",
        ),
        ({"spec": template()["spec"] | {"podFailurePolicy": {"rules": 1}}}, r"is no Job: spec\.podFailurePolicy\.rules"),
        (
            {"spec": {"template": {"spec": {"containers": [{"image": "x", "restartPolicyRules": []}]}}}},
            r"containers\.0\.restartPolicy: what failed would run again",
        ),
        ({"spec": {"template": {"spec": {**template()["spec"]["template"]["spec"], "restartPolicy": "OnFailure"}}}}, "restartPolicy"),
        ({"metadata": {"generateName": "x-"}, "spec": template()["spec"]}, "metadata.generateName: is given by driftbus"),
    ],
)
def test_what_would_run_twice_is_refused_at_start(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        KubernetesJob.model_validate({"namespace": "ml", "template": wrong})


def test_a_job_that_runs_is_looked_at_again(tmp_path: Path) -> None:
    with standing_in() as cluster:
        seen = launcher_of(cluster, tmp_path, "hangs").ensure(job())
        assert (seen.state, seen.again_s) == ("started", 0.02)


def test_keys_without_a_value_are_not_there(tmp_path: Path) -> None:
    """As kubectl takes them."""
    container = {"name": "train", "image": "succeeds", "env": None, "volumeMounts": None}
    pod = {"containers": [container], "initContainers": None, "volumes": None}
    for metadata in (None, {"labels": None}):
        with standing_in() as cluster:
            written = {"metadata": metadata, "spec": {"backoffLimit": None, "template": {"spec": pod}}}
            settings = {"namespace": "ml", "template": written, "poll": "20ms", "kubeconfig": cluster.kubeconfig(tmp_path)}
            assert ended(KubernetesLauncher(KubernetesJob.model_validate(settings), "rides", "train"), job()).state == "succeeded"
