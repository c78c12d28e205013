"""A real API of Kubernetes: a namespace of its own, accounts that may do so much, and all that was ever made in it.

Whoever gives the kubeconfig may make namespaces and roles. What was made is known by watches, by the ids that the API gave: not by what is
left. A server that starts again does not tell what came before it; then what is there is listed. Only what is made and removed within such
a moment would stay unknown: a launcher removes nothing for days.
"""

import re
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kubernetes import client, config, watch
from urllib3.exceptions import HTTPError

from driftbus.consumers.launcher.kubernetes_job import KubernetesLauncher, name_of
from driftbus.schemas.configuration.launchers import KubernetesJob

from ..waiting import until
from .cluster import kubeconfig_of
from .jobs import job

PAGE = Path(__file__).parents[2] / "docs/launchers.md"
Rights = Mapping[str, Iterable[str]]
#: What a container does, by the word that its Pod bears for who only plays it (`deploy/kubernetes/stages.yaml`).
_WORDS = {"succeeds": 'grep -q "$DRIFTBUS_JOB" "$DRIFTBUS_EVENT"', "fails": "exit 1", "hangs": "exec sleep 3600"}
_GROUPS = {"jobs": "batch"}
#: Seconds in which a Job comes to its end, where there is nothing to wait for.
LONG_S = 180.0
#: What the API says of a place that it has forgotten.
_EXPIRED = 410


def documented() -> Rights:
    """What the page says that a launcher must be allowed, by what it is allowed on."""
    (line,) = re.findall(r"^- Rights: .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {kind: verbs.split(", ") for verbs, kind in re.findall(r"`([a-z, ]+)` on `([a-z]+)`", line)}


def template(plays: str, image: str) -> dict[str, Any]:  # JSON
    """A Job that does so."""
    container = {"name": "train", "image": image, "command": ["sh", "-c", _WORDS[plays]]}
    pod = {"containers": [container], "terminationGracePeriodSeconds": 1}
    return {"spec": {"template": {"metadata": {"labels": {"plays": plays}}, "spec": pod}}}


class Namespace:
    """One, that is gone with the block."""

    def __init__(self, kubeconfig: str, folder: Path) -> None:
        made = client.Configuration()
        config.load_kube_config(kubeconfig, client_configuration=made)
        calls = client.ApiClient(made)
        self.kubeconfig = kubeconfig  #: of who may do all that is done here
        self._folder, self._address, self._authority = folder, made.host, made.ssl_ca_cert
        self.name = f"driftbus-{uuid.uuid4().hex[:8]}"
        self.core, self.batch, self._rbac = client.CoreV1Api(calls), client.BatchV1Api(calls), client.RbacAuthorizationV1Api(calls)
        self.jobs, self.pods = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)  #: ids ever given, by name; by Job
        self._watched: tuple[tuple[Any, Callable[[Any], str], dict[str, set[str]]], ...] = (  # the client has no types
            (self.batch.list_namespaced_job, lambda one: one.metadata.name, self.jobs),
            (self.core.list_namespaced_pod, lambda one: (one.metadata.labels or {}).get("job-name", ""), self.pods),
        )
        self._stopping = threading.Event()

    @contextmanager
    def there(self) -> Iterator["Namespace"]:
        """Make it; it is removed at the end."""
        self.core.create_namespace({"metadata": {"name": self.name}})
        for watched in self._watched:
            threading.Thread(target=self._watch, args=watched, daemon=True).start()
        try:
            yield self
        finally:
            self._stopping.set()
            self.core.delete_namespace(self.name)

    def account(self, name: str, rights: Rights) -> str:
        """A kubeconfig of a ServiceAccount that may do this in the namespace."""
        rules = [{"apiGroups": [_GROUPS.get(kind, "")], "resources": [kind], "verbs": list(verbs)} for kind, verbs in rights.items()]
        named = {"metadata": {"name": name}}
        self.core.create_namespaced_service_account(self.name, named)
        self._rbac.create_namespaced_role(self.name, named | {"rules": rules})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.name}
        self._rbac.create_namespaced_role_binding(self.name, named | {"roleRef": role, "subjects": [subject]})
        asked = {"spec": {"expirationSeconds": 24 * 3600}}
        return self.bearer(name, self.core.create_namespaced_service_account_token(name, self.name, asked).status.token)

    def bearer(self, name: str, token: str) -> str:
        """A kubeconfig with a token."""
        folder = self._folder / name
        folder.mkdir()
        return kubeconfig_of(self._address, folder, token, self._authority)

    def settled(self) -> None:
        """Wait until all that is there now has been seen."""

        def seen() -> bool:
            return all(one.metadata.uid in ids[name(one)] for call, name, ids in self._watched for one in call(self.name).items)

        until(seen, 60)

    def _watch(self, call: Any, name: Callable[[Any], str], seen: dict[str, set[str]]) -> None:  # the client has no types
        """From where it ended, whatever becomes of the API meanwhile."""
        since: str | None = None
        while not self._stopping.is_set():
            try:
                if since is None:
                    listed = call(self.name)
                    for one in listed.items:
                        seen[name(one)].add(one.metadata.uid)
                    since = listed.metadata.resource_version
                for event in watch.Watch().stream(call, self.name, resource_version=since, timeout_seconds=60):
                    since = event["object"].metadata.resource_version
                    if event["type"] == "ADDED":
                        seen[name(event["object"])].add(event["object"].metadata.uid)
            except client.ApiException as error:
                since = None if error.status == _EXPIRED else since
                time.sleep(0.1)
            except HTTPError:
                time.sleep(0.1)


class World(NamedTuple):
    """What each is tried on."""

    place: Namespace
    kubeconfig: str  #: of the account that has the rights of the page
    image: str
    restart: str | None  #: the command

    def launcher(self, plays: str = "succeeds", **changes: Any) -> KubernetesLauncher:  # settings, as users write them
        """One of a new process."""
        settings = {"namespace": self.place.name, "template": template(plays, self.image), "kubeconfig": self.kubeconfig}
        return KubernetesLauncher(KubernetesJob.model_validate({**settings, "poll": "100ms", **changes}), "rides", "train")

    def once(self, *numbers: int, pods: int = 1) -> None:
        """Each of these Jobs was made once, and had so many Pods."""
        self.place.settled()
        for number in numbers:
            name = name_of(job(number).id)
            assert len(self.place.jobs[name]) == 1, f"{name} was made {len(self.place.jobs[name])} times"
            assert len(self.place.pods[name]) == pods, f"{name} had {len(self.place.pods[name])} Pods"

    def runs(self, number: int) -> None:
        """Wait until a Job has a Pod."""
        until(lambda: bool(self.place.pods[name_of(job(number).id)]), LONG_S)
