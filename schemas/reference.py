"""A reference profile: what a model version's data looked like when all was well, in the form that panes are counted in."""

from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field

from .fact import Fact
from .identity import content_hash

Role = Literal["feature", "prediction", "score"]

#: The order of the counts in every availability signal.
AVAILABILITY = ("present", "null", "invalid", "missing")


class NumericProfile(Fact):
    """Binned values of a numeric field.

    ``edges`` e_0 < ... < e_{k-1} make k + 1 intervals:
    (-inf, e_0), [e_0, e_1), ..., [e_{k-1}, inf). ``bin_of[i]`` is the bin of interval i.
    Bin 0 is *below* the reference's minimum, ``above`` is the bin above its maximum, ``gap`` (if any) the bin of all intervals without
    a reference row; the other bins stand in the order of their values.
    """

    kind: Literal["numeric"] = "numeric"
    edges: tuple[float, ...]
    bin_of: tuple[int, ...]
    counts: tuple[int, ...]  #: reference rows per bin
    values: tuple[float, ...]  #: a bin's value: its reference mean (below, above: minimum, maximum; gap: the mean of all)
    above: int
    gap: int | None = None
    mean: float
    sd: float  #: 1 where the reference is constant
    minimum: float
    maximum: float
    quantiles: tuple[float, ...] = ()  #: 1, 5, 25, 50, 75, 95, 99 %
    distinct: int = 0
    parse: bool = False  #: the values travel as strings of numbers
    tau: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)  #: dependence of the score of order 1..4, in rows


class CategoricalProfile(Fact):
    """Counts per category; the last count is that of every *other* value."""

    kind: Literal["categorical"] = "categorical"
    categories: tuple[str, ...]
    counts: tuple[int, ...]  #: one more than there are categories
    boolean: bool = False
    distinct: int = 0
    tau: tuple[float, ...] = ()  #: dependence of each indicator, in rows; one per count


class AvailabilityProfile(Fact):
    """How often a field was present, null, invalid, missing (see `AVAILABILITY`)."""

    counts: tuple[int, int, int, int]
    tau: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)


class ProfiledField(Fact):
    """One feature or output. ``values`` is None where too few rows allow only its availability to be watched."""

    name: str
    role: Role = "feature"
    type: Literal["numeric", "categorical", "boolean"]
    values: Annotated[NumericProfile | CategoricalProfile, Field(discriminator="kind")] | None = None
    availability: AvailabilityProfile


class Reference(Fact):
    """The profile of one model version. Its name is the hash of its content."""

    format: Literal[1] = 1
    model: str
    version: str
    rows: int
    first: int | None = None  #: earliest and latest time in the data, ms; None: the data has no times
    last: int | None = None
    longest_gap: int | None = None  #: ms without a row
    ordered: bool = False  #: rows were in the order of time, so the taus are measured, not assumed
    fields: tuple[ProfiledField, ...]
    ignored: dict[str, str] = {}  #: columns not watched, with the reason
    warnings: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        """Rows per second, where the data has times."""
        if self.first is None or self.last is None or self.last <= self.first:
            return None
        return self.rows / ((self.last - self.first) / 1000)

    def encoded(self) -> bytes:
        """The content that is stored, and hashed into `name`."""
        return msgspec.json.encode(self.model_dump(), order="sorted")

    @property
    def name(self) -> str:
        """``sha256:...`` of the stored content."""
        return content_hash(self.encoded())

    @classmethod
    def decoded(cls, content: bytes) -> "Reference":
        """What `encoded` wrote."""
        return cls.model_validate(msgspec.json.decode(content))


class Announcement(Fact):
    """On ``driftbus.models``: from the bucket that ends after ``since`` on, ``reference`` holds for this model version."""

    model: str
    version: str
    reference: str | None  #: content hash; None: retired, no longer monitored
    since: int  #: ms of record time, a bucket boundary; -2**62: from the start
    rows: int = 0

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        return f"reference/{quote(self.model, safe='')}/{quote(self.version, safe='')}/{self.since}"


#: `Announcement.since` of a reference that holds from the start of the log.
FROM_START = -(2**62)
