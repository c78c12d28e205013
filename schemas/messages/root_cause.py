"""Root causes: which of seven is behind what drifts, or that it cannot be told; suspected, confirmed, superseded, withdrawn, resolved."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, PartitionNumber, Time
from .of_version import OfVersion

Cause = Literal[
    "data_drift",
    "feature_drift",
    "feature_recalibration",
    "feature_unavailability",
    "training_serving_skew",
    "prediction_label_bias",
    "model_broken",
    "undetermined",
]
IncidentStatus = Literal["suspected", "confirmed", "superseded", "withdrawn", "resolved"]
Decision = Literal["allow", "hold", "forbid"]
Action = Literal["retrain", "fine_tune", "online_update"]

#: Features that an event names; features with others' values; those whose source, and owners, it names.
MOST_FEATURES, MOST_EXCHANGED, MOST_OWNERS = 20, 12, 20
#: Pieces of evidence, things done near the onset, episodes, and partitions that an event lists.
MOST_EVIDENCE, MOST_COINCIDENT, MOST_LISTED = 30, 10, 50
#: Characters of a reason, and of the paragraph that a person reads.
MOST_REASON, MOST_TEXT = 500, 4_000

Reason = Annotated[str, Field(max_length=MOST_REASON)]


class CauseMap(Fact):
    """By what a feature's values were re-expressed: now = a x then + b; of the logarithm where the form says so."""

    form: str
    a: float = 1.0
    b: float = 0.0
    constant: str | None = None
    share: float = 1.0  #: of rows
    error: float = 0.0  #: of quantiles, in spreads


class Scope(Fact):
    """What it touches; nothing: the model itself, or all of what is asked."""

    features: tuple[str, ...] = ()
    more_features: Count = 0
    source: str | None = None
    owners: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    exchanged: dict[str, str] = {}  #: feature -> whose values it has


class CoincidentFact(Fact):
    """What was done near the onset; ``lag``: windows between."""

    type: str
    ref: str
    lag: int


class Onset(Fact):
    """Since when."""

    window: tuple[Time, Time]  #: ms, start and end of the first window that shows it
    uncertainty: Count = 1  #: windows
    shape: Literal["abrupt", "gradual"]
    coincident: tuple[CoincidentFact, ...] = ()


class EvidencePiece(Fact):
    """A number that speaks for the cause or against it."""

    name: str
    feature: str | None = None
    value: float | str | None = None
    threshold: float | None = None
    z: float | None = None
    role: Literal["for", "against"] = "for"


class CauseRuledOut(Fact):
    """A cause that was looked for."""

    cause: Cause
    because: Reason


class MissingEvidence(Fact):
    """A stream that was not there, and what it would have decided."""

    stream: str
    state: str  #: not configured, not read, late, not there, no baseline of production yet
    would_decide: Reason


class TrainingData(Fact):
    """What may be trained on."""

    use_from: Time | None = None
    exclude: tuple[tuple[Time, Time | None], ...] = ()
    recompute: tuple[str, ...] = ()
    outliers: bool = False  #: add the labelled outliers


class Mitigation(Fact):
    """What to do, and what not."""

    action: str
    fallback: str | None = None
    do_not: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    golden_set: Literal["keep", "refresh_after", "rebuild", "extend"] = "keep"
    training_data: TrainingData = TrainingData()


class RetrainGate(Fact):
    """Whether a retrain of the version may start, by all of its open incidents."""

    decision: Decision
    because: str
    actions: tuple[Action, ...] = ()  #: what may start, where it is allowed
    blocked_by: tuple[str, ...] = ()  #: incidents


class WindowCounts(Fact):
    """What it rests on."""

    baseline: Count
    since_onset: Count
    rows: Count
    labelled: Count = 0
    expired: Count = 0


class Impact(Fact):
    """What it costs; [baseline, now]."""

    harm: Literal["harmful", "benign", "unknown"]
    loss: tuple[float, float] | None = None
    prediction_tv: float | None = None
    outliers: tuple[float, float] | None = None
    explains: tuple[str, ...] = ()


class EvidencePlace(Fact):
    """Where in the log the evidence stands."""

    kind: str
    topic: str
    partition: PartitionNumber
    offsets: tuple[int, int]


class PersonsWord(Fact):
    """What a person said of the incident."""

    answer: Literal["confirm", "reject"]
    cause: Cause | None = None  #: what it is in this person's eyes
    by: str | None = None
    note: str | None = None  #: control characters are spelled out
    time: Time  #: ms


class RootCauseEvent(OfVersion, Fact):
    """On ``PREFIX.root-causes``, keyed by model: one revision of an incident."""

    content_type: ClassVar = JSON

    application: str
    incident: str
    revision: Count
    status: IncidentStatus
    reason: Literal["recovered", "replaced", "retired", "reconfigured", "rejected"] | None = (
        None  #: of resolved; rejected: by a person, of withdrawn
    )
    superseded_by: str | None = None
    after: str | None = None  #: an incident of a version that was rolled back
    model: str
    version: str
    versions: tuple[str, ...] = ()  #: of a fault that outlived its version
    stream: str
    in_rows: bool = False  #: its times count rows, each 1,000 ms: panes of its stream are of so many rows
    reference: str
    complete: bool
    clock_decided: bool
    configuration: str
    engine: str
    cause: Cause
    subtype: str
    map: CauseMap | None = None
    scope: Scope
    onset: Onset
    run: Time  #: ms
    confidence: float
    score: float | None = None  #: the confidence before it was calibrated
    calibrated: bool = False  #: by what people said of former incidents
    calibration: str | None = None  #: hash of the artifact by which
    alternatives: tuple[Cause, ...] = ()
    awaits: str | None = None
    windows: WindowCounts
    impact: Impact
    evidence: tuple[EvidencePiece, ...] = ()
    more_evidence: Count = 0
    ruled_out: tuple[CauseRuledOut, ...] = ()
    missing_evidence: tuple[MissingEvidence, ...] = ()
    mitigation: Mitigation
    retrain_gate: RetrainGate
    episodes: tuple[str, ...] = ()
    more_episodes: Count = 0
    panes: tuple[EvidencePlace, ...] = ()
    more_panes: Count = 0
    feedback: PersonsWord | None = None  #: the last
    artifact: str | None = None  #: content hash of the incident's windows, stored when it is confirmed and when it ends
    text: Annotated[str, Field(max_length=MOST_TEXT)]

    @property
    def id(self) -> str:
        """The same for everyone who says it."""
        return derived_id("root-cause", self.incident, self.revision)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.root-cause.{self.status}"

    @property
    def time(self) -> int:
        """Of the run that said it."""
        return self.run

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return self.model_dump_json(exclude_none=False).encode()

    @classmethod
    def decoded(cls, value: bytes) -> "RootCauseEvent":
        """What `encoded` wrote."""
        return cls.model_validate_json(value)
