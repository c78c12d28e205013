"""A pane: the counts of one run of one input partition, for one model, version, segment, reference and bucket."""

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np
from pydantic import ConfigDict

from ..cloud_events import MSGPACK
from ..fact import Fact
from ..form import check_form, lean
from ..identity import derived_id
from ..integers import Boundary, Count, IntegerVector, Offset, PartitionNumber, Place, SparseVectors, Time, packed
from .of_version import OfVersion

#: How a pane is to be read. A higher number is a promise broken on purpose: see docs/schemas.md.
FORM = 1
#: Of what rows it is: the model's predictions.
PREDICTIONS = "predictions"
#: Of outcomes: what became known, each prediction once, and what is known of the predictions of an interval, revised.
ARRIVALS, REVISIONS = "arrivals", "revisions"
#: How alike the training data the model's predictions' inputs are: scored rows, by level.
OOD = "ood"
#: Whether served values are those of a feature log: pairs of both (`driftbus.detectors.agreement.layout`).
AGREEMENT = "agreement"
#: What people answered of predictions that were drawn uniformly: evidence (`driftbus.schemas.messages.answered`).
REVIEWED = "reviewed"
#: Flagged rows that a pane holds, those of the smallest hashes; characters of each one's text.
MOST_FLAGGED, MOST_FLAGGED_TEXT = 50, 200
#: Rows with p <= .01 that a run looks at without each of their fields, those of the smallest hashes.
MOST_MASKED = 64
#: Names of unexpected fields that a pane holds.
MOST_UNEXPECTED = 20
#: In the place of a model or version: all further ones of a run, none of them monitored.
OTHERS = "(others)"
#: Bytes of a record: a larger pane travels in parts.
LARGEST_PART = 512 * 1024

#: What a part of a pane has some fields of.
_BY_FIELD = "unseen", "magnitudes", "repeated", "ages"
#: What only those who look for causes read: to unpack it takes longer than all the rest.
_CLOSELY = "magnitudes", "repeated"
_NONE = packed(np.zeros(0, dtype=np.int64))
#: What a pane says by not saying it.
_USUAL: dict[str, Any] = {
    "of": PREDICTIONS,
    "form": 1,
    "pooled": 0,
    "grouping": "",
    "own": (),
    "flagged": (),
    "masked": _NONE,
    "inside": _NONE,
    "inside_at": 0,
    "commonest": _NONE,
    "magnitudes": [],
    "repeated": [],
    "ages": {},
    "complete": True,
    "clock_decided": False,
}


class Unexpected(NamedTuple):
    """A name among the features that the reference does not know."""

    name: str
    kind: str  #: of its first value: number, text, boolean, list, object, null
    rows: Count  #: of those looked at


class Ages(NamedTuple):
    """How old a feature's values were when their records were made, of those that say as of when they are."""

    seconds: Count  #: summed, whole ones of each; of a time that was still to come none
    rows: Count


class Flagged(NamedTuple):
    """A row that is unlike the training data, at p <= .05. Its text stands here only where the configuration allows it."""

    hash: int  #: of topic id, partition and offset: a sample of the smallest is the same whoever takes it, and those of panes merge
    offset: Offset
    subject: Count  #: its place in the reference's `familiarity`
    level: Count  #: 1: p <= .05, 2: p <= .005
    text: str | None = None


def commonest(found: Iterable[Unexpected]) -> tuple[Unexpected, ...]:
    """As many as are kept, the commonest first."""
    return tuple(sorted(found, key=lambda one: (-one.rows, one.name))[:MOST_UNEXPECTED])


def _share(length: int, place: int, parts: int) -> slice:
    return slice(length * place // parts, length * (place + 1) // parts)


class Pane(OfVersion, Fact):
    """A fact about the log: whoever reads the partition again cuts the same panes.

    Every number is an integer, so that addition is exact in any order. Times are milliseconds; a bucket is named by its end.
    ``counts`` and ``sums`` follow the layout of the reference (`driftbus.detectors.counting.layout`); a model without one has
    empty ones.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    TYPE: ClassVar = "io.driftbus.pane"
    content_type: ClassVar = MSGPACK

    stream: str
    topic: str
    topic_id: str
    partition: PartitionNumber
    first: Offset  #: first offset of the run
    last: Offset  #: last offset read in the run
    bucket: Time  #: when it was cut: drives progress and order
    start: Time | None = None  #: where that bucket starts; None: by a writer that did not say
    about: Time  #: the event time it speaks of: the same unless a correction arrives days later
    model: str
    version: str
    segment: str | None = None
    reference: str | None = None  #: content hash; None: the model is not monitored
    since: Boundary | None = None  #: the bucket from which that reference holds
    rows: Count
    late: Count = 0
    counts: IntegerVector = np.zeros(0, dtype=np.int64)  #: signed, so that a correction can subtract
    sums: IntegerVector = np.zeros(0, dtype=np.int64)  #: per numeric field: sum of z, sum of z squared (fixed point)
    sampled: Count = 0  #: rows that were looked at for unexpected fields
    unexpected: tuple[Unexpected, ...] = ()  #: the commonest
    pooled: Count = 0  #: of `OTHERS`: how many model versions its rows are of, as far as they were counted
    #: Of categorical fields, the commonest values that the reference does not know, and their rows.
    unseen: dict[str, dict[str, Count]] = {}
    part: Count = 0  #: of a pane that is too large for one record: the first part has its rows, and all else that is no vector
    parts: Count = 1
    counts_at: Place = 0  #: where this part's counts begin among the pane's
    sums_at: Place = 0
    #: Of revisions: which groups of features its sums are of, as rows' bins are (`driftbus.schemas.messages.block.Whose`). Of agreement:
    #: which features are compared, likewise.
    grouping: str = ""
    own: tuple[str, ...] = ()  #: of revisions: the columns of a user's own metrics, which stand last among the counts
    flagged: tuple[Flagged, ...] = ()  #: of kind `ood`: those of the smallest hashes, in their order
    #: Of kind `ood`, rows of all segments: outliers without each of their fields (`driftbus.detectors.neighbours.masked`).
    masked: IntegerVector = np.zeros(0, dtype=np.int64)
    #: The same rows in the reference's bins: those scored, with p <= .2, with p <= .01 (`driftbus.detectors.neighbours.bins`).
    inside: IntegerVector = np.zeros(0, dtype=np.int64)
    inside_at: Place = 0  #: where this part's begin
    #: Of kind `agreement`, the commonest online values of differing pairs: of each its feature's place, its code, and its rows.
    commonest: IntegerVector = np.zeros(0, dtype=np.int64)
    #: Of rows of all segments that were looked at closely: by numeric field, places and rows (`driftbus.detectors.counting.closely`).
    magnitudes: SparseVectors = {}  #: places are cells (`driftbus.detectors.counting.magnitudes`)
    repeated: SparseVectors = {}  #: of values that many of them share; places are the bits of float64
    ages: dict[str, Ages] = {}  #: of rows of all segments, by feature
    complete: bool = True  #: of outcomes: of all there was; not where a partition was given up, or rows came behind their bucket
    clock_decided: bool = False  #: of outcomes: the wall clock said that some partition has no more, not the data
    of: str = PREDICTIONS  #: of what rows: each kind has its own layout, is aligned by itself, and ignored by who does not test it
    form: int = FORM

    @property
    def id(self) -> str:
        """The same for everyone who cuts this run."""
        kind: tuple[str | int, ...] = () if self.of == PREDICTIONS else (self.of,)
        if self.about != self.bucket:
            kind += (self.about,)
        place = (self.topic_id, self.partition, self.first, self.bucket)
        facts = (*place, self.model, self.version, self.segment, self.reference, self.since, *kind)
        return derived_id("pane", *facts, self.part) if self.part else derived_id("pane", *facts)

    def split(self, largest: int = LARGEST_PART) -> "list[tuple[Pane, bytes]]":
        """The pane as records of at most so many bytes, whose vectors, laid side by side, are the pane's: readers add up what they get."""
        number, parts = 1, [(self, self.encoded())]
        most = max(len(self.counts), len(self.unseen), len(self.inside), *(len(getattr(self, name)) for name in _BY_FIELD))
        while any(len(value) > largest for _, value in parts) and number < most:
            number *= 2
            parts = [(part, part.encoded()) for part in (self._part(place, number) for place in range(number))]
        return parts

    def _part(self, place: int, parts: int) -> "Pane":
        counts, sums, inside = (_share(len(whole), place, parts) for whole in (self.counts, self.sums, self.inside))
        own = {
            "part": place,
            "parts": parts,
            "counts": self.counts[counts],
            "counts_at": counts.start,
            "sums": self.sums[sums],
            "sums_at": sums.start,
            "inside": self.inside[inside],
            "inside_at": inside.start,
        }
        for name in _BY_FIELD:
            whole: dict[str, Any] = getattr(self, name)
            own[name] = dict(sorted(whole.items())[_share(len(whole), place, parts)])
        none = {"masked": self.masked[:0], "commonest": self.commonest[:0]}
        beside = {"rows": 0, "late": 0, "sampled": 0, "unexpected": (), "flagged": (), **none} if place else {}
        return self.model_copy(update=own | beside)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def time(self) -> int:
        """The end of its bucket."""
        return self.bucket

    def encoded(self) -> bytes:
        """As it travels: msgpack, without `pooled` where none is, and without what is as it always was."""
        return msgspec.msgpack.encode(lean(self.model_dump(), _USUAL))

    @classmethod
    def counted(cls, value: bytes) -> "Pane":
        """What `decoded` reads, without magnitudes and repeated values."""
        return cls.decoded(value, but=_CLOSELY)

    @classmethod
    def decoded(cls, value: bytes, but: Collection[str] = ()) -> "Pane":
        """What `encoded` wrote, without some fields. Raises `NewerForm`, and `ValueError` where what is read is damaged."""
        plain = msgspec.msgpack.decode(value, type=dict[str, Any])
        check_form("pane", plain, FORM)
        for name in but:
            plain.pop(name, None)
        pane = cls.model_validate(plain)
        if pane.late > pane.rows or pane.first > pane.last:
            msg = f"{pane.late} of {pane.rows} rows late, offsets {pane.first} to {pane.last}"
            raise ValueError(msg)
        return pane
