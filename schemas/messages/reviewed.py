"""Reviewed: what people's answers say of the predictions of one interval."""

from typing import ClassVar

import msgspec

from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, Time
from .on_performance import OnPerformance


class ReviewedShare(Fact):
    """A share of all predictions of the interval, estimated from those that were answered; null: nothing is known."""

    cases: Count  #: answered
    share: float | None = None
    low: float | None = None  #: of the interval of Korn and Graubard, 95 %
    high: float | None = None


class ReviewedMean(Fact):
    """A mean over all predictions of the interval, estimated from those that were answered; null: nothing is known."""

    cases: Count  #: answered
    mean: float | None = None
    low: float | None = None  #: of Student's interval, 95 %; null with one case
    high: float | None = None


class Reviewed(OnPerformance):
    """On ``PREFIX.performance`` (compacted), beside `Performance` and never summed with it: written anew with every answer."""

    TYPE: ClassVar = "io.driftbus.reviewed"

    start: Time  #: of the interval, ms: whole slots
    about: Time  #: its end
    asked: Count  #: cases
    answered: Count  #: with a label
    skipped: dict[str, Count] = {}  #: cases without one, by the reason that was given
    right: Count | None = None  #: answers that say what the model said; null: of numbers, which are right to a degree
    all: ReviewedShare  #: whose prediction is right, from all answered cases
    uniform: ReviewedShare  #: from those drawn uniformly
    pairs: Count = 0  #: cases that two reviewers labelled
    agreement: float | None = None  #: share of these with one label
    kappa: float | None = None  #: Cohen's, of these
    mae: ReviewedMean | None = None  #: of numbers: how far the prediction is off, in the mean, from all answered cases
    mae_uniform: ReviewedMean | None = None  #: from those drawn uniformly
    labelled: Count = 0  #: answered cases of which the model's own labels say something, too
    as_labelled: float | None = None  #: share of these with one label; of numbers: null
    kappa_labelled: float | None = None  #: Cohen's, of these

    @property
    def unanswered(self) -> int:
        """Cases of which nobody has said anything."""
        return self.asked - self.answered - sum(self.skipped.values())

    @property
    def key(self) -> str:
        """Of the record on the compacted topic."""
        return msgspec.json.encode(["reviewed", self.model, self.version, self.about]).decode()

    @property
    def id(self) -> str:
        """The same at every repetition."""
        said = self.answered, sum(self.skipped.values()), self.pairs, self.asked
        told = (self.all.share, self.uniform.share, self.agreement)
        later = (self.mae, self.labelled, self.as_labelled)
        also = () if later == (None, 0, None) else (repr(later),)
        return derived_id("reviewed", self.application, self.key, *said, repr(told), *also)

    @property
    def time(self) -> int:
        """The end of its interval."""
        return self.about
