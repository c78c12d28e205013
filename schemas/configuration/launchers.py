"""``launchers:`` of the configuration: what runs a job that was asked for, a kind each."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from ..duration import Duration
from ..fact import Setting
from ..messages.retrain import RetrainRequest
from .address import Address, Headers, clear
from .holes import holes

_Text = Annotated[str, Field(min_length=1, max_length=4_000)]
#: What the system can hand to a process.
_Variable = Annotated[str, Field(pattern=r"^[^=\x00]+$")]
_Value = Annotated[str, Field(pattern=r"^[^\x00]*$")]
_HOUR = 3_600_000


class Command(Setting):
    """A command on this machine: exactly once per attempt, or *lost*."""

    run: Annotated[tuple[_Text, ...], Field(min_length=1)] = Field(description="the command and its arguments; no shell")
    spool: _Text = Field("./spool", description="a local folder: the memory of what ran")
    folder: _Text | None = Field(None, description="in which it runs; null: that of its job")
    environment: dict[_Variable, _Value] = Field({}, repr=False, description="beside that of the process")
    timeout: Duration = 6 * _HOUR
    at_once: int = Field(4, ge=1, le=64)


class Webhook(Setting):
    """A request to a server, signed as Standard Webhooks has it: at least once."""

    url: Address = Field(description="may hold {{ job }} and other fields of the request, behind its host")
    method: Literal["POST", "PUT"] = "POST"
    headers: Headers = Field({}, description="a value file:PATH stands in that file")
    secret: str | None = Field(None, repr=False, description="of the signature: whsec_ and base64; write ${NAME} or file:PATH")
    former_secret: str | None = Field(None, repr=False, description="signs beside it during a rotation")
    body: Any = Field(None, description="a template; null: the request itself")
    exists: tuple[int, ...] = Field((409,), description="statuses that say: it is there already")
    reports: bool = Field(False, description="its end is reported; else the delivery is the end")
    deadline: Duration = Field(24 * _HOUR, description="of the delivery")
    timeout: Duration = Field(15_000, description="of one call")
    insecure: bool = Field(False, description="http to another machine: anybody on the way can read the request")
    at_once: int = Field(8, ge=1, le=64)

    @field_validator("headers")
    @classmethod
    def _no_holes(cls, headers: dict[str, str]) -> dict[str, str]:
        if any(holes(list(headers.values()))):
            msg = "no {{ }} stand in headers: what comes from a message could end one and begin another; put it into the body"
            raise ValueError(msg)
        return headers

    @field_validator("body")
    @classmethod
    def _of_json(cls, body: object) -> object:
        try:
            msgspec.json.encode(body)
        except (TypeError, ValueError) as error:
            msg = f"it cannot be written as JSON: {error}; put keys such as on, yes, no and null in quotes"
            raise ValueError(msg) from None
        return body

    @model_validator(mode="after")
    def _says_what_there_is(self) -> "Webhook":
        for key, template in (("url", self.url), ("body", self.body)):
            for path in holes(template):
                if (wrong := _unknown(path)) is not None:
                    msg = f"{key}: {wrong}"
                    raise ValueError(msg)
        if any(holes(urlsplit(self.url).netloc)):
            msg = "url: no {{ }} stand in the host: whoever writes a message would say where secrets are sent"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _in_private(self) -> "Webhook":
        if not self.insecure and (reason := clear(self.url, "the request")):
            raise ValueError(reason)
        return self


class _Container(BaseModel):
    image: str
    env: list[dict[str, Any]] = []  # JSON
    volumeMounts: list[dict[str, Any]] = []  # noqa: N815  # as Kubernetes calls it


class _Pod(BaseModel):
    containers: Annotated[list[_Container], Field(min_length=1)]
    initContainers: list[_Container] = []  # noqa: N815  # as above
    volumes: list[dict[str, Any]] = []


class _PodTemplate(BaseModel):
    spec: _Pod


class _FailurePolicy(BaseModel):
    rules: list[dict[str, Any]] = []  # JSON


class _Spec(BaseModel):
    template: _PodTemplate
    podFailurePolicy: _FailurePolicy = _FailurePolicy()  # noqa: N815  # as above


class _Metadata(BaseModel):
    labels: dict[str, str] = {}


class _Job(BaseModel):
    """What of a Job driftbus adds to: the rest is between its writer and Kubernetes."""

    metadata: _Metadata = _Metadata()
    spec: _Spec


class KubernetesJob(Setting):
    """A Job of Kubernetes, exactly once: its name is the job's."""

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    template: dict[str, Any] = Field(description="a Job, as kubectl takes it")
    kubeconfig: _Text | None = Field(None, description="a file; null: the usual one, or the cluster that this runs in")
    context: _Text | None = Field(None, description="of the kubeconfig; null: the one in use")
    timeout: Duration = 6 * _HOUR
    poll: Duration = 10_000

    @field_validator("template")
    @classmethod
    def _of_a_job(cls, template: dict[str, Any]) -> dict[str, Any]:
        written: dict[str, Any] = _without_nothing(template)
        try:
            _Job.model_validate(written)
        except ValidationError as error:
            wrong = error.errors()[0]
            at = ".".join(map(str, wrong["loc"]))
            msg = f"is no Job: {at}: {wrong['msg']}; write spec: {{template: {{spec: {{containers: [{{name, image, command}}]}}}}}}"
            raise ValueError(msg) from None
        for at, why in _not_of_a_job(written.get("metadata", {}), written["spec"], written["spec"]["template"]["spec"]):
            msg = f"{at}: {why}"
            raise ValueError(msg)
        return written


class Launcher(Setting):
    """One of these."""

    command: Command | None = None
    webhook: Webhook | None = None
    kubernetes: KubernetesJob | None = None

    @model_validator(mode="after")
    def _one(self) -> "Launcher":
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            msg = f"{' and '.join(named) or 'nothing'}: write one of command, webhook, kubernetes"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> Command | Webhook | KubernetesJob:
        """The one that is written."""
        found = self.command or self.webhook or self.kubernetes
        assert found is not None
        return found


def _not_of_a_job(metadata: Any, spec: Any, pod: Any) -> Iterator[tuple[str, str]]:  # JSON
    """What would make a job run twice, each with the reason."""
    for key in ("name", "generateName", "namespace"):
        if key in metadata:
            yield f"metadata.{key}", "is given by driftbus; leave it out"
    if "ttlSecondsAfterFinished" in spec:
        yield "spec.ttlSecondsAfterFinished", "the Job's name is the memory that it ran; driftbus removes it after 7 days; leave it out"
    if "suspend" in spec:
        yield "spec.suspend", "to suspend a Job is to cancel it; leave it out"
    if spec.get("backoffLimit", 0) != 0:
        yield "spec.backoffLimit", "what failed would run again; attempts are the policy's; leave it out"
    if "backoffLimitPerIndex" in spec:
        yield "spec.backoffLimitPerIndex", "what failed would run again; attempts are the policy's; leave it out"
    if any(rule.get("action") == "Ignore" for rule in spec.get("podFailurePolicy", {}).get("rules", [])):
        yield "spec.podFailurePolicy", "what failed would run again where a rule says Ignore; attempts are the policy's"
    if pod.get("restartPolicy", "Never") != "Never":
        yield "spec.template.spec.restartPolicy", "what failed would run again; leave it out"
    for number, container in enumerate(pod["containers"]):
        if container.get("restartPolicy", "Never") != "Never" or "restartPolicyRules" in container:
            yield f"spec.template.spec.containers.{number}.restartPolicy", "what failed would run again; leave it out"


def _without_nothing(written: Any) -> Any:  # JSON
    """Without keys that have no value: to Kubernetes they are not there."""
    if isinstance(written, dict):
        return {key: _without_nothing(one) for key, one in written.items() if one is not None}
    return [_without_nothing(one) for one in written] if isinstance(written, list) else written


def _unknown(path: str) -> str | None:
    """Why nothing of a request stands at a path.

    >>> _unknown("trigger.cause"), _unknown("trigger.reason"), _unknown("data.feature_versions.eta")
    (None, '{{ trigger.reason }}: there is no reason', None)
    """
    if path.startswith("{{"):
        return f"{path}: a hole is a path of names, as {{{{ job }}}} or {{{{ trigger.id }}}}; nothing is evaluated"
    here: Any = RetrainRequest  # a model, or whatever a field is annotated with
    for step in path.split("."):
        found = _model(here)
        if found is None:
            return None if here is dict or dict in (getattr(one, "__origin__", one) for one in _options(here)) else _none(path, step)
        if step not in found.model_fields:
            return _none(path, step)
        here = found.model_fields[step].annotation
    return None


def _none(path: str, step: str) -> str:
    return f"{{{{ {path} }}}}: there is no {step}"


def _options(annotation: Any) -> tuple[Any, ...]:  # whatever stands there
    return (annotation, *get_args(annotation))


def _model(annotation: Any) -> type[BaseModel] | None:  # as above
    return next((one for one in _options(annotation) if isinstance(one, type) and issubclass(one, BaseModel)), None)
