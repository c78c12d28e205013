"""Requests to retrain: which model, why, and on exactly which data. Their ends are `driftbus.schemas.messages.job.JobStatus`."""

from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, Offset, PartitionNumber, Time
from .anybodys import Application, Name
from .job import Id, TriggerKind
from .of_version import OfVersion
from .root_cause import Action, Cause

#: Features of a trigger, windows of data, fault windows of which features are named (of the newest, so many of each), partitions.
MOST_FEATURES, MOST_WINDOWS, MOST_NAMED, MOST_OF_WINDOW, MOST_SOURCES = 20, 200, 30, 3, 1_000
_Features = Annotated[tuple[str, ...], Field(max_length=MOST_FEATURES)]


class Trigger(Fact):
    """Why it was asked for."""

    kind: TriggerKind
    id: Annotated[str, Field(max_length=500)]  #: of the incident, the episode, the request; the instant, the number of labels
    revision: Count | None = None  #: of the incident, the sequence of the episode
    cause: Cause | None = None
    subtype: str | None = None
    features: _Features = ()
    onset: Time | None = None  #: ms
    confidence: float | None = None


class Included(Fact):
    """Rows of these times are in; ``weight`` says how much each counts."""

    since: Time | None = None  #: ms; none: from where the data begin
    until: Time  #: ms
    weight: float = 1.0


class Excluded(Fact):
    """Rows of these times are out: a fault was in them."""

    since: Time  #: ms
    until: Time | None = None  #: ms; none: it is not over
    incident: Id
    features: Annotated[tuple[str, ...], Field(max_length=MOST_OF_WINDOW)] = ()  #: none: all of a row is in doubt


class Source(Fact):
    """Offsets of one partition: the first, and the one behind the last."""

    topic: str
    topic_id: str
    partition: PartitionNumber
    offsets: tuple[Offset, Offset]


class LabelCounts(Fact):
    """Labelled rows: since the onset, in all, by people."""

    since_onset: Count = 0
    total: Count = 0
    reviewed: Count = 0


class TrainingPolicy(Fact):
    """How the rows are to be treated, as the policy and the cause have it."""

    recompute: _Features = ()  #: features to compute again
    outliers: bool = False  #: add labelled rows unlike the training data
    reviewed: bool = True  #: what people answered counts where labels say otherwise


class RetrainData(Fact):
    """Exactly these data: offsets fix them, so that a job that starts late, or twice, reads the same rows."""

    until: Time  #: ms
    include: Annotated[tuple[Included, ...], Field(max_length=MOST_WINDOWS)] = ()
    exclude: Annotated[tuple[Excluded, ...], Field(max_length=MOST_WINDOWS)] = ()
    more_excluded: Count = 0  #: fault windows that are not listed: what lies before the first listed one is in doubt
    policy: TrainingPolicy = TrainingPolicy()
    labels: LabelCounts = LabelCounts()
    sources: Annotated[tuple[Source, ...], Field(max_length=MOST_SOURCES)] = ()
    more_sources: Count = 0
    feature_versions: dict[str, str] = {}


class GoldenUsed(Fact):
    """The golden set on which a new version must hold."""

    name: str | None = None  #: the key of its announcement on ``PREFIX.models``
    hash: str | None = None  #: of its content


class Parent(Fact):
    """The version that serves, and the job that made it."""

    version: str
    job: str | None = None


class RetrainRequest(OfVersion, Fact):
    """On ``PREFIX.retrain``, keyed by model: this job is to run, once. ``job`` names it, whoever reads it and however often."""

    TYPE: ClassVar = "io.driftbus.retrain.request"
    content_type: ClassVar = JSON

    job: Id
    application: Application = None
    model: Name
    version: Name  #: that is in force
    action: Action = "retrain"
    policy: Name
    on: Name | None = None  #: the launcher; none: whoever reads the topic
    attempt: Count
    trigger: Trigger
    requested: Time  #: ms, of the ledger
    deadline: Time  #: ms: by then it is to have ended
    approved_by: Name | None = None
    overridden_by: Name | None = None  #: who asked for it although a fault forbids it
    data: RetrainData
    golden: GoldenUsed | None = None
    reference: str | None = None  #: content hash
    parent: Parent | None = None
    start_from: str | None = None  #: of a fine-tune: the version whose weights it begins with
    weights: dict[str, float] = {}  #: of rows by kind: labels, people, outliers; 1 where none is said

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("retrain", self.job)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def time(self) -> int:
        """When it was asked for."""
        return self.requested

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump(by_alias=True)

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.plain(), order="sorted")

    @classmethod
    def decoded(cls, value: bytes) -> "RetrainRequest":
        """What `encoded` wrote."""
        return cls.model_validate_json(value)
