"""A reference profile: what a model version's data looked like when all was well, in the form that panes are counted in."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from ..fact import Fact
from ..identity import content_hash
from .familiarity import FamiliarityProfile
from .segmentation import Segmentation

Role = Literal["feature", "prediction", "score"]

#: The order of the counts in every availability signal.
AVAILABILITY = ("present", "null", "invalid", "missing")


class _Grown(Fact):
    """A profile that came to have more fields: one without them is written as before, so that a reference keeps its name."""

    came_later: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:  # JSON
        """Without what is not so."""
        content: dict[str, Any] = written(self)
        return {key: value for key, value in content.items() if value or key not in self.came_later}


class NumericProfile(_Grown):
    """Binned values of a numeric field.

    ``edges`` e_0 < ... < e_{k-1} make k + 1 intervals:
    (-inf, e_0), [e_0, e_1), ..., [e_{k-1}, inf). ``bin_of[i]`` is the bin of interval i.
    Bin 0 is *below* the reference's minimum, ``above`` is the bin above its maximum, ``gap`` (if any) the bin of all intervals without
    a reference row, ``far`` (if any) those of what lies so far below and above that no trend leads there; the other bins stand in the
    order of their values.
    """

    came_later: ClassVar[frozenset[str]] = frozenset({"calm_tau", "far"})

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
    swing: float = 0.0  #: in sd, how far a trend, or a cycle that is longer than half the data, moved it
    calm_tau: float | None = None  #: where there is a swing: the location's dependence but for it
    far: tuple[int, int] | None = None

    @property
    def rare(self) -> tuple[int, ...]:
        """The bins in which a reference may have no row at all."""
        return (*self.outside, *(() if self.gap is None else (self.gap,)))

    @property
    def outside(self) -> tuple[int, ...]:
        """The bins below the minimum and above the maximum."""
        return (0, self.above, *(self.far or ()))


class CategoricalProfile(_Grown):
    """Counts per category; the last count is that of every *other* value."""

    came_later: ClassVar[frozenset[str]] = frozenset({"calm_tau", "parse"})

    kind: Literal["categorical"] = "categorical"
    categories: tuple[str, ...]
    counts: tuple[int, ...]  #: one more than there are categories
    boolean: bool = False
    parse: bool = False  #: booleans travel as 0 and 1, or as texts, too
    distinct: int = 0
    tau: tuple[float, ...] = ()  #: dependence of each indicator, in rows; one per count
    swing: float = 0.0  #: the largest of any category, as that of numbers
    calm_tau: float | None = None  #: where there is a swing: the largest dependence of any category but for it


class AvailabilityProfile(Fact):
    """How often a field was present, null, invalid, missing (see `AVAILABILITY`)."""

    counts: tuple[int, int, int, int]
    tau: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)


class WordsProfile(Fact):
    """How many texts contain each of the commonest words, or n-grams of characters. The texts are the rows: words of one hang together."""

    kind: Literal["words"] = "words"
    words: tuple[str, ...]
    counts: tuple[int, ...]  #: texts that contain it, one per word
    texts: int
    tau: float = 1.0  #: dependence of the texts on each other, in rows
    taus: tuple[float, ...] = ()  #: of each word; none where all are like the texts


class TextProfile(Fact):
    """Text of any language: its length in characters, its share of words that are not among the commonest, its words, its n-grams."""

    kind: Literal["text"] = "text"
    length: NumericProfile
    new_words: NumericProfile | None = None  #: None where words are not told apart by spaces
    words: WordsProfile | None = None
    characters: WordsProfile | None = None  #: n-grams of characters


class EmbeddingProfile(Fact):
    """Vectors of one size: where they lie along their principal axes, and how far from the plane of these."""

    kind: Literal["embedding"] = "embedding"
    size: int
    centroid: tuple[float, ...]
    unit: float = 1.0  #: in which coordinates are measured, in steps of 2^-11: the power of two below their root mean square deviation
    axes: tuple[tuple[float, ...], ...]  #: [axis, coordinate], orthonormal, largest variance first
    components: tuple[NumericProfile, ...]  #: of the vector less the centroid, along each axis
    distance: NumericProfile  #: Euclidean, of the vector from the centroid


class PairProfile(Fact):
    """How two numeric fields hang together: the products z_i z_j of their rank scores, over rows that have both."""

    kind: Literal["pair"] = "pair"
    first: str
    second: str
    rows: int
    correlation: float  #: the mean of z_i z_j, Spearman's rank correlation of binned values
    square: float  #: the mean of its square
    log_means: tuple[float, ...]  #: ln mean exp(lam z_i z_j), for each tilt lam
    sensitivities: tuple[float, ...]  #: the sd of exp(lam z_i z_j - its log mean), for each tilt
    tau: float = 1.0  #: dependence of the products, in rows
    sampled_tau: float = 1.0  #: in those of the rows that panes count


class JointProfile(Fact):
    """What no pair sees: how far all numbers of a row together lie from those of the reference (`driftbus.detectors.counting.joint`)."""

    fields: tuple[str, ...]
    axes: tuple[tuple[int, ...], ...]  #: [score, score]: what makes the reference's scores uncorrelated, in units of 2^-12
    distance: NumericProfile


Values = Annotated[NumericProfile | CategoricalProfile | TextProfile | EmbeddingProfile, Field(discriminator="kind")]
FieldType = Literal["numeric", "categorical", "boolean", "timestamp", "text", "embedding"]


_UNSET: dict[str, object] = {"nulls": (), "zone": "UTC", "rule": None, "related": None}


class FieldRule(Fact):
    """What became of a field's values before they were counted (`driftbus.schemas.configuration.personal`)."""

    hash: str | None = None  #: they are known by their hash alone: by what its key is known
    mask: tuple[str, ...] = ()  #: patterns of what was replaced in them


class ProfiledField(Fact):
    """One feature or output. ``values`` is None where too few rows allow only its availability to be watched.

    Of a timestamp its age is watched, in seconds: the record's time less the field's.
    """

    name: str
    role: Role = "feature"
    type: FieldType
    values: Values | None = None
    availability: AvailabilityProfile
    nulls: tuple[str | float, ...] = ()  #: values that stand for none
    zone: str = "UTC"  #: of times that name none
    rule: FieldRule | None = None  #: of personal data
    related: float | None = None  #: share of the output's variance that its groups explain; asked only where there are many features

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:  # JSON
        """Without what is not set: a reference that was stored before keeps its name."""
        content: dict[str, Any] = written(self)
        return {key: value for key, value in content.items() if not (key in _UNSET and value == _UNSET[key])}


class Recount(Fact):
    """The reference's own counts in a part of its rows, in the layout of its panes: of a segment, or of an hour of the week."""

    name: str
    rows: int
    counts: tuple[int, ...]


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
    pairs: tuple[PairProfile, ...] = ()
    joint: JointProfile | None = None
    sample: int = 10  #: pairs and joint distances are counted in one row of so many
    ids: CategoricalProfile | None = None  #: rows whose id was new in its run, and (as *other*) those whose id had been there
    volume: NumericProfile | None = None  #: rows per bucket
    pane: str | None = None  #: length of the buckets that `ids` and `volume` are of, as it is configured; None: it was not noted
    segmentation: Segmentation | None = None
    segments: tuple[Recount, ...] = ()  #: of those with rows enough
    seasons: tuple[Recount, ...] = ()  #: by hour of the week, Monday 00 UTC first
    ignored: dict[str, str] = {}  #: columns not watched, with the reason
    warnings: tuple[str, ...] = ()
    familiarity: tuple[FamiliarityProfile, ...] = ()  #: how alike its rows are, where the model has `ood`

    def of_other_panes(self, pane: str) -> tuple[str, ...]:
        """Names of what is counted per bucket, where buckets are now of another length: nothing that could be compared.

        How counts of many short buckets would sum up to those of a long one depends on how they hang together, which nobody measured.
        """
        counted = {"(volume)": self.volume, "(ids)": self.ids}
        return () if self.pane in (None, pane) else tuple(name for name, profile in counted.items() if profile is not None)

    @property
    def rate(self) -> float | None:
        """Rows per second, where the data has times."""
        if self.first is None or self.last is None or self.last <= self.first:
            return None
        return self.rows / ((self.last - self.first) / 1000)

    def encoded(self) -> bytes:
        """The content that is stored, and hashed into `name`; without a pane where nothing is of one, and without familiarity where
        nobody asked for it."""
        unsaid = {name for name in ("pane", "familiarity") if not getattr(self, name)}
        return msgspec.json.encode(self.model_dump(exclude=unsaid or None), order="sorted")

    @property
    def name(self) -> str:
        """``sha256:...`` of the stored content."""
        return content_hash(self.encoded())

    @classmethod
    def decoded(cls, content: bytes) -> "Reference":
        """What `encoded` wrote."""
        return cls.model_validate(msgspec.json.decode(content))
