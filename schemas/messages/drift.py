"""Drift events: episodes that open, change and resolve."""

from typing import Any, ClassVar, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from ..cloud_events import JSON, microseconds
from ..duration import ROW_MS
from ..fact import Fact
from ..identity import derived_id
from .of_version import OfVersion

Kind = Literal["input", "output", "availability", "pairs", "text", "volume", "duplicates", "unreadable", "performance", "ood"]
Severity = Literal["minor", "moderate", "major"]
Status = Literal["opened", "updated", "resolved"]


def moment(place: str) -> int:
    """When an event says that something was, in ms: a row is at its number in seconds.

    >>> moment("2013-01-01T00:00:00Z"), moment("row 30000")
    (1356998400000, 30000000)
    """
    return int(place[4:]) * ROW_MS if place.startswith("row ") else microseconds(place) // 1000


class Word(Fact):
    """A word, or an n-gram of characters, and the share of texts that contain it."""

    word: str
    shares: tuple[float, float]  #: reference, now


class Effect(Fact):
    """How much a signal changed, less what two samples of one distribution would show, never below 0."""

    ks: float | None = None  #: Kolmogorov-Smirnov distance of the binned values
    psi: float | None = None  #: population stability index over about ten groups of bins
    wasserstein_sd: float | None = None  #: Wasserstein distance of the binned values, in reference standard deviations
    nulls: tuple[float, float] | None = None  #: share of rows without a valid value: reference, now
    unseen: float | None = None  #: share of rows in bins without a reference row
    correlation: tuple[float, float] | None = None  #: of a pair's ranks: reference, now
    word_share: float | None = None  #: by how much the share of texts with some word changed at most
    words: tuple[Word, ...] = ()  #: those that moved most
    new_categories: tuple[str, ...] = ()  #: seen of late, and unknown to the reference; the commonest first
    flagged: tuple[float, float] | None = None  #: share of rows unlike the training data (p <= .05): of known ones, now

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:  # JSON
        """Of what has no such share, as it was before there was any."""
        content: dict[str, Any] = written(self)
        return content if self.flagged is not None else {key: value for key, value in content.items() if key != "flagged"}


class Histogram(Fact):
    """A small histogram: about ten groups of neighbouring bins, the same for reference and current."""

    bins: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()


class Statistics(Fact):
    """A series in numbers, six digits of each; None where it has no such number."""

    rows: int
    nulls: float | None = None  #: share of rows without a valid value
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    quantiles: tuple[float, ...] = ()  #: 1, 5, 25, 50, 75, 95, 99 %
    distinct: int | None = None  #: now: an estimate; None: over a hundred, or not known


class Alarm(Fact):
    """A detector that has alarmed on a signal, with its numbers when it did."""

    detector: str
    statistic: float | None = None
    threshold: float | None = None
    rate: float | None = None  #: the false alarms per second of record time that it keeps to; None: it cannot say


class DriftedSignal(Fact):
    """One signal of an episode, with all that is known of its change."""

    name: str
    role: str  #: feature, prediction, score; row: of what is no single field
    of: str = "values"  #: values, availability; of text: length, new words, words, characters; of vectors: component N, distance; pair, ...
    segment: str | None = None  #: the signal is that of one segment
    only_in: tuple[str, ...] = ()  #: of a signal of all rows: segments, where only these have changed
    open: bool = True
    alarms: tuple[Alarm, ...] = ()  #: in the order in which they came
    share: float  #: of the alarm's evidence
    change: str  #: the winning bet in words
    log_evidence: float  #: natural log of the e-value since the onset
    effect: Effect
    was: Statistics | None = None  #: of the reference
    now: Statistics | None = None  #: of `current`
    reference: Histogram
    current: Histogram
    rows: int  #: rows in `current`


class FurtherSignal(Fact):
    """One signal of an episode of very many, in short."""

    name: str
    role: str
    of: str = "values"
    segment: str | None = None
    open: bool = True
    share: float
    change: str
    effect: dict[str, float] = {}  #: the sizes that there are, as in `Effect`; of nulls and of a correlation what it is now


class UsedPanes(Fact):
    """The offsets of one input partition that `current` was counted from."""

    topic: str
    partition: int
    offsets: tuple[int, int]


class ToldPerformance(Fact):
    """How the predictions behind an event of kind `performance` turned out. What was realised and what is estimated are never one."""

    metric: str  #: accuracy; of numbers mae
    now: float | None = None  #: of the labelled predictions of `about`; without it of those whose labels came since the event's `onset`
    was: float | None = None  #: in the baseline, the first labelled predictions in production
    low: float | None = None  #: of `now`, 95 %: Wilson's interval, where labels that hang together count as fewer
    high: float | None = None
    about: tuple[str, str] | None = None  #: when these were made, ISO 8601 UTC; None: nothing has been told of the intervals yet
    onset: str | None = None  #: since when predictions turn out so, by when they were made; `onset` of the event: by when it was known
    predicted: int = 0
    labelled: int = 0
    expired: int = 0  #: of how many the outcome never will be known
    delay: int | None = None  #: ms, from a prediction to its first label: half of them took no longer
    estimated: float | None = None  #: of all of `predicted`, labelled or not, by what `assumes` says
    assumes: str | None = None
    assumption_broken: bool = False  #: the relation of answers to outcomes has changed: what is estimated then is wrong
    by: str = "labels"  #: who says so; reviews: people, of predictions that were drawn uniformly, and `labelled` are those they answered


class Topic(Fact):
    """Queries that are like each other."""

    share: float  #: of those looked at
    texts: int
    words: tuple[str, ...]  #: the most telling first
    examples: tuple[str, ...]  #: their first characters


class ToldQueries(Fact):
    """What the queries behind an event of kind `ood` are about, as far as texts may be shown."""

    of: str  #: the field
    texts: int  #: flagged ones that were looked at, since the event's onset
    distinct: int  #: of them, those nearly the same counted once
    expected: float  #: share of them that known queries explain
    topics: tuple[Topic, ...] = ()  #: the largest first
    diffuse: float  #: share of those that are like no others
    words: tuple[str, ...] = ()  #: of all of them, the most telling first


class ToldOutliers(Fact):
    """Of kind `ood`, of rows: which field makes them unlike the training data. Outliers are rows with p <= .01."""

    share: tuple[float, float]  #: of rows that are outliers: of known ones, now
    masked: int  #: outliers since the event's onset that were looked at without each field
    #: A fault of one field, of either of two, of both, of a source as a whole; *novelty*: of none; *unknown*: too few outliers to say.
    fault: Literal["field", "either", "both", "source", "novelty", "unknown"]
    names: tuple[str, ...] = ()  #: the fields, or the source
    sources: tuple[str, ...] = ()  #: where the values of these fields come from, as configured
    owners: tuple[str, ...] = ()  #: who is asked, as configured
    #: Of the outliers in excess of the known ones, the share that is familiar without a field; the largest first.
    fields: dict[str, float] = {}
    by_source: dict[str, float] = {}  #: the same without all fields of a source
    by_pair: float | None = None  #: the same without both fields, where it is a fault of both


class DriftEvent(OfVersion, Fact):
    """An episode opened, was updated, or resolved. Key on the topic: the model."""

    content_type: ClassVar = JSON

    episode: str
    sequence: int
    status: Status
    model: str
    version: str
    stream: str
    reference: str
    kind: Kind
    bucket: tuple[str, str]  #: start and end of the bucket that decided, ISO 8601 UTC; "row 30000" where panes are of so many rows
    scope: Literal["global", "local"] | None = None  #: local: no more than some segments have changed; None: the model has none
    onset: str  #: since when, as far as the winning bet can tell
    signals: tuple[DriftedSignal, ...]  #: of more than `MOST_WHOLE`, those with the largest shares, open ones first
    further: tuple[FurtherSignal, ...] = ()  #: signals behind these, in the same order
    more_signals: int = 0  #: so many more are not listed
    detector: str  #: the one that opened it
    budget: str  #: of false alarms, as configured
    severity: Severity
    reason: str | None = None  #: of a resolution: recovered, replaced, retired; reconfigured: its last signal or stream is watched no more
    complete: bool  #: every partition's panes of the bucket were there in time
    clock_decided: bool  #: some partition's progress through the bucket came from the wall clock
    panes: tuple[UsedPanes, ...] = ()
    more_panes: int = 0  #: input partitions that are not listed
    performance: ToldPerformance | None = None  #: of kind `performance`
    queries: ToldQueries | None = None  #: of kind `ood`
    outliers: ToldOutliers | None = None  #: of kind `ood`, of rows
    configuration: str

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:  # JSON
        """Of what has no queries or outliers, as it was before there were any."""
        content: dict[str, Any] = written(self)
        return {key: value for key, value in content.items() if value is not None or key not in ("queries", "outliers")}

    @property
    def further_open(self) -> int:
        """Open signals that are not among those told whole; those not listed are taken for open unless it is resolved."""
        return sum(one.open for one in self.further) + (0 if self.status == "resolved" else self.more_signals)

    @property
    def id(self) -> str:
        """The same at every repetition, so that a consumer can drop duplicates."""
        return derived_id("drift", self.episode, self.sequence)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.drift.{self.status}"

    @property
    def time(self) -> int:
        """The end of the bucket that decided; a row's number in seconds where panes are of so many rows."""
        return moment(self.bucket[1])

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return self.model_dump_json(exclude_none=False).encode()
