"""Contests: which of two versions of a model predicts better, by the predictions that both answered and whose label became known."""

from typing import Annotated, ClassVar

import msgspec
from pydantic import Field

from ..fact import Fact
from ..identity import derived_id
from ..integers import Count, Offset, PartitionNumber, Time
from .anybodys import Name
from .on_performance import OnPerformance

#: Of every sum: so many are one.
UNIT = 1 << 20
#: Days of predictions that one record tells of: the oldest are left out of what comes late.
MOST_DAYS = 400
#: Parts of what a row can win that are staked; the wealth is the mean over them. The smallest finds small advantages, the largest large
#: ones.
STAKES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
_Sums = Annotated[tuple[int, ...], Field(min_length=len(STAKES), max_length=len(STAKES))]


class ContestDay(Fact):
    """Of the predictions of one day, or of whatever is taken for one. All but ``rows`` in units of 2^-20.

    Of a row x is by how much the loss of `version` is smaller than that of the other one, as a part of the most that it could be: from -1
    to 1, by a bound that is known before the label.
    """

    start: Time  #: ms
    rows: Count  #: answered by both, with a label
    better: int = 0  #: the sum of x
    squares: Count = 0  #: of x
    gained: int = 0  #: by how much the losses themselves are smaller: log loss, error rate, or the absolute error of a number
    wins: _Sums  #: by stake s, the sum of log(1 + s x)
    losses: _Sums  #: by stake s, the sum of log(1 - s x)


class Contest(OnPerformance):
    """On ``PREFIX.performance``: what became known of two versions of a model since the last record of the same partition."""

    TYPE: ClassVar = "io.driftbus.contest"

    labels: str  #: the stream of labels
    model: Name
    version: Name
    other: Name  #: behind the first in the order of their names
    partition: PartitionNumber  #: of the joins
    place: Offset  #: it only grows
    through: Time  #: what was known then, ms
    day: Count  #: how long what is taken for a day is, ms
    days: Annotated[tuple[ContestDay, ...], Field(max_length=MOST_DAYS)]

    @property
    def key(self) -> str:
        """Of the record on the compacted topic: none takes the place of another."""
        return msgspec.json.encode(["contest", self.model, self.version, self.other, self.partition, self.place]).decode()

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("contest", self.application, self.labels, self.key)

    @property
    def time(self) -> int:
        """Until when it knows."""
        return self.through
