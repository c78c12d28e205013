"""Samples of queries unlike the training data: where they stand, how unlike they are, and what they are nearest to."""

from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, Offset, PartitionNumber, Time
from .of_version import OfVersion


class Near(NamedTuple):
    """A training example."""

    row: Count  #: of the data that the reference was built from, its first is 0
    similarity: float  #: cosine, four digits


class OodSample(OfVersion, Fact):
    """On ``PREFIX.ood``: one flagged row, and how many more of its run's sample are nearly the same. Key: the model."""

    content_type: ClassVar = JSON

    stream: str
    topic: str
    topic_id: str
    partition: PartitionNumber
    offset: Offset
    bucket: Time  #: ms, its end
    model: str
    version: str
    reference: str
    of: str  #: what was compared: a field's name
    p: Annotated[float, Field(ge=0, le=1)]  #: the share of known rows of the same predicted class that are as unlike
    predicted: str | None = None  #: that class
    alike: Count = 1  #: flagged rows of the run's sample that are nearly the same, with this one
    flagged: Count = 1  #: rows in that sample
    nearest: tuple[Near, ...] = ()  #: training examples, the nearest first
    text: str | None = None  #: its first characters; only where the configuration allows it

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("ood-sample", self.topic_id, self.partition, self.offset, self.model, self.version, self.reference, self.of)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return "io.driftbus.ood-sample"

    @property
    def time(self) -> int:
        """The end of its bucket."""
        return self.bucket

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return self.model_dump_json().encode()
