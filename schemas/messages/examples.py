"""Examples: what was predicted of which features, and the labels that became known, of one model in one step of the joiner."""

from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import Field, TypeAdapter

from ..cloud_events import MSGPACK
from ..fact import Fact
from ..form import check_form, lean
from ..identity import derived_id
from ..integers import Count, Offset, PartitionNumber, Time
from .review import Value

#: How they are to be read.
FORM = 1
#: Bytes of a record, about: more rows are in further parts.
LARGEST = 512 * 1024

Features = dict[str, Value]
ExampleId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="a hash of the prediction's id: the same in its label")]


_FEATURES: TypeAdapter[Features] = TypeAdapter(Features)


def features_of(packed: bytes) -> Features:
    """Those of a row, from msgpack. Raises `ValueError` where they could not be an example's."""
    return _FEATURES.validate_python(msgspec.msgpack.decode(packed))


class Example(Fact):
    """A prediction."""

    id: ExampleId
    version: str
    score: float | None = None  #: the probability that the model gave, if it did
    features: Features = {}


class Outcome(Fact):
    """The first label of a prediction."""

    id: ExampleId
    version: str
    label: int  #: 64 bits as labels are compared by; of binary ones 0 or 1


class Examples(Fact):
    """Of one step, which is a bucket as the joiner takes it: predictions go before labels, and both hold in their order.

    A prediction may come again, with the same id. A step is over when the progress behind it says so.
    """

    TYPE: ClassVar = "io.driftbus.examples"
    content_type: ClassVar = MSGPACK

    join: str  #: the name of the labels
    topic: str  #: of the joins: what is in one of its partitions is in this order
    topic_id: str
    partition: PartitionNumber
    first: Offset  #: the step, and how often time had gone back: it never falls
    bucket: Time  #: the end of the step
    model: str
    predictions: tuple[Example, ...] = ()
    labels: tuple[Outcome, ...] = ()
    part: Count = 0
    form: int = FORM

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("examples", self.join, self.topic_id, self.partition, self.first, self.model, self.part)

    @property
    def key(self) -> str:
        """Of the record: all of a model is in one partition."""
        return self.model

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.model

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def time(self) -> int:
        """The end of its step."""
        return self.bucket

    def split(self) -> list["Examples"]:
        """In parts of about so many bytes at most, predictions first."""
        parts, size = list[list[Example | Outcome]]([[]]), 0
        rows: list[Example | Outcome] = [*self.predictions, *self.labels]
        for row in rows:
            bytes_ = len(msgspec.msgpack.encode(row.model_dump()))
            if size and size + bytes_ > LARGEST:
                parts.append([])
                size = 0
            parts[-1].append(row)
            size += bytes_
        return [self._part(number, rows) for number, rows in enumerate(parts)]

    def _part(self, number: int, rows: list[Example | Outcome]) -> "Examples":
        predictions, labels = ([row for row in rows if isinstance(row, kind)] for kind in (Example, Outcome))
        return self.model_copy(update={"part": number, "predictions": tuple(predictions), "labels": tuple(labels)})

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(lean(self.model_dump(), {"predictions": (), "labels": (), "part": 0, "form": FORM}))

    @classmethod
    def decoded(cls, value: bytes) -> "Examples":
        """What `encoded` wrote. Raises `NewerForm`, and `ValueError` where it is damaged."""
        plain: dict[str, Any] = msgspec.msgpack.decode(value, type=dict[str, Any])
        check_form("list of examples", plain, FORM)
        return cls.model_validate(plain)
