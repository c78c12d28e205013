"""The data of a job: what is said of its rows beside them. Its hash is the data's name."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import Field

from ..fact import Fact
from ..form import check_form
from ..identity import content_hash
from ..integers import Count, Offset, PartitionNumber, Time

FORM = 1
#: Of a row that no listed window leaves out: in front of the first of those that are listed, one of the others may.
UNLISTED = "-"

Role = Literal["feature", "prediction", "score", "id", "time", "version", "label", "known", "by", "outlier", "weight"]


class ReadSource(Fact):
    """What was read of a partition: from the first offset to the one behind the last."""

    topic: str
    topic_id: str
    partition: PartitionNumber
    offsets: tuple[Offset, Offset]
    lost: tuple[Offset, Offset] | None = None  #: of what was asked for, what retention had taken
    through: Time | None = None  #: by times: so far it was complete, at most `until`; of what is later more may come


class DatasetColumn(Fact):
    """One column of every part."""

    name: str
    role: Role
    field: str | None = None  #: of a feature, its name in messages
    type: str  #: as DuckDB names it
    null: Count = 0  #: rows without a value


class DatasetPart(Fact):
    """One file."""

    file: str
    rows: Count
    bytes: Count
    sha256: str


class DatasetRows(Fact):
    """What became of the model's predictions in what was read; of all that were taken what follows is the sum."""

    records: Count = 0  #: of the topics of predictions, whatever they are
    rejected: Count = 0  #: that cannot be read, whosever they are
    evaluations: Count = 0  #: marked: asked for by golden evaluations
    without_id: Count = 0  #: of the model, and nothing can meet them
    not_sampled: Count = 0
    taken: Count = 0
    repeated: Count = 0  #: of an id that was there already
    outside: Count = 0  #: of times that are not included
    excluded: dict[str, Count] = {}  #: by the incident whose window they are of
    unlabelled: Count = 0
    immature: Count = 0  #: with `order: matured`, their maturity is not over
    written: Count = 0

    @property
    def accounted(self) -> int:
        """All that was said of those that were taken."""
        return self.repeated + self.outside + sum(self.excluded.values()) + self.unlabelled + self.immature + self.written


class DatasetLabels(Fact):
    """The labels of what was written."""

    stream: str
    outcome: str
    order: str
    records: Count = 0  #: that were read
    rejected: Count = 0
    unmatched: Count = 0  #: that no prediction of the model was there for
    reviewed: Count = 0  #: rows whose label people gave
    outliers: Count = 0  #: rows that are there for being unlike the training data
    first: Time | None = None  #: ms: when the first became known, and the last
    last: Time | None = None
    delays: tuple[int, ...] = ()  #: ms, from the prediction until it became known: the smallest, the quartiles, the largest
    counts: dict[str, Count] = {}  #: rows by class, the most frequent ones


class Manifest(Fact):
    """``manifest.json``."""

    TYPE: ClassVar = "dataset"

    form: int = FORM
    application: str
    job: str
    model: str
    version: str
    request: str  #: hash of what was asked for
    reference: str  #: the columns are its fields; content hash
    until: Time
    by: Literal["offsets", "times"]
    sources: tuple[ReadSource, ...]
    data: dict[str, Any] = {}  #: what the request says of them, but for its sources: windows, policy, versions of features  # JSON
    sample: Annotated[float, Field(gt=0, le=1)] = 1.0  #: share of the ids
    rows: DatasetRows
    labels: DatasetLabels | None = None  #: none: the model has none
    columns: tuple[DatasetColumn, ...]
    parts: tuple[DatasetPart, ...]

    @property
    def name(self) -> str:
        """Of the data: the hash of all that is said of them, their own hashes among it."""
        return content_hash(self.encoded())

    def encoded(self) -> bytes:
        """As it stands in the folder: the same bytes for the same data."""
        return msgspec.json.format(msgspec.json.encode(self.model_dump(), order="sorted"), indent=1) + b"\n"

    @classmethod
    def decoded(cls, content: bytes) -> "Manifest":
        """What `encoded` wrote. Raises `ValueError` where it is damaged, or of a newer release."""
        plain: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])  # JSON
        check_form("data set", plain, FORM)
        return cls.model_validate(plain)
