"""What is to be done with a new version of a model, step by step: on the topic of retrains, for who does it."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count
from .anybodys import Application, Moment, Name
from .golden import Change
from .job import Why
from .of_version import OfVersion

#: *evaluate*: test it on the golden set; *shadow*: announce its reference, it answers beside its parent; *promote*: it serves, and its
#: parent answers beside it; *retire*: its parent had its chance, and is watched no more; *roll_back*: its parent serves again; *refuse*: it
#: never serves; *held*: its data are in doubt: it never serves, or a person looks at it if it does.
Step = Literal["evaluate", "shadow", "promote", "retire", "roll_back", "refuse", "held"]
STEPS: tuple[Step, ...] = ("evaluate", "shadow", "promote", "retire", "roll_back", "refuse", "held")


class Proof(Fact):
    """By what a step was decided."""

    evidence: float | None = None  #: what a bet of 1 on the better version has become
    tau: float | None = None  #: rows that count as one independent one
    rows: Count = 0  #: answered by both, with a label
    days: Count = 0  #: clean ones
    gained: float | None = None  #: by how much the mean loss is smaller than the other's
    change: Change = None  #: of the loss on the golden set
    slice: Annotated[str, Field(max_length=500)] | None = None  #: the one that has lost most, if it decided


class Promotion(OfVersion, Fact):
    """On ``PREFIX.retrain``, keyed by model: this is to be done with a version, once. Whoever reads it twice knows it by its id."""

    TYPE: ClassVar = "io.driftbus.promotion"
    content_type: ClassVar = JSON

    application: Application = None
    model: Name
    version: Name
    parent: Name | None = None  #: the version in force, which it is compared with, and which serves again when it is rolled back
    job: Name | None = None  #: that made it
    step: Step
    number: Annotated[int, Field(ge=1)] = 1  #: of this step: a second *evaluate* asks again
    reference: str | None = None  #: content hash of the version's own, where it was registered with one
    parent_reference: str | None = None
    golden: str | None = None  #: of *evaluate*: content hash of the set, where the parent was tested on one
    reason: Why
    by: Name | None = None  #: the person who said so; none: a rule
    evidence: Proof = Proof()
    time: Moment  #: ms, of the ledger

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("promotion", self.model, self.version, self.job, self.step, self.number)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"{self.TYPE}.{self.step}"

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump()

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.plain(), order="sorted")

    @classmethod
    def decoded(cls, value: bytes) -> "Promotion":
        """What `encoded` wrote."""
        return cls.model_validate_json(value)
