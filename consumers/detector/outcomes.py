"""What becomes of the predictions of each interval, as its revisions say: one join in one summaries partition.

The table holds the intervals of which something may still become known. A revision adds to it, and what it then says is told.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from ...detectors.outcomes.delays import quantile
from ...detectors.outcomes.layout import Layout, layout, without_features
from ...detectors.outcomes.metrics import accuracy_within, realised
from ...detectors.outcomes.own import OwnMetric
from ...schemas.configuration import Configuration
from ...schemas.identity import derived_id
from ...schemas.integers import packed, unpacked
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.notice import Notice
from ...schemas.messages.pane import REVISIONS, Pane
from ...schemas.messages.performance import Metrics, Performance
from ...schemas.messages.progress import Progress
from ...schemas.stored.outcomes import OutcomeBasis
from ..streams.align import Aligned, Aligner
from ..streams.buckets import Every
from ..streams.spans import Spans
from .asking import Asking, tested
from .concept import Concept
from .online import Online, Sums, Whose
from .summed import Summed, beginning, owning
from .tables import Table, Tables


class CountedBy(Protocol):
    """How the outcomes of a version are counted."""

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        """By model, reference (content hash) and labels."""
        ...

    def metrics(self, model: str) -> Sequence[OwnMetric]:
        """A user's own."""
        ...


class _NoLabels:
    """Of a configuration without labels."""

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        """There is none."""
        msg = f"{model}: there are no labels {labels}"
        raise LookupError(msg)

    def metrics(self, model: str) -> Sequence[OwnMetric]:
        """There are none."""
        return ()


NO_LABELS: CountedBy = _NoLabels()
#: References whose layouts are remembered.
_MOST_KNOWN = 256
#: Digits of what is told: linear algebra differs between machines in the last ones.
_DIGITS = 6


class Outcomes:
    """The intervals of one join."""

    def __init__(self, configuration: Configuration, name: str, basis_of: CountedBy) -> None:
        self._configuration, self.name, self._basis_of = configuration, name, basis_of
        self._plan_of = lru_cache(maxsize=_MOST_KNOWN)(self._laid_out)
        self._spans = Spans.of(configuration, name)
        stream = configuration.read_as(name)
        self.aligner = Aligner[Pane](Every(self._spans.pane), stream.patience if stream.clock == "live" else None)
        self._tables = Tables()
        self.concept = Concept(configuration, name, self._plan_of, self._tables)
        self.asking, self.online = Asking(configuration, tested(configuration, labelled=True, of=name)), Online(configuration, name)

    def feed(
        self, offset: int, appended: int, record: Pane | Progress
    ) -> Iterator[tuple[int, Performance | DriftEvent | Notice | GoldenRequest]]:
        """Take a pane of this join, or how far it is complete; returns what is known of the intervals of which that is news, what changed,
        and what that asks for; each with the end of the step.
        """
        for aligned in self.aligner.feed(offset, appended, record):
            told: list[Performance | DriftEvent | Notice] = [*self._evaluated(aligned), *self.concept.evaluated(aligned)]
            for one in (*told, *self._asked(aligned, told)):
                yield (one.through if isinstance(one, Performance) else aligned.end), one

    def _asked(self, aligned: Aligned[Pane], told: Iterable[object]) -> list[GoldenRequest]:
        """The golden evaluations that are due, each with what is known of the same time."""
        for pane in (pending.pane for pending in aligned.panes):
            if pane.of == REVISIONS and pane.reference is not None:
                whole, about = _whole(pane), self._interval(pane)
                self.asking.hear(pane.model, pane.version, about)
                self.online.add(whole, about, self._counts(whole, pane))
        found = [self.online.beside(one, self._metrics) for one in self.asking.asked(aligned.end, told)]
        self.online.passed(aligned.end)
        return found

    def resumed(self) -> Iterator[tuple[int, DriftEvent | GoldenRequest]]:
        """Go on by the settings that there are now; what that changes, and what that asks for."""
        for end, event in self.concept.resumed():
            yield end, event
            yield from ((end, self.online.beside(one, self._metrics)) for one in self.asking.told(event))

    def _metrics(self, whose: Whose, vector: Sums) -> tuple[Metrics, Metrics]:
        """What was realised of the predictions of a slot, and what is estimated."""
        plan, table = self._plan(whose), self._tables.get(whose)
        found, expected = realised(plan, vector), None if table is None else table.expects(plan)
        of_all = None if expected is None else expected.estimate.of(vector)
        return _rounded(found.metrics if found else {}), _rounded(of_all.estimated if of_all else {})

    def _evaluated(self, aligned: Aligned[Pane]) -> Iterator[Performance | Notice]:
        # Those that were final before this step are told by when they were, in that order: how soon completeness told so does not show.
        for whose, about in sorted(self._over(aligned.end - 1), key=lambda one: (self._spans.final(one[1]), *_order(one))):
            yield from self._closed(whose, about, self._spans.final(about))
        self._tables.forget(aligned.end)
        touched, forgotten = set[tuple[Whose, int]](), set[tuple[Whose, int]]()
        for pending in aligned.panes:
            pane = pending.pane
            if pane.of == REVISIONS and pane.reference is not None:
                whole, about = _whole(pane), self._interval(pane)
                # Panes are of segments where there are any: all of them together are the whole.
                for whose in (whole,) if pane.segment is None else (whole, whole._replace(segment=pane.segment)):
                    if whose in self._tables and self._tables[whose].is_forgotten(about, self._plan(whose).size):
                        forgotten.add((whose, about))
                    self._add(whose, pane)
                    touched.add((whose, about))
        plans = {whose: self._plan(whose) for whose in self._tables}
        for whose in {whose for whose, _ in touched}:
            self._tables[whose].settle(plans[whose], drifting=self.concept.drifts(whose.model, whose.version))
        over = self._over(aligned.end)
        for whose, about in sorted(touched | over, key=_order):
            if (whose, about) in forgotten:
                self._tables[whose].close(about, plans[whose])
            elif (whose, about) in over:
                yield from self._closed(whose, about, aligned.end)
            else:
                yield self._told(whose, about, aligned.end, plans[whose], final=False)
                yield from self._failing(whose, about, aligned.end, plans[whose])

    def _over(self, through: int) -> set[tuple[Whose, int]]:
        """Intervals of which nothing more is to become known."""
        return {(whose, about) for whose, table in self._tables.items() for about in table.intervals if self._spans.final(about) <= through}

    def _closed(self, whose: Whose, about: int, through: int) -> Iterator[Performance | Notice]:
        plan = self._plan(whose)
        yield self._told(whose, about, through, plan, final=True)
        yield from self._failing(whose, about, through, plan)
        self._tables[whose].close(about, plan)

    def _add(self, whose: Whose, pane: Pane) -> None:
        """A revision."""
        plan, counts = self._plan(whose), self._counts(whose, pane)
        self._tables.setdefault(whose, Table(np.zeros(plan.size, dtype=np.int64), own=plan.basis.own)).add(self._interval(pane), counts)

    def _interval(self, pane: Pane) -> int:
        """The interval of performance that a revision is about, or a part of which."""
        return Every(self._spans.about).end(pane.about - 1)

    def _counts(self, whose: Whose, pane: Pane) -> Sums:
        """Of a revision, without what groups of features come to."""
        plan = self._plan(whose)
        theirs = plan if pane.own == plan.basis.own else layout(plan.basis.model_copy(update={"own": pane.own}))
        return owning(beginning(pane, theirs), plan.basis.own)

    def _plan(self, whose: Whose) -> Layout:
        return self._plan_of(whose.model, whose.reference)

    def own(self, whose: Whose) -> tuple[str, ...]:
        """The columns of a user's metrics that there are now."""
        return self._plan(whose).basis.own

    def as_now(self, whose: Whose, sums: Sums, own: tuple[str, ...]) -> Sums | None:
        """Sums with these columns of a user's metrics, with those that there are now; None: they are of what labels are no longer."""
        plan = self._plan(whose)
        before = layout(plan.basis.model_copy(update={"own": own}))
        return owning(Summed(before, sums), plan.basis.own) if len(sums) == before.size else None

    def _laid_out(self, model: str, reference: str) -> Layout:
        return layout(without_features(self._basis_of(model, reference, self.name)))

    def _failing(self, whose: Whose, about: int, through: int, plan: Layout) -> Iterator[Notice]:
        """Say once of a version that a user's metric fails on rows of it."""
        table = self._tables[whose]
        for metric in self._basis_of.metrics(whose.model) if whose.segment is None else ():
            failed = metric.failed(plan, table.intervals[about])
            if failed <= 0 or metric.name in table.failing:
                continue
            table.failing.add(metric.name)
            yield Notice(
                about="metric",
                model=whose.model,
                version=whose.version,
                stream=self._configuration.stream_of(whose.model),
                bucket=through,
                text=f"metric {metric.name} of {whose.model}/{whose.version} fails on {failed:,} labelled predictions: in it they count "
                "nothing; mend its function, and give it another name",
                facts={"metric": metric.name, "labels": self.name, "rows": failed, "about": about},
                identity=derived_id("metric", self._configuration.application, self.name, *whose[:4], metric.name),
            )

    def _told(self, whose: Whose, about: int, through: int, plan: Layout, *, final: bool) -> Performance:
        table = self._tables[whose]
        vector = table.intervals[about]
        found, within = realised(plan, vector), None
        own = {metric.name: metric.told(plan, vector) for metric in self._basis_of.metrics(whose.model)} if found else {}
        if plan.basis.task != "number":
            within = accuracy_within(plan, vector, self.concept.dependence(whose.model, whose.version))
        delays = plan.take(vector, "delays")
        beside: dict[str, Any] = {}  # fields of the record
        expected = table.expects(plan)
        if expected is not None:
            _, estimate, known = expected
            of_all, completed, expired = estimate.of(vector), estimate.completed(vector), estimate.of(vector, "expired")
            beside = {
                "estimated": _rounded(of_all.estimated if of_all else {}),
                "completed": _rounded(completed.completed if completed else {}),
                "estimated_expired": _rounded(expired.estimated if expired else {}),
                "assumes": of_all.assumes if of_all else None,
                "baseline": _rounded(known.metrics if known else {}),
                "baseline_rows": known.labelled if known else 0,
            }
        return Performance(
            application=self._configuration.application,
            labels=self.name,
            model=whose.model,
            version=whose.version,
            segment=whose.segment,
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
            clipped=found.clipped if found else 0,
            due=max(plan.number(vector, "due"), 0),
            labelled_when_due=max(int(delays.sum()), 0) if self._spans.maturity is not None else 0,
            median_delay=quantile(delays.sum(axis=0), 0.5),
            realised=_rounded({**found.metrics, **own} if found else {}),
            low=None if within is None else round(within.low, _DIGITS),
            high=None if within is None else round(within.high, _DIGITS),
            **beside,
        )

    def plain(self) -> list[Any]:  # plain data for a snapshot
        """All that is remembered but the aligner."""
        return self._tables.plain()

    def restore(self, plain: list[Any]) -> None:
        """What `plain` wrote, with the columns that there are now of a user's metrics; but for sums of what labels are no longer."""
        for whose, table in Tables.restored(plain).items():
            own, table.own = table.own, self.own(whose)
            known = self.as_now(whose, table.known, own)
            if known is None:
                continue
            table.known, self._tables[whose] = known, table
            for about, vector in [*table.intervals.items()]:
                table.intervals[about] = self._now(whose, vector, own)
            for about, vector in [*table.over.items()] if own != table.own else ():
                table.over[about] = packed(self._now(whose, unpacked(vector), own))

    def _now(self, whose: Whose, sums: Sums, own: tuple[str, ...]) -> Sums:
        """`as_now` of sums of these labels; those in short have no columns of a user's."""
        found = self.as_now(whose, sums, own)
        return sums if found is None else found


def _order(one: tuple[Whose, int]) -> tuple[str | int, ...]:
    """The whole before its segments."""
    whose, about = one
    return *whose[:4], whose.segment is not None, whose.segment or "", about


def _whole(pane: Pane) -> Whose:
    return Whose(pane.model, pane.version, pane.reference or "", pane.since or 0)


def _rounded(metrics: Mapping[str, float | None]) -> Metrics:
    return {name: None if value is None else float(f"{value:.{_DIGITS}g}") for name, value in metrics.items()}
