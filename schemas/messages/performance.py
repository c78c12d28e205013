"""Performance: what became of the predictions that a model version made in one interval."""

from typing import ClassVar

import msgspec

from ..identity import derived_id
from ..integers import Boundary, Count, Time
from .on_performance import OnPerformance

#: By name; None: it cannot be known.
Metrics = dict[str, float | None]


class Performance(OnPerformance):
    """On ``PREFIX.performance`` (compacted): a record for every interval of prediction time, written anew as more becomes known.

    What was realised and what is estimated are never one number: `realised` is of the labelled predictions alone, `estimated` of all
    predictions by what `assumes` says, `completed` of the labelled ones as they are and of the others as estimated, `estimated_expired` of
    those that will never have a label, which are seldom like the others.
    """

    TYPE: ClassVar = "io.driftbus.performance"

    labels: str  #: the stream of labels
    segment: str | None = None  #: of the predictions that the reference divides so; null: of all
    reference: str | None = None
    since: Boundary | None = None  #: from when on that reference holds
    start: Time  #: of the interval in which the predictions were made, ms
    about: Time  #: its end
    through: Time  #: what was known then
    final: bool = False  #: nothing more is to become known; what does, of a reader that was given up, is told in a further final record
    predicted: Count
    labelled: Count
    expired: Count
    duplicates: Count
    clipped: Count = 0  #: labelled numbers so far from their predictions, or from all, that they count as nearer: errors are larger
    due: Count = 0  #: with `order: matured`: predictions whose maturity is over, and those that had an outcome then
    labelled_when_due: Count = 0
    median_delay: Count | None = None  #: of first outcomes, ms, within 7 %
    realised: Metrics = {}
    low: float | None = None  #: Wilson's interval of the accuracy, 95 %
    high: float | None = None
    estimated: Metrics = {}
    completed: Metrics = {}
    estimated_expired: Metrics = {}  #: of the expired predictions alone
    assumes: str | None = None
    baseline: Metrics = {}  #: of the first labelled predictions in production, by which is estimated
    baseline_rows: Count = 0

    @property
    def key(self) -> str:
        """Of the record on the compacted topic: model, version, reference and interval; of a segment, that too."""
        of = [self.model, self.version, self.reference, self.since, self.about]
        return msgspec.json.encode(of if self.segment is None else [*of, self.segment]).decode()

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("performance", self.application, self.labels, self.key, self.through)

    @property
    def time(self) -> int:
        """Until when it knows."""
        return self.through
