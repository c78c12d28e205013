"""What becomes of the predictions of each interval, as its revisions say: one join in one summaries partition.

The table holds the intervals of which something may still become known. A revision adds to it, and what it then says is told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...detectors.outcomes.estimate import Estimate
from ...detectors.outcomes.layout import Layout, layout
from ...detectors.outcomes.metrics import accuracy_within, realised
from ...schemas.configuration import Configuration
from ...schemas.integers import packed, unpacked
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.pane import REVISIONS, Pane
from ...schemas.messages.performance import Metrics, Performance
from ...schemas.messages.progress import Progress
from ...schemas.stored.outcomes import OutcomeBasis
from ..streams.align import NEVER, Aligned, Aligner
from ..streams.buckets import Every
from ..streams.spans import Spans
from .asking import Asking, tested
from .concept import Concept
from .online import Online, Whose

Sums = NDArray[np.int64]
#: How outcomes are counted: by model, reference (content hash) and labels.
BasisOf = Callable[[str, str, str], OutcomeBasis]


def no_labels(model: str, reference: str, labels: str) -> OutcomeBasis:
    """Of a configuration without labels."""
    msg = f"{model}: there are no labels {labels}"
    raise LookupError(msg)


#: Labelled predictions, the first in production, by which is estimated.
BASELINE = 5_000
#: Milliseconds behind the last interval of a version in which nothing more came of it: it would stay for ever.
FORGOTTEN_AFTER = 90 * 86_400_000
#: Digits of what is told: linear algebra differs between machines in the last ones.
_DIGITS = 6


@dataclass
class _Table:
    """Of one of these."""

    known: Sums  #: all of it together, until there is a baseline
    latest: int = -NEVER  #: of the intervals that there were
    intervals: dict[int, Sums] = field(default_factory=dict)  #: by their end; those that are not final
    baseline: Sums | None = None


class Outcomes:
    """The intervals of one join."""

    def __init__(self, configuration: Configuration, name: str, basis_of: BasisOf) -> None:
        self._configuration, self.name, self._basis_of = configuration, name, basis_of
        self._spans = Spans.of(configuration, name)
        stream = configuration.read_as(name)
        self.aligner = Aligner[Pane](Every(self._spans.pane), stream.patience if stream.clock == "live" else None)
        self._tables: dict[Whose, _Table] = {}
        self.concept = Concept(configuration, lambda pane: layout(basis_of(pane.model, pane.reference or "", name)))
        self.asking, self.online = Asking(configuration, tested(configuration, labelled=True, of=name)), Online(configuration, name)

    def feed(self, offset: int, appended: int, record: Pane | Progress) -> Iterator[tuple[int, Performance | DriftEvent | GoldenRequest]]:
        """Take a pane of this join, or how far it is complete; returns what is known of the intervals of which that is news, what changed,
        and what that asks for; each with the end of the step.
        """
        for aligned in self.aligner.feed(offset, appended, record):
            told: list[Performance | DriftEvent] = [*self._evaluated(aligned), *self.concept.evaluated(aligned)]
            yield from ((aligned.end, one) for one in [*told, *self._asked(aligned, told)])

    def _asked(self, aligned: Aligned[Pane], told: Iterable[object]) -> list[GoldenRequest]:
        """The golden evaluations that are due, each with what is known of the same time."""
        for pane in (pending.pane for pending in aligned.panes):
            if pane.of == REVISIONS and pane.reference is not None:
                self.asking.hear(pane.model, pane.version, pane.about)
                self.online.add(Whose(pane.model, pane.version, pane.reference, pane.since or 0), pane.about, pane.counts)
        found = [self.online.beside(one, self._metrics) for one in self.asking.asked(aligned.end, told)]
        self.online.passed(aligned.end)
        return found

    def _metrics(self, whose: Whose, vector: Sums) -> tuple[Metrics, Metrics]:
        """What was realised of the predictions of a slot, and what is estimated."""
        plan, table = self._plan(whose), self._tables.get(whose)
        found = realised(plan, vector)
        of_all = Estimate(plan, table.baseline).of(vector) if table is not None and table.baseline is not None else None
        return _rounded(found.metrics if found else {}), _rounded(of_all.estimated if of_all else {})

    def _evaluated(self, aligned: Aligned[Pane]) -> Iterator[Performance]:
        touched: set[tuple[Whose, int]] = set()
        for pending in aligned.panes:
            pane = pending.pane
            if pane.of == REVISIONS and pane.reference is not None:
                whose = Whose(pane.model, pane.version, pane.reference, pane.since or 0)
                table = self._tables.setdefault(whose, _Table(np.zeros(len(pane.counts), dtype=np.int64)))
                table.intervals[pane.about] = table.intervals.get(pane.about, 0) + pane.counts
                table.latest = max(table.latest, pane.about)
                if table.baseline is None:
                    table.known = table.known + pane.counts
                touched.add((whose, pane.about))
        plans = {whose: self._plan(whose) for whose in self._tables}
        for whose in {whose for whose, _ in touched}:
            table = self._tables[whose]
            if table.baseline is None and plans[whose].number(table.known, "labelled") >= BASELINE:
                table.baseline = table.known
        over = {
            (whose, about) for whose, table in self._tables.items() for about in table.intervals if self._spans.final(about) <= aligned.end
        }
        for whose, about in sorted(touched | over):
            final = (whose, about) in over
            yield self._told(whose, about, aligned.end, plans[whose], final=final)
            if final:
                del self._tables[whose].intervals[about]
        self._tables = {
            whose: table for whose, table in self._tables.items() if table.intervals or aligned.end < table.latest + FORGOTTEN_AFTER
        }

    def _plan(self, whose: Whose) -> Layout:
        return layout(self._basis_of(whose.model, whose.reference, self.name))

    def _told(self, whose: Whose, about: int, through: int, plan: Layout, *, final: bool) -> Performance:
        table = self._tables[whose]
        vector = table.intervals[about]
        found, within = realised(plan, vector), None
        if plan.basis.task != "number":
            within = accuracy_within(plan, vector)
        beside: dict[str, Any] = {}  # fields of the record
        if table.baseline is not None:
            estimate, known = Estimate(plan, table.baseline), realised(plan, table.baseline)
            of_all, completed = estimate.of(vector), estimate.completed(vector)
            beside = {
                "estimated": _rounded(of_all.estimated if of_all else {}),
                "completed": _rounded(completed.completed if completed else {}),
                "assumes": of_all.assumes if of_all else None,
                "baseline": _rounded(known.metrics if known else {}),
                "baseline_rows": known.labelled if known else 0,
            }
        return Performance(
            application=self._configuration.application,
            labels=self.name,
            model=whose.model,
            version=whose.version,
            reference=whose.reference,
            since=whose.since,
            start=about - self._spans.about,
            about=about,
            through=through,
            final=final,
            predicted=max(plan.number(vector, "predicted"), 0),
            labelled=max(plan.number(vector, "labelled"), 0),
            expired=max(plan.number(vector, "expired"), 0),
            duplicates=max(plan.number(vector, "duplicates"), 0),
            realised=_rounded(found.metrics if found else {}),
            low=None if within is None else round(within.low, _DIGITS),
            high=None if within is None else round(within.high, _DIGITS),
            **beside,
        )

    def plain(self) -> list[Any]:  # plain data for a snapshot
        """All that is remembered but the aligner."""
        return [
            [
                *whose,
                packed(table.known),
                table.latest,
                [[about, packed(vector)] for about, vector in table.intervals.items()],
                None if table.baseline is None else packed(table.baseline),
            ]
            for whose, table in self._tables.items()
        ]

    def restore(self, plain: list[Any]) -> None:
        """What `plain` wrote."""
        for model, version, reference, since, known, latest, intervals, baseline in plain:
            of = {about: unpacked(vector) for about, vector in intervals}
            table = _Table(unpacked(known), latest, of, None if baseline is None else unpacked(baseline))
            self._tables[Whose(model, version, reference, since)] = table


def _rounded(metrics: Mapping[str, float | None]) -> Metrics:
    return {name: None if value is None else float(f"{value:.{_DIGITS}g}") for name, value in metrics.items()}
