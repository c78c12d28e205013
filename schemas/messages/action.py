"""The ledger: every fact that a decision to retrain may look at, in one order for each model.

The intake copies what other topics say; people, jobs and launchers write their own. Any Kafka client may: a record of JSON with a `kind`,
keyed by model. Where a fact has no time, it holds at the time of the ledger when it is read.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field

from ..identity import derived_id
from ..integers import Count, Time
from . import model_event
from .action_data import ActionGolden, ActionReviewed
from .action_version import ActionContest, ActionEvaluation, ActionVersion
from .anybodys import Name, of_fields
from .coincidence import CoincidenceType
from .drift import Kind as EpisodeKind
from .drift import Severity, Status
from .feedback import NOTE
from .job import Id, Seen, Why
from .on_ledger import OnLedger
from .retrain import MOST_SOURCES, Source
from .root_cause import MOST_FEATURES, Action, Cause, Decision, IncidentStatus, TrainingData

#: Versions, incidents and windows that a copy of a root cause lists.
MOST_VERSIONS, MOST_BLOCKING, MOST_LEFT_OUT = 20, 100, 200
_Id = Annotated[str, Field(min_length=1, max_length=200)]


class ActionIncident(OnLedger):
    """A copy of a root cause: what may be decided by it."""

    kind: Literal["incident"] = "incident"
    incident: Id
    revision: Count
    status: IncidentStatus
    version: Name
    versions: tuple[str, ...] = ()
    reference: str | None = None
    decision: Decision  #: of the retrain gate
    actions: tuple[Action, ...] = ()
    because: Why = ""
    blocked_by: tuple[str, ...] = ()
    cause: Cause
    subtype: str | None = None
    features: Annotated[tuple[str, ...], Field(max_length=MOST_FEATURES)] = ()
    onset: Time  #: ms
    run: Time  #: ms, of what it rests on: the end of a resolved one
    confidence: float | None = None
    labelled: Count = 0  #: since the onset
    training: TrainingData = TrainingData()

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.incident, self.revision)


class ActionEpisode(OnLedger):
    """A copy of a drift event; ``worse``: by how much of its baseline the model's metric is worse, of performance."""

    kind: Literal["episode"] = "episode"
    episode: _Id
    sequence: Count
    status: Status
    of: EpisodeKind
    severity: Severity
    version: Name
    reference: str | None = None
    onset: Time  #: ms
    metric: str | None = None
    was: float | None = None
    now: float | None = None
    worse: float | None = None
    reason: str | None = None  #: of a resolution

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.episode, self.sequence)


class ActionModel(OnLedger):
    """A copy of a model event."""

    kind: Literal["model"] = "model"
    event: model_event.Kind
    version: Name
    job: Name | None = None
    parent: Name | None = None
    reference: str | None = None  #: content hash of its own
    by: Name | None = None
    fact_id: _Id  #: of the event

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.fact_id)


class ActionCoincidence(OnLedger):
    """A copy of what else was done, for one model that it concerns."""

    kind: Literal["coincidence"] = "coincidence"
    of: CoincidenceType
    ref: Name
    source: Name | None = None
    fact_id: _Id  #: of the coincidence

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.fact_id, self.model)


class ActionLabels(OnLedger):
    """So many labelled predictions there are of a model; the total only grows."""

    kind: Literal["labels"] = "labels"
    total: Count

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.total)


class ActionTick(OnLedger):
    """The time, where streams are live; it holds for all models of the partition."""

    kind: Literal["tick"] = "tick"
    model: Literal["-"] = "-"
    time: Time

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.time)


class ActionReach(OnLedger):
    """How far the topics reached from which a model's training data come: what is asked for from now on is asked for up to there."""

    kind: Literal["reach"] = "reach"
    sources: Annotated[tuple[Source, ...], Field(max_length=MOST_SOURCES)]
    more_sources: Count = 0

    @property
    def id(self) -> str:
        """The same at every repetition."""
        ends = [f"{one.topic}/{one.topic_id}/{one.partition}/{one.offsets[0]}/{one.offsets[1]}" for one in self.sources]
        return derived_id("action", self.kind, self.model, self.time, *ends)


class ActionDue(OnLedger):
    """An instant of a policy's cron line has come; of those that were missed the latest is told."""

    kind: Literal["due"] = "due"
    policy: Name
    instant: Time  #: ms

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.policy, self.instant)


class ActionRequest(OnLedger):
    """Somebody asks for a job by a policy. The same request counts once."""

    kind: Literal["request"] = "request"
    policy: Name
    request: _Id
    override: bool = False  #: although a fault forbids it; then ``by`` must be named
    by: Name | None = None
    note: Annotated[str, Field(max_length=NOTE.most)] | None = None

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.policy, self.request)


class ActionWord(OnLedger):
    """What a person says of a job: *approve*, *reject*, *cancel*."""

    kind: Literal["approve", "reject", "cancel"]
    job: Id
    by: Name
    note: Annotated[str, Field(max_length=NOTE.most)] | None = None

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.job, self.by)


class ActionObserved(OnLedger):
    """What a launcher, or the job itself, or a person who looked, says of a job that was requested."""

    kind: Literal["observed"] = "observed"
    job: Id
    state: Seen
    by: Name | None = None  #: the launcher, the person
    detail: Why | None = None  #: "exit 3", "HTTP 404", "delivered"

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.job, self.state)


class ActionAdopted(OnLedger):
    """A person gives a launcher's name to another spool; ``model`` is the launcher's name, for its partition. No decision looks at it."""

    kind: Literal["adopted"] = "adopted"
    spool: _Id  #: the id of the new one, as the launcher named it when it refused
    by: Name

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("action", self.kind, self.model, self.spool)


LedgerFact = (
    ActionIncident
    | ActionEpisode
    | ActionModel
    | ActionCoincidence
    | ActionLabels
    | ActionReviewed
    | ActionGolden
    | ActionTick
    | ActionReach
    | ActionDue
    | ActionRequest
    | ActionWord
    | ActionObserved
    | ActionAdopted
    | ActionEvaluation
    | ActionContest
    | ActionVersion
)
_ONE_KIND = (
    ActionIncident,
    ActionEpisode,
    ActionModel,
    ActionCoincidence,
    ActionLabels,
    ActionReviewed,
    ActionGolden,
    ActionTick,
    ActionReach,
    ActionDue,
    ActionRequest,
    ActionObserved,
    ActionAdopted,
    ActionEvaluation,
    ActionContest,
)
_KINDS: Mapping[str, type[BaseModel]] = {
    **{one.model_fields["kind"].default: one for one in _ONE_KIND},
    **dict.fromkeys(("approve", "reject", "cancel"), ActionWord),
    **dict.fromkeys(("promote", "refuse", "roll_back"), ActionVersion),
}


def ledger_fact(value: bytes) -> LedgerFact:
    """What anybody wrote on the ledger. Raises `ValueError` that names each field at fault.

    >>> ledger_fact(b'{"kind": "observed", "model": "eta", "job": "%s", "state": "ran"}' % (b"0" * 32))
    Traceback (most recent call last):
    ...
    ValueError: state: Input should be 'started', 'succeeded', 'failed', 'timed_out', 'cancelled' or 'lost'
    """
    plain = msgspec.json.decode(value)
    if not isinstance(plain, Mapping) or plain.get("kind") not in _KINDS:
        msg = f"a fact of the ledger is an object whose kind is one of {', '.join(_KINDS)}"
        raise ValueError(msg)
    return of_fields(_KINDS[plain["kind"]], plain)  # type: ignore[return-value]  # each of them is one
