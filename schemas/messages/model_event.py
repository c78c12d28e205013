"""Model events on the models topic: which version of a model was registered, deployed, promoted, rolled back or retired."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote, unquote

import msgspec
from pydantic import Field, FiniteFloat, model_validator

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from .anybodys import Application, Moment, Name, milliseconds, of_fields, of_json
from .of_version import OfVersion

#: What is done with a version: *registered*: it is known; *deployed*: it serves, beside what serves already; *promoted*: it serves alone;
#: *rolled_back*: it serves no more, and its parent, if it is named, does again; *retired*: it serves no more.
Kind = Literal["registered", "deployed", "promoted", "rolled_back", "retired"]
#: How the keys of all model events begin; other facts on the topic have other beginnings.
KEYS = b"model/"
#: Metrics of a version, and characters of the name of each.
MOST_METRICS, LONGEST_METRIC = 20, 100
_Hash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Metric = Annotated[str, Field(min_length=1, max_length=LONGEST_METRIC, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ModelArtifact(Fact):
    """The file that a version is."""

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelEvent(OfVersion, Fact):
    """On ``PREFIX.models``, written by `driftbus models` and by any Kafka client: what became of a version, by which job or at which time.

    Twice is once: who writes it again, because he does not know whether he has, writes the same key, and it has the same id.
    """

    content_type: ClassVar = JSON

    model: Name
    version: Name
    kind: Kind
    time: Moment | None = None  #: ms of record time; none: when the record was written
    job: Name | None = None  #: of the run of a pipeline that did it; without one a time is needed
    parent: Name | None = None  #: the version that this one came from, and goes back to
    application: Application = None  #: for whom; none: for all on this topic
    by: Name | None = None  #: who did it: a person, a policy
    data: _Hash | None = None  #: of the data set that it was trained on
    reference: _Hash | None = None  #: of what its data look like, in the artifact store
    artifact: ModelArtifact | None = None
    metrics: Annotated[dict[_Metric, FiniteFloat], Field(max_length=MOST_METRICS)] | None = None  #: as its job measured them

    @model_validator(mode="after")
    def _is_named_by_something(self) -> "ModelEvent":
        if self.job is None and self.time is None:
            msg = "job or time is missing: one of them tells this event from the next of its kind"
            raise ValueError(msg)
        return self

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        parts = (self.model, self.version, self.kind, str(self.time) if self.job is None else self.job)
        whose = () if self.application is None else (self.application,)
        return KEYS.decode() + "/".join(quote(part, safe="") for part in (*parts, *whose))

    def lies_under(self, key: bytes) -> bool:
        """Whether a record's key is this event's: its parts need no escapes where they hold no slash, and a time may be ISO 8601.

        >>> event = ModelEvent(model="fraud", version="v 2", kind="deployed", time="2026-03-01T10:00:00Z")
        >>> event.key, event.lies_under(b"model/fraud/v 2/deployed/2026-03-01T10:00:00Z")
        ('model/fraud/v%202/deployed/1772359200000', True)
        """
        said, own = (list(map(unquote, text.split("/"))) for text in (key.decode("utf-8", "replace"), self.key))
        if self.job is None and len(said) == len(own):
            said[4] = _same(said[4], self.time)
        return said == own

    @property
    def id(self) -> str:
        """The same at every repetition, whatever else is said in it."""
        return derived_id("model-event", self.model, self.version, self.kind, self.time if self.job is None else self.job)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.model.{self.kind}"

    def plain(self) -> dict[str, Any]:  # JSON
        """All that it says."""
        return self.model_dump(exclude_none=True)

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.plain(), order="sorted")

    @classmethod
    def of(cls, plain: Mapping[str, object]) -> "ModelEvent":
        """The event with these fields. Raises `ValueError` that names each one at fault.

        >>> ModelEvent.of({"model": "fraud", "version": 7, "kind": "moved", "job": "j1"})
        Traceback (most recent call last):
        ...
        ValueError: kind: Input should be 'registered', 'deployed', 'promoted', 'rolled_back' or 'retired'
        """
        return of_fields(cls, plain)

    @classmethod
    def decoded(cls, value: bytes) -> "ModelEvent":
        """What `encoded`, or anybody, wrote. Raises `ValueError` as `of` does."""
        return of_json(cls, value, "a model event")


def _same(text: str, time: int | None) -> str:
    """A time in a key, as `ModelEvent.key` writes it where it is that of the event."""
    try:
        return str(time) if milliseconds(text) == time else text
    except ValueError:
        return text
