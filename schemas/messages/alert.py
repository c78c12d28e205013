"""What was told to whom: of each thing that is open, that it is, that it got worse, and that it is over."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Time
from .anybodys import Name
from .drift import Severity
from .of_version import OfVersion

#: What is told: an incident; an episode of drift that no incident explains; a policy whose job failed; a job that awaits approval; what
#: became of a new version.
Of = Literal["incident", "episode", "job", "approval", "step"]
#: *undelivered*: it was over before anybody could be told, for a day long.
ToldState = Literal["open", "ended", "undelivered"]


class Alerted(OfVersion, Fact):
    """On ``PREFIX.alerts``, keyed by model: somebody was told, at least once."""

    TYPE: ClassVar = "io.driftbus.alerted"
    content_type: ClassVar = JSON

    name: Annotated[str, Field(max_length=100)]  #: of the alert in the configuration: whom
    model: Name
    version: Name
    of: Of
    subject_id: Annotated[str, Field(max_length=500)]  #: the incident, the episode, the job, the id of the step
    severity: Severity
    state: ToldState
    time: Time  #: ms, of the wall clock

    @property
    def about(self) -> str:
        """What it speaks of."""
        return f"{self.of}/{self.subject_id}"

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("alerted", self.name, self.model, self.about, self.severity, self.state)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"{self.TYPE}.{self.state}"

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def decoded(cls, value: bytes) -> "Alerted":
        """What `encoded` wrote."""
        return cls.model_validate_json(value)
