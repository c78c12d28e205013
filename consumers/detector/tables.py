"""The tables of a join: what is known of the predictions of each interval, by whose they are.

A revision adds to an interval. Those that are final, of which nothing more should come, are remembered packed as long as they are among the
newest: they tell how a change went on, and what does come, of a reader that was given up, is added to what was told of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...detectors.concept.intervals import Interval
from ...detectors.outcomes.estimate import Estimate
from ...detectors.outcomes.layout import Layout
from ...detectors.outcomes.metrics import Realised, is_whole, realised
from ...schemas.integers import packed, unpacked
from ..streams.align import NEVER
from .online import Sums, Whose

#: Labelled predictions, the first in production, by which is estimated: from so many on, and by no more than so many. (By the first 5,000
#: alone, of ten estimates of 5,000 rows one was .0105 off what was realised; by 50,000 none is more than .0076.)
BASELINE, MOST_KNOWN = 5_000, 50_000
#: Milliseconds behind the last interval of a version in which nothing more came of it: it would stay for ever.
FORGOTTEN_AFTER = 90 * 86_400_000
#: Final intervals that are remembered: some days of hours.
REMEMBERED = 64
#: Where that ends in their vector which tells how a change went on.
_LAST = "cell expired"


class Expected(NamedTuple):
    """What a baseline says of other predictions, and of its own."""

    baseline: Sums
    estimate: Estimate
    known: Realised | None


@dataclass
class Table:
    """Of one of these."""

    known: Sums  #: all of it together, as long as it grows
    grows: bool = True
    latest: int = -NEVER  #: of the intervals that there were
    intervals: dict[int, Sums] = field(default_factory=dict)  #: by their end; those that are not final
    over: dict[int, Any] = field(default_factory=dict)  #: final ones, packed; those of former releases end behind `_LAST`
    own: tuple[str, ...] = ()  #: columns of the user's metrics in all of these
    failing: set[str] = field(default_factory=set)  #: metrics of which it has been told that they fail
    forgotten: int = -NEVER  #: so far intervals were final that are not remembered
    expected: Expected | None = None  #: of what is known of all of it together
    made: dict[int, Interval] = field(default_factory=dict)  #: of all of these, as long as nothing is added

    def add(self, about: int, counts: Sums) -> None:
        """A revision of an interval; one that is final is open again until it is closed."""
        if about in self.over:
            vector = unpacked(self.over[about])
            if len(vector) == len(counts):
                del self.over[about]
                self.intervals[about] = vector
        self.intervals[about] = self.intervals.get(about, 0) + counts
        self.made.pop(about, None)
        self.latest = max(self.latest, about)
        if self.grows:
            self.known = self.known + counts

    def is_forgotten(self, about: int, size: int) -> bool:
        """Whether an interval, of vectors of this size, was final and is not remembered: of what still comes of it nothing is told, for it
        would stand in the place of all that was told.
        """
        if about in self.over:
            return len(unpacked(self.over[about])) != size
        return about <= self.forgotten and about not in self.intervals

    def baseline(self, plan: Layout) -> Sums | None:
        """What is estimated by; None: too little is known, or not all of it."""
        return self.known if plan.number(self.known, "labelled") >= BASELINE and is_whole(plan, self.known) else None

    def expects(self, plan: Layout) -> Expected | None:
        """What is expected by the baseline: it is made anew only where that has grown."""
        baseline = self.baseline(plan)
        if baseline is None:
            return None
        if self.expected is None or self.expected.baseline is not baseline:
            self.expected = Expected(baseline, Estimate(plan, baseline), realised(plan, baseline))
        return self.expected

    def settle(self, plan: Layout, *, drifting: bool) -> None:
        """What is estimated by grows no further once it is enough, or once predictions turn out otherwise."""
        labelled = plan.number(self.known, "labelled")
        self.grows = self.grows and labelled < MOST_KNOWN and not (drifting and labelled >= BASELINE)

    def close(self, about: int, plan: Layout) -> None:
        """An interval is final."""
        vector = self.intervals.pop(about)
        if about in self.over:  # in short
            vector = unpacked(self.over[about])[: _short(plan)] + vector[: _short(plan)]
        self.over[about] = packed(vector)
        self.trim()

    def trim(self) -> None:
        """Remember the newest of the final ones."""
        for old in sorted(self.over)[:-REMEMBERED]:
            del self.over[old]
            self.made.pop(old, None)
        self.forgotten = min(self.over) - 1 if len(self.over) >= REMEMBERED else -NEVER

    def all(self, plan: Layout, length: int) -> dict[int, Interval]:
        """What is remembered of every interval of this length, by its end. Of those that were final something may have come since."""
        for about in self.intervals.keys() | self.over.keys():
            if about not in self.made:
                parts = [self.intervals[about]] if about in self.intervals else []
                parts += [unpacked(self.over[about])] if about in self.over else []
                vector = sum((part[: _short(plan)] for part in parts[1:]), parts[0][: _short(plan)])
                self.made[about] = Interval.of(plan, vector, about - length, about)
        return self.made


def _short(plan: Layout) -> int:
    return int(plan.sections[_LAST].span.stop)


class Tables(dict[Whose, Table]):
    """Those of one join."""

    def of(self, model: str, version: str) -> dict[Whose, Table]:
        """Of all rows, by the references that a version has been watched against, the newest last."""
        own = ((whose, table) for whose, table in self.items() if whose[:2] == (model, version) and whose.segment is None)
        return dict(sorted(own, key=lambda one: (one[0].since, one[0].reference)))

    def forget(self, now: int) -> None:
        """Those of which nothing has been heard for long."""
        for whose in [whose for whose, table in self.items() if not table.intervals and now >= table.latest + FORGOTTEN_AFTER]:
            del self[whose]

    def plain(self) -> list[Any]:  # plain data for a snapshot
        """All that is remembered."""
        return [
            [
                *whose,
                packed(table.known),
                table.grows,
                table.latest,
                [[about, packed(vector)] for about, vector in table.intervals.items()],
                [[about, vector] for about, vector in table.over.items()],
                list(table.own),
                sorted(table.failing),
            ]
            for whose, table in self.items()
        ]

    @classmethod
    def restored(cls, plain: Iterable[Any]) -> "Tables":
        """What `plain` wrote."""
        tables = cls()
        for *names, known, grows, latest, intervals, over, own, failing in plain:
            open_ = {about: unpacked(vector) for about, vector in intervals}
            table = tables[Whose(*names)] = Table(unpacked(known), grows, latest, open_, dict(over), tuple(own), set(failing))
            table.trim()
        return tables
