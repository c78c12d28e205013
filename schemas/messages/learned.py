"""On ``PREFIX.learned`` (compacted): what a learner came to, who of its candidates serves, and how well each predicts."""

from typing import Any, ClassVar, Literal

import msgspec

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Boundary, Count, Time

Serving = Literal["slow", "fast"]


class _OfLearner(Fact):
    """What all have in common."""

    KIND: ClassVar[str]
    content_type: ClassVar = JSON

    model: str  #: from whose rows it learns

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.learned.{self.KIND}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.model

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.model_dump(exclude_none=True), order="sorted")


class LearnedChange(_OfLearner):
    """Another candidate serves, or labels are not to be believed, or are again, or it has begun anew."""

    KIND: ClassVar = "change"

    at: Time  #: the step in which it changed, ms
    number: Count  #: of the changes of this learner
    what: Literal["serves", "held", "released", "begun"]
    serving: Serving  #: from now on
    why: str
    since: Boundary | None = None  #: of a hold: what was learnt since then is forgotten

    @property
    def key(self) -> str:
        """Of the record."""
        return msgspec.json.encode([self.model, self.KIND, self.at, self.number]).decode()

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("learned-change", self.model, self.at, self.number, self.what, self.why)

    @property
    def time(self) -> int:
        """When it changed."""
        return self.at

    @classmethod
    def decoded(cls, value: bytes) -> "LearnedChange":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


class LearnedLosses(_OfLearner):
    """Log losses in the mean over the labels that became known in one interval, each of what was said when its prediction was made."""

    KIND: ClassVar = "losses"

    start: Time  #: of the interval, ms
    end: Time
    labels: Count
    slow: float
    fast: float
    served: float
    watched: float | None = None  #: of the model whose rows these are, where it gave a score; of those labels alone
    watched_labels: Count = 0
    serving: Serving  #: at its end
    held: bool = False
    evidence: float = 0.0  #: at its end, the log of what the one who does not serve has made of 1

    @property
    def key(self) -> str:
        """Of the record: what is told of an interval again takes its place."""
        return msgspec.json.encode([self.model, self.KIND, self.start]).decode()

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("learned-losses", self.model, self.start, self.end, self.labels)

    @property
    def time(self) -> int:
        """Its end."""
        return self.end

    @classmethod
    def decoded(cls, value: bytes) -> "LearnedLosses":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


class LearnedModel(_OfLearner):
    """The model that serves from now on. Its content lies in the artifact store, in the folder ``learned``, under its hash."""

    KIND: ClassVar = "model"

    at: Time  #: the step behind which it is what was learnt
    version: str  #: as it is called in predictions
    artifact: str
    learner: str  #: its kind: logistic, tree, forest
    serving: Serving
    held: bool = False
    learnt: Count  #: rows

    @property
    def key(self) -> str:
        """Of the record: the newest stays."""
        return msgspec.json.encode([self.model, self.KIND]).decode()

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("learned-model", self.model, self.at, self.learnt, self.artifact)

    @property
    def time(self) -> int:
        """When it was learnt."""
        return self.at

    @classmethod
    def decoded(cls, value: bytes) -> "LearnedModel":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


def _plain(value: bytes) -> dict[str, Any]:  # any JSON
    return msgspec.json.decode(value, type=dict[str, Any])
