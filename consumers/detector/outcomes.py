"""What becomes of the predictions of each interval, as its revisions say: one join in one summaries partition.

The table holds the intervals of which something may still become known. A revision adds to it, and what it then says is told.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ...detectors.outcomes.estimate import Estimate
from ...detectors.outcomes.layout import Layout, layout
from ...detectors.outcomes.metrics import accuracy_within, realised
from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.pane import REVISIONS, Pane
from ...schemas.messages.performance import Metrics, Performance
from ...schemas.messages.progress import Progress
from ...schemas.stored.outcomes import OutcomeBasis
from ..streams.align import Aligned, Aligner
from ..streams.buckets import Every
from ..streams.spans import Spans
from .concept import Concept
from .tables import Table, Tables, Whose

#: How outcomes are counted: by model, reference (content hash) and labels.
BasisOf = Callable[[str, str, str], OutcomeBasis]


def no_labels(model: str, reference: str, labels: str) -> OutcomeBasis:
    """Of a configuration without labels."""
    msg = f"{model}: there are no labels {labels}"
    raise LookupError(msg)


#: Digits of what is told: linear algebra differs between machines in the last ones.
_DIGITS = 6


class Outcomes:
    """The intervals of one join."""

    def __init__(self, configuration: Configuration, name: str, basis_of: BasisOf) -> None:
        self._configuration, self.name, self._basis_of = configuration, name, basis_of
        self._spans = Spans.of(configuration, name)
        stream = configuration.read_as(name)
        self.aligner = Aligner[Pane](Every(self._spans.pane), stream.patience if stream.clock == "live" else None)
        self._tables = Tables()
        self.concept = Concept(configuration, name, self._plan, self._tables)

    def feed(self, offset: int, appended: int, record: Pane | Progress) -> Iterator[tuple[int, Performance | DriftEvent]]:
        """Take a pane of this join, or how far it is complete; returns what is known of the intervals of which that is news, and what
        changed; each with the end of the step.
        """
        for aligned in self.aligner.feed(offset, appended, record):
            yield from ((aligned.end, one) for one in self._evaluated(aligned))
            yield from ((aligned.end, one) for one in self.concept.evaluated(aligned))

    def _evaluated(self, aligned: Aligned[Pane]) -> Iterator[Performance]:
        touched: set[tuple[Whose, int]] = set()
        for pending in aligned.panes:
            pane = pending.pane
            if pane.of == REVISIONS and pane.reference is not None:
                whose = Whose(pane.model, pane.version, pane.reference, pane.since or 0)
                self._tables.setdefault(whose, Table(np.zeros(len(pane.counts), dtype=np.int64))).add(pane.about, pane.counts)
                touched.add((whose, pane.about))
        plans = {whose: self._plan(whose.model, whose.reference) for whose in self._tables}
        for whose in {whose for whose, _ in touched}:
            self._tables[whose].settle(plans[whose], drifting=self.concept.drifts(whose.model, whose.version))
        over = {
            (whose, about) for whose, table in self._tables.items() for about in table.intervals if self._spans.final(about) <= aligned.end
        }
        for whose, about in sorted(touched | over):
            final = (whose, about) in over
            yield self._told(whose, about, aligned.end, plans[whose], final=final)
            if final:
                self._tables[whose].close(about, plans[whose])
        self._tables.forget(aligned.end)

    def _plan(self, model: str, reference: str) -> Layout:
        return layout(self._basis_of(model, reference, self.name))

    def _told(self, whose: Whose, about: int, through: int, plan: Layout, *, final: bool) -> Performance:
        table = self._tables[whose]
        vector = table.intervals[about]
        found, within = realised(plan, vector), None
        if plan.basis.task != "number":
            within = accuracy_within(plan, vector, self.concept.dependence(whose.model, whose.version))
        beside: dict[str, Any] = {}  # fields of the record
        baseline = table.baseline(plan)
        if baseline is not None:
            estimate, known = Estimate(plan, baseline), realised(plan, baseline)
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
        return self._tables.plain()

    def restore(self, plain: list[Any]) -> None:
        """What `plain` wrote."""
        self._tables.update(Tables.restored(plain))


def _rounded(metrics: Mapping[str, float | None]) -> Metrics:
    return {name: None if value is None else float(f"{value:.{_DIGITS}g}") for name, value in metrics.items()}
