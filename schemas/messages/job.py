"""What becomes of a job: each state that it comes to, on the topic of retrains."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count
from .anybodys import Application, Moment, Name
from .of_version import OfVersion

#: Those in which a job holds up others of its model, in their order.
Active = Literal["awaiting_approval", "requested", "started", "cancelling"]
#: *superseded*: nobody approved before its cause was over; *expired*: nobody approved in time; *lost*: nobody knows what became of it;
#: *dry_run*: it was to be told, not to be started.
Final = Literal["succeeded", "failed", "timed_out", "cancelled", "lost", "superseded", "rejected", "expired", "dry_run"]
State = Literal[Active, Final]
#: What a launcher, a job or a person may say of one that was requested.
Seen = Literal["started", "succeeded", "failed", "timed_out", "cancelled", "lost"]

ACTIVE: tuple[Active, ...] = ("awaiting_approval", "requested", "started", "cancelling")
FINAL: tuple[Final, ...] = ("succeeded", "failed", "timed_out", "cancelled", "lost", "superseded", "rejected", "expired", "dry_run")

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
#: Of what is said of a job, and of why.
MOST_WHY = 500
Why = Annotated[str, Field(max_length=MOST_WHY)]
#: *cause*: an incident; *schedule*: an instant; *performance*: an episode; *labels*: how many there were at the last launch; *event*: what
#: was done to a model, or to what it rests on; *person*: a request.
TriggerKind = Literal["cause", "schedule", "performance", "labels", "event", "person"]


class JobStatus(OfVersion, Fact):
    """On ``PREFIX.retrain``, keyed by model: a job came to a state. It comes to each once, so twice is once."""

    TYPE: ClassVar = "io.driftbus.job"
    content_type: ClassVar = JSON

    job: Id
    application: Application = None
    model: Name
    version: Name
    policy: Name
    on: Name | None = None  #: the launcher; none: whoever reads the topic
    attempt: Count
    trigger_kind: TriggerKind
    trigger: Annotated[str, Field(max_length=500)]
    state: State
    before: State | None = None  #: none: it is new
    cause: Why  #: of the change
    by: Name | None = None  #: who said so: a person, a launcher; none: a rule
    time: Moment  #: ms, of the ledger

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("job-status", self.job, self.state)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"{self.TYPE}.{self.state}"

    @property
    def final(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in FINAL

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump()

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.plain(), order="sorted")

    @classmethod
    def decoded(cls, value: bytes) -> "JobStatus":
        """What `encoded` wrote."""
        return cls.model_validate_json(value)


def job_id(application: str, model: str, policy: str, trigger: str, attempt: int) -> str:
    """Whoever derives it again has the same one.

    >>> job_id("rides", "eta", "drifted", "5f0c", 1)
    '782476b6064b9f6bf9e807a022eec23c'
    """
    return derived_id("job", application, model, policy, trigger, attempt)
