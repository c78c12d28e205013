"""One partition of the joins topic as a fold: steps and completeness in, outcomes out. What happened to rows is summed by the ledger.

Arrivals, what became known for the first time, are told in every step; with a maturity in the step in which that is over, of what is known
then. All else is told as *revisions*, net, when completeness passes the end of an interval: before anything of a later one is counted, and
before progress says that the interval is over.

Nothing of it is ever written. An empty joiner that folds on from 2 wait + early + one revision + 3 buckets behind is the joiner itself.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .groups import Rows
from .matching import Matching
from .pending import Tiling
from .rows import Happening, Unmatched, Values, What
from .together import meetings, together

Sums = NDArray[np.int64]
#: Rows of which is known what happened to them, and that are counted together: a step of few costs as much as one of some hundreds.
_COUNTED_AT_ONCE = 4_096
#: No time is this far away.
_NEVER = 1 << 62
#: (about, version, place, sums): ``about`` is an interval of prediction time, None for arrivals.
Told = tuple[int | None, int, int, Sums]


class Ledger(Protocol):
    """Turns what happened into integer sums, by what it is about, version and place."""

    def add(self, step: int, happening: Happening) -> None:
        """Count it."""
        ...

    def add_unmatched(self, step: int, unmatched: Unmatched) -> None:
        """Count them."""
        ...

    def arrivals(self, step: int) -> Iterable[Told]:
        """What the rows whose outcome became known for the first time came to since the last call, in order."""
        ...

    def revisions(self) -> Iterable[Told]:
        """What all others came to since the last call: signed, net, without what is all zero, in order."""
        ...


class Outcome(NamedTuple):
    """Sums that are told in a bucket.

    ``about`` None: of predictions whose outcome became known in it, each once. Else a revision of what is known of those of an interval.
    """

    bucket: int
    about: int | None
    version: int
    place: int
    sums: Sums


class _Taken(NamedTuple):
    """Rows of some steps, in their order, and the step of each."""

    predictions: Rows
    labels: Rows
    at: Values
    labels_at: Values

    def between(self, behind: int, last: int) -> "_Taken":
        """Those of the steps behind one, up to another."""
        some, labelled = (slice(*np.searchsorted(times, (behind, last), side="right").tolist()) for times in (self.at, self.labels_at))
        return _Taken(self.predictions[some], self.labels[labelled], self.at[some], self.labels_at[labelled])


class Settings(NamedTuple):
    """Of a join: a label counts if it comes so long behind its prediction (``wait``), or before it (``early``)."""

    tiling: Tiling  #: buckets
    revise: Tiling  #: intervals of label time for which revisions are summed
    wait: int
    early: int
    bins: int  #: binned features of a prediction
    maturity: int | None = None  #: arrivals are told of a prediction so long behind it; None: when its outcome becomes known
    carried: int = 0  #: values that a prediction carries, and as many a label


class Joiner:
    """Takes aligned steps, each once and in order.

    Parameters
    ----------
    begin
        The bucket through which all is over before the first step, where that is known.
    """

    def __init__(self, settings: Settings, ledger: Ledger, begin: int | None = None) -> None:
        self._settings, self._ledger = settings, ledger
        self.matching = Matching(settings.wait, settings.early, settings.tiling, settings.bins, settings.maturity, settings.carried)
        self._through = begin  # buckets that are over
        self._at = begin  # the bucket worked in
        self._uncounted: dict[What, list[Happening]] = {}  # of revisions, for which it does not matter in which step of an interval
        self._rows = 0  # in them

    def take(self, step: int, predictions: Rows, labels: Rows) -> list[Outcome]:
        """The rows of a step: `rows.prediction` and `rows.LABEL`, each in the order in which they hold."""
        return self._take([step], _Taken(predictions, labels, np.full(len(predictions), step), np.full(len(labels), step)))

    def take_all(self, ends: Sequence[int], predictions: Rows, at: Values, labels: Rows, labels_at: Values) -> list[Outcome]:
        """`take` of several steps, in order; the steps of the rows are ``at`` and ``labels_at``. What it comes to is the same."""
        told, behind, rows = list[Outcome](), -_NEVER, _Taken(predictions, labels, at, labels_at)
        shortest = min(self._settings.wait, self._settings.early) if self._settings.maturity is None else 0
        while ends:  # nothing that comes in some of these leaves in others of them
            count = bisect_right(ends, ends[0] + shortest)
            told += self._take_some(ends[:count], rows.between(behind, ends[count - 1]))
            behind, ends = ends[count - 1], ends[count:]
        return told

    def passed(self, through: int) -> list[Outcome]:
        """All buckets that end at or before it are over: what is due in one is told or leaves in it, and what was revised is told."""
        told: list[Outcome] = []
        if self._through is not None and through <= self._through:
            return told
        while (due := self.matching.due()) is not None and due <= through:
            told += self._to(due)
            self._expire(due)
            told += self._arrived(due)
        if self._at is not None and self._interval(self._at) <= through:
            told += self._revise(self._interval(self._at))
        self._through = through
        self._at = through if self._at is None else max(self._at, through)
        return told

    def ended(self, last: int) -> list[Outcome]:
        """All partitions have ended, the latest of them at this time: what is there is told, though its interval is not over. It is told in
        the last bucket that there was, in front of all that a later run brings.
        """
        told = self.passed(self._settings.tiling.start(last))
        return told if self._at is None else told + self._revise(self._at)

    def _take_some(self, ends: Sequence[int], rows: "_Taken") -> list[Outcome]:
        """As many at once as have nothing to do with each other."""
        if len(ends) == 1:
            return self._take(ends, rows)
        told, behind, leaving = list[Outcome](), -_NEVER, self.matching.leaving(ends[-1])
        hi, lo = (
            np.concatenate((rows.predictions[half], rows.labels[half], gone)) for half, gone in (("hi", leaving.hi), ("lo", leaving.lo))
        )
        found = meetings(hi, lo, np.concatenate((rows.at, rows.labels_at, leaving.times)))
        while ends:
            ghost = self.matching.ghost_due()
            last = min(self._interval(ends[0]), _NEVER if ghost is None else ghost - 1)
            count = together(ends, behind, last, found)
            told += self._take(ends[:count], rows.between(behind, ends[count - 1]))
            behind, ends = ends[count - 1], ends[count:]
        return told

    def _take(self, ends: Sequence[int], rows: "_Taken") -> list[Outcome]:
        """Steps of one interval that have nothing to do with each other."""
        last = ends[-1]
        told = self.passed(self._settings.tiling.start(ends[0] - 1))
        told += self._to(ends[0])
        self._expire(last)
        self._at = last if self._at is None else max(self._at, last)
        over = self._settings.tiling.start(last - 1)
        self._through = over if self._through is None else max(self._through, over)
        for step, happening in self.matching.steps(*rows):
            self._count(step, happening)
            if happening.what == "first":
                told += self._arrived(step)
        return told + self._arrived(last)

    def _to(self, step: int) -> list[Outcome]:
        """Go on to a bucket: what was revised in an interval is told before anything of a later one is counted."""
        told = [] if self._at is None or self._interval(self._at) >= step else self._revise(self._interval(self._at))
        self._at = step if self._at is None else max(self._at, step)
        return told

    def _interval(self, at: int) -> int:
        """The end of the interval in which this bucket ends."""
        return self._settings.revise.end(at - 1)

    def _count(self, step: int, happening: Happening) -> None:
        """Arrivals at once, for they are told with the step."""
        if happening.what in ("first", "due"):
            self._ledger.add(step, happening)
            return
        self._uncounted.setdefault(happening.what, []).append(happening)
        self._rows += len(happening.rows)
        if self._rows >= _COUNTED_AT_ONCE:
            self._count_all(step)

    def _count_all(self, step: int) -> None:
        for what, found in self._uncounted.items():
            rows, before = np.concatenate([one.rows for one in found]), np.concatenate([one.before for one in found])
            self._ledger.add(step, Happening(what, rows, before))
        self._uncounted, self._rows = {}, 0

    def _revise(self, bucket: int) -> list[Outcome]:
        self._count_all(bucket)
        return [Outcome(bucket, *found) for found in self._ledger.revisions()]

    def _arrived(self, step: int) -> list[Outcome]:
        return [Outcome(step, *found) for found in self._ledger.arrivals(step)]

    def _expire(self, step: int) -> None:
        for happening in self.matching.ripen(step):
            self._ledger.add(step, happening)
        expired, unmatched = self.matching.expire(step)
        if len(expired.rows):
            self._count(step, expired)
        if len(unmatched.about):
            self._ledger.add_unmatched(step, unmatched)
