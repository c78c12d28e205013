"""Beside examples, what is said of them: what a person answered, and that rows are broken, or are no more."""

from typing import Any, ClassVar

import msgspec

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Boundary, Offset, PartitionNumber, Time
from .examples import ExampleId


class _Word(Fact):
    content_type: ClassVar = JSON

    model: str
    time: Time  #: when it was said, ms: it holds from a step behind that

    @property
    def key(self) -> str:
        """Of the record: all of a model is in one partition."""
        return self.model

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.model

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return msgspec.json.encode(self.model_dump(exclude_none=True), order="sorted")


class ExampleAnswer(_Word):
    """What a reviewer says of a prediction: the label that is right."""

    TYPE: ClassVar = "io.driftbus.examples.answer"

    example: ExampleId
    label: int  #: as labels are compared by; of binary ones 0 or 1
    topic_id: str  #: of the reviews
    partition: PartitionNumber
    offset: Offset

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("example-answer", self.topic_id, self.partition, self.offset)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @classmethod
    def decoded(cls, value: bytes) -> "ExampleAnswer":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


class ExampleHold(_Word):
    """An incident says that rows are broken, so that nothing is learnt from them; or that it is over."""

    TYPE: ClassVar = "io.driftbus.examples.hold"

    incident: str
    since: Boundary | None = None  #: the onset: what was learnt since then is forgotten; null: it is over

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("example-hold", self.model, self.incident, self.since, self.time)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @classmethod
    def decoded(cls, value: bytes) -> "ExampleHold":
        """What `encoded` wrote. Raises `ValueError` where it is damaged."""
        return cls.model_validate(_plain(value))


def _plain(value: bytes) -> dict[str, Any]:  # any JSON
    return msgspec.json.decode(value, type=dict[str, Any])
