"""Starts a Job of Kubernetes: its name is the job's, and so it is made once.

*Guarantee.* Whoever makes it twice is told that it is there. A Job that was seen and is gone is *lost*: it is not made again. To cancel is
to suspend: the name stays, and it is *cancelled* when its Pods are gone. What was never made is made suspended, so that a call that was cut
and arrives later makes nothing.

*Trap.* The name is the memory. So nothing may remove a Job but `clean`, days behind its end: `ttlSecondsAfterFinished` is refused.
Kubernetes itself may, rarely, run a Pod of a Job twice. A status is not the API's word for it: a proxy says 404 too, and a quota that two
calls change at once says 409. What ends a job is read in the API's own answer (`_Answer`).
"""

import copy
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ...schemas.configuration.launchers import KubernetesJob
from ...schemas.identity import derived_id
from ...schemas.unusable import Unusable
from .seen import Job, Seen

JOB_LABEL, LAUNCHER_LABEL = "driftbus.io/job", "driftbus.io/launcher"
#: Where the event is, in every container.
FOLDER, FILE = "/var/run/driftbus", "event.json"
#: Days behind its end after which a Job is removed.
KEPT = timedelta(days=7)
#: Seconds of a call, to connect and to be answered.
_TIMES_S = 5.0, 15.0
_PAUSE_S = 5.0
_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409
#: What the API refuses with one of these, no repetition changes.
_NEVER = frozenset({400, 404, 405, 413, 415, 422})
#: Characters of what the API says that are kept.
_LONGEST = 400
_VOLUME = "driftbus-event"


class NoClient(Unusable):
    """The official client is not installed, or finds no cluster."""


class _Named(msgspec.Struct):
    name: str = ""


class _Answer(msgspec.Struct):
    """What the API says of a call that came to nothing. What stands in front of it does not speak so, and then all is empty."""

    kind: str = ""
    reason: str = ""
    message: str = ""
    details: _Named = msgspec.field(default_factory=_Named)

    @classmethod
    def of(cls, error: Any) -> "_Answer":  # an ApiException; the client has no types
        """Read of it."""
        try:
            said = msgspec.json.decode(error.body or b"", type=cls)
        except msgspec.MsgspecError:
            return cls()
        return said if said.kind == "Status" else cls()


class KubernetesLauncher:
    """One namespace of one cluster."""

    at_once, memory = 4, ""
    kept = KEPT
    #: Seconds for which the API must say that a job is forbidden: while it starts, it does not know yet what is allowed.
    sure_s = 60.0

    def __init__(self, settings: KubernetesJob, application: str, name: str) -> None:
        self._settings, self._owner = settings, derived_id("launcher", application, name)
        self._jobs, self._maps, self._wrong = _connected(settings)
        self._made: set[str] = set()
        self._forbidden: dict[str, float] = {}  #: by job: since when nothing else has been said

    def ensure(self, job: Job) -> Seen:
        """Make it, if it has never been; how it stands."""
        from urllib3.exceptions import HTTPError

        try:
            return self._ensured(job)
        except self._wrong as error:
            why = f"HTTP {error.status}: {(_Answer.of(error).message or error.reason)[:_LONGEST]}"
            if error.status == _FORBIDDEN:
                return self._unknown(job, why)
        except HTTPError as error:
            why = f"no answer: {type(error).__name__}"
        self._forbidden.pop(job.id, None)
        return self._unknown(job, why)

    def lose(self, job: str) -> None:
        """There is no memory here that could be gone."""

    def closed(self, job: str) -> None:
        """Forget that it was made here."""
        self._made.discard(job)
        self._forbidden.pop(job, None)

    def clean(self, still_open: Collection[str]) -> None:
        """Remove what ended days ago, with its event."""
        from urllib3.exceptions import HTTPError

        before = datetime.now(UTC) - self.kept
        try:
            for found in self._listed():
                job = found.metadata.labels.get(JOB_LABEL, "")
                if job not in still_open and (ended := _ended(found)) is not None and ended < before:
                    self._removed(found.metadata.name)
        except (self._wrong, HTTPError):
            return  # another time

    def stop(self) -> None:
        """A call ends by itself, within seconds; what it did is found again under its name."""

    def _unknown(self, job: Job, why: str) -> Seen:
        return Seen("started" if job.started or job.id in self._made else "requested", why, _PAUSE_S)

    def _ensured(self, job: Job) -> Seen:
        refused = None if job.started or job.id in self._made else self._make(job)
        try:
            found = self._jobs.read_namespaced_job(name_of(job.id), self._settings.namespace, _request_timeout=_TIMES_S)
        except self._wrong as error:
            gone = error.status == _NOT_FOUND and _Answer.of(error).details.name == name_of(job.id)
            if not (gone or refused):
                raise
            if gone:
                with suppress(self._wrong):  # nobody reads the event any more; that it stays costs nothing else
                    self._delete(self._maps.delete_namespaced_config_map, name_of(job.id))
            return Seen("failed", refused) if refused else Seen("lost", "its Job is gone")
        if (found.metadata.labels or {}).get(JOB_LABEL) != job.id:
            return Seen("failed", f"the name {name_of(job.id)} is taken by another Job")
        self._made.add(job.id)
        if job.cancelling and not found.spec.suspend and _end_of(found) is None:
            body = {"spec": {"suspend": True}}
            found = self._jobs.patch_namespaced_job(name_of(job.id), self._settings.namespace, body, _request_timeout=_TIMES_S)
        return _end_of(found) or Seen("started", again_s=self._settings.poll / 1000)

    def _make(self, job: Job) -> str | None:
        """The event, then what reads it; that either is there already is as good. Returns why it will never be made."""
        name, namespace = name_of(job.id), self._settings.namespace
        labels = {JOB_LABEL: job.id, LAUNCHER_LABEL: self._owner}
        event = {"metadata": {"name": name, "labels": labels}, "immutable": True, "data": {FILE: job.event.decode()}}
        made = manifest(self._settings, job, labels)
        for call, body in ((self._maps.create_namespaced_config_map, event), (self._jobs.create_namespaced_job, made)):
            try:
                call(namespace, body, _request_timeout=_TIMES_S)
            except self._wrong as error:
                said = _Answer.of(error)
                if said.kind and (error.status in _NEVER or (error.status == _FORBIDDEN and self._is_sure(job.id))):
                    return f"HTTP {error.status}: {(said.message or error.reason)[:_LONGEST]}"
                if (error.status, said.reason) != (_CONFLICT, "AlreadyExists"):
                    raise
        return None

    def _is_sure(self, job: str) -> bool:
        """Whether that it is forbidden has been said for long enough."""
        now = time.monotonic()
        return now >= self._forbidden.setdefault(job, now) + self.sure_s

    def _listed(self) -> Iterator[Any]:  # the client has no types
        more: str | None = None
        while more != "":
            page = self._jobs.list_namespaced_job(
                self._settings.namespace,
                label_selector=f"{LAUNCHER_LABEL}={self._owner}",
                limit=100,
                _continue=more,
                _request_timeout=_TIMES_S,
            )
            yield from page.items
            more = page.metadata._continue or ""

    def _removed(self, name: str) -> None:
        """The event first: a Job that is still there is found again."""
        self._delete(self._maps.delete_namespaced_config_map, name)
        self._delete(self._jobs.delete_namespaced_job, name, propagation_policy="Background")

    def _delete(self, call: Callable[..., object], name: str, **how: str) -> None:
        """That it is gone already is as good."""
        try:
            call(name, self._settings.namespace, **how, _request_timeout=_TIMES_S)
        except self._wrong as error:
            if error.status != _NOT_FOUND:
                raise


def name_of(job: str) -> str:
    """The name of its Job, and of the ConfigMap with its event."""
    return f"driftbus-{job}"


def manifest(settings: KubernetesJob, job: Job, labels: Mapping[str, str]) -> dict[str, Any]:  # JSON
    """The user's Job with what makes it this one: its name, its end, no second try, the event in a file."""
    made = copy.deepcopy(settings.template)
    metadata, spec = made.setdefault("metadata", {}), made["spec"]
    metadata["name"] = name_of(job.id)
    metadata["labels"] = {**metadata.get("labels", {}), **labels}
    spec["backoffLimit"], spec["activeDeadlineSeconds"] = 0, max(1, settings.timeout // 1000)
    if job.cancelling:
        spec["suspend"] = True
    pod = spec["template"]["spec"]
    pod["restartPolicy"] = "Never"
    pod["volumes"] = [*pod.get("volumes", []), {"name": _VOLUME, "configMap": {"name": name_of(job.id)}}]
    for container in (*pod.get("initContainers", []), *pod["containers"]):
        container["volumeMounts"] = [*container.get("volumeMounts", []), {"name": _VOLUME, "mountPath": FOLDER, "readOnly": True}]
        known = [{"name": "DRIFTBUS_JOB", "value": job.id}, {"name": "DRIFTBUS_EVENT", "value": f"{FOLDER}/{FILE}"}]
        container["env"] = [*container.get("env", []), *known]
    return {"apiVersion": "batch/v1", "kind": "Job", **made}


def _end_of(found: Any) -> Seen | None:  # a V1Job; the client has no types
    """Its end, by its conditions. That it is to be suspended says little: it may have ended before its controller sees that."""
    true = {condition.type: condition.reason or "" for condition in found.status.conditions or () if condition.status == "True"}
    if "Complete" in true:
        return Seen("succeeded")
    if "Failed" in true:
        return Seen("timed_out" if true["Failed"] == "DeadlineExceeded" else "failed", true["Failed"] or "it failed")
    suspended = found.spec.suspend and "Suspended" in true and not found.status.active and not found.status.terminating
    return Seen("cancelled", "suspended") if suspended else None


def _ended(found: Any) -> datetime | None:  # as above
    """When it ended."""
    if _end_of(found) is None:
        return None
    times = [one.last_transition_time for one in found.status.conditions if one.last_transition_time is not None]
    latest: datetime | None = max(times, default=found.metadata.creation_timestamp)
    return latest


def _connected(settings: KubernetesJob) -> tuple[Any, Any, type[Any]]:  # the client has no types
    """The APIs of Jobs and of ConfigMaps, and what they raise: of the kubeconfig, or of the cluster that this runs in."""
    try:
        from kubernetes import client, config
    except ImportError:
        msg = "launchers of kind kubernetes need its client; install driftbus[kubernetes]"
        raise NoClient(msg) from None
    made = client.Configuration()
    try:
        if settings.kubeconfig is None and settings.context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=made)
        else:
            config.load_kube_config(settings.kubeconfig, settings.context, client_configuration=made)
    except config.ConfigException as error:
        msg = f"no cluster of Kubernetes is known: {error}"
        raise NoClient(msg) from None
    made.retries = False  # what is asked again is decided here
    calls = client.ApiClient(made)
    return client.BatchV1Api(calls), client.CoreV1Api(calls), client.ApiException
