"""``launchers:`` of the configuration: what runs a job that was asked for, a kind each."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..duration import Duration
from ..fact import Setting
from .address import Address, Headers

_Text = Annotated[str, Field(min_length=1, max_length=4_000)]


class Command(Setting):
    """A command on this machine: exactly once per attempt, or *lost*."""

    run: Annotated[tuple[_Text, ...], Field(min_length=1)] = Field(description="the command and its arguments; no shell")
    spool: _Text = Field("./spool", description="a local folder: the memory of what ran")
    folder: str | None = Field(None, description="in which it runs; null: that of its job")
    environment: dict[str, str] = Field({}, repr=False)
    timeout: Duration = 6 * 3_600_000
    at_once: int = Field(4, ge=1, le=64)


class Webhook(Setting):
    """A request to a server, signed as Standard Webhooks has it: at least once."""

    url: Address = Field(description="may hold {{ job }} and other fields of the request")
    method: Literal["POST", "PUT"] = "POST"
    headers: Headers = {}
    secret: str | None = Field(None, repr=False, description="of the signature: whsec_ and base64; write ${NAME}")
    former_secret: str | None = Field(None, repr=False, description="that signs beside it during a rotation")
    body: Any = Field(None, description="a template; null: the request itself")
    exists: tuple[int, ...] = Field((409,), description="statuses that say: it is there already")
    reports: bool = Field(False, description="its end is reported; else the delivery is the end")
    deadline: Duration = Field(86_400_000, description="of the delivery")
    insecure: bool = Field(False, description="http beyond this machine is allowed")
    at_once: int = Field(8, ge=1, le=64)


class KubernetesJob(Setting):
    """A Job of Kubernetes, exactly once: its name is the job's."""

    namespace: _Text
    template: dict[str, Any] = Field(description="a Job, as kubectl takes it; ttlSecondsAfterFinished is refused")
    context: str | None = Field(None, description="of the kubeconfig; null: the one in use, or the cluster that this runs in")
    timeout: Duration = 6 * 3_600_000
    poll: Duration = 10_000


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
