"""Candidates: the few rows of one run and bucket that a slot's sample may need, whatever the other runs hold."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import Field

from ..cloud_events import MSGPACK
from ..fact import Fact
from ..form import check_form, lean
from ..identity import derived_id
from ..integers import Boundary, Count, Offset, PartitionNumber, Time
from .of_version import OfVersion
from .review import IdHash, Shown, Value

#: How they are to be read: as a pane.
FORM = 1
#: Bytes of a record, about: more candidates are in further parts.
LARGEST_PART = 256 * 1024
#: Numbers of a candidate's vector: of a larger one none travels.
MOST_NUMBERS = 2_048


class Candidate(Fact):
    """A row that may be drawn. Its chance follows from where it lies."""

    offset: Offset
    weight: Annotated[float, Field(gt=0)]  #: by its score, its predicted class, and how unlike the training data it is
    segment: str | None = None
    level: Annotated[int, Field(ge=0, le=2)] | None = None  #: unlike the training data: 1, p <= .05; 2, p <= .005; null: not asked
    prediction_id: str | None = None
    prediction_hash: IdHash | None = None  #: in its place, where ids are personal
    prediction: Value = None
    score: float | None = None
    shown: Shown = {}
    #: What it is nearly the same as others by: whole numbers of two bytes, the least significant first; empty: nothing says that.
    vector: Annotated[bytes, Field(max_length=2 * MOST_NUMBERS)] = b""


class Candidates(OfVersion, Fact):
    """A fact about the log, as a pane is: whoever reads the partition again keeps the same rows. It is completed by the panes' progress."""

    TYPE: ClassVar = "io.driftbus.candidates"
    content_type: ClassVar = MSGPACK

    stream: str
    topic: str
    topic_id: str
    partition: PartitionNumber
    first: Offset  #: first offset of the run
    last: Offset  #: last offset read in the run
    bucket: Time
    model: str
    version: str
    reference: str | None = None
    since: Boundary | None = None
    rows: Count  #: that they were kept of
    cases: Count  #: of a sample they suffice for so many cases
    uniform: Count  #: of these, drawn uniformly
    kept: tuple[Candidate, ...] = ()
    part: Count = 0
    form: int = FORM

    @property
    def id(self) -> str:
        """The same for everyone who cuts this run."""
        place = (self.stream, self.topic, self.topic_id, self.partition, self.first, self.bucket)
        return derived_id("candidates", *place, self.model, self.version, self.reference, self.since, self.part)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def time(self) -> int:
        """The end of its bucket."""
        return self.bucket

    def split(self, largest: int = LARGEST_PART) -> "Iterator[Candidates]":
        """In parts of about so many bytes at most; the rows are counted in the first one."""
        if len(self.encoded()) <= largest:
            yield self
            return
        part, size, kept = 0, 0, list[Candidate]()
        for one in self.kept:
            bytes_ = len(msgspec.msgpack.encode(one.model_dump()))
            if kept and size + bytes_ > largest:
                yield self._part(part, kept)
                part, size, kept = part + 1, 0, []
            kept.append(one)
            size += bytes_
        yield self._part(part, kept)

    def _part(self, part: int, kept: list[Candidate]) -> "Candidates":
        return self.model_copy(update={"part": part, "kept": tuple(kept), "rows": 0 if part else self.rows})

    def encoded(self) -> bytes:
        """As it travels: msgpack, without what is not there."""
        plain = lean(self.model_dump(), {"form": 1, "part": 0, "reference": None, "since": None})
        absent: dict[str, Any] = {name: field.default for name, field in Candidate.model_fields.items() if not field.is_required()}
        plain["kept"] = [lean(one, absent) for one in plain["kept"]]
        return msgspec.msgpack.encode(plain)

    @classmethod
    def decoded(cls, value: bytes) -> "Candidates":
        """What `encoded` wrote. Raises `NewerForm`, and `ValueError` where it is damaged."""
        plain = msgspec.msgpack.decode(value, type=dict[str, Any])
        check_form("list of candidates", plain, FORM)
        return cls.model_validate(plain)
