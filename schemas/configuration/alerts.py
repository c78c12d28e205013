"""``alerts:`` of the configuration: who is told of what is open, a kind each."""

from typing import Annotated

from pydantic import Field, model_validator

from ..duration import Duration, DurationOrNone
from ..fact import Setting
from ..messages.drift import Severity
from .address import Address, Headers, clear

#: Of the environment.
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Alertmanager(Setting):
    """Prometheus's, by its API v2: it groups, silences, and says it to people."""

    url: Address = Field(description="in front of /api/v2/alerts")
    headers: Headers = Field({}, description="of each call")
    timeout: Duration = Field(10_000, description="of one call")
    insecure: bool = Field(False, description="http to another machine: anybody on the way can read it")

    @model_validator(mode="after")
    def _in_private(self) -> "Alertmanager":
        if not self.insecure and (reason := clear(self.url, "what is wrong")):
            raise ValueError(reason)
        return self


class Apprise(Setting):
    """Whatever Apprise can reach: mail, chat, pagers."""

    url_from: Variable = Field(description="the variable of the environment that holds the address, as Apprise has it")
    timeout: Duration = Field(30_000, ge=1_000, description="of one message")


class Alert(Setting):
    """One of these, and what it is told."""

    alertmanager: Alertmanager | None = None
    apprise: Apprise | None = None
    severity: Severity = Field("minor", description="nothing that is less is told")
    models: tuple[str, ...] | None = Field(None, description="of these alone; null: of all")
    suspected: bool = Field(False, description="incidents that are not confirmed, too")
    wait: DurationOrNone = Field(300_000, description="an episode that no incident explains by then is told")
    per_hour: int = Field(10, ge=1, le=1_000, description="messages of a model; the rest in one. Alertmanager groups by itself")

    @model_validator(mode="after")
    def _one(self) -> "Alert":
        named = [name for name in ("alertmanager", "apprise") if getattr(self, name) is not None]
        if len(named) != 1:
            msg = f"{' and '.join(named) or 'nothing'}: write one of alertmanager, apprise"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> Alertmanager | Apprise:
        """The one that is written."""
        found = self.alertmanager or self.apprise
        assert found is not None
        return found
