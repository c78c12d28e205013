"""Whether predictions go wrong more often than they did, or otherwise: a lane of its own over what became known, each prediction once.

A version's first labelled predictions in production are its baseline (`driftbus.detectors.concept`); what comes behind is stepped as the
buckets of predictions are. The state belongs to the version: a new reference does not end it. Since so few labels may not tell how often
errors come, the baseline grows meanwhile, and takes its own place once it does and no episode is open.

Whether a change is over is judged by the table of intervals, which revisions add to; but it is looked at in steps with arrivals only, so
that no revision opens, updates or resolves by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...detectors.concept import Arrivals, Gathering
from ...detectors.concept.intervals import Interval, Ripeness, Seen, judged, newest, onset
from ...detectors.concept.telling import told
from ...detectors.episodes.step import step
from ...schemas.configuration import Configuration, Model
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.pane import ARRIVALS, Pane
from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.outcomes import OutcomeBasis
from ..streams.align import NEVER, Aligned
from ..streams.spans import Spans
from .cells import PlanOf, as_known, cells_of, counted_alike, held_since
from .placing import placed
from .tables import Tables
from .watched import FORGOTTEN_AFTER, Version, Watched, gathering_of, suite_of


@dataclass
class _Watched(Watched):
    """With what tells when predictions were made."""

    cells: str = ""  #: what its cells are
    held_since: int = -NEVER  #: from which bucket on the newest reference holds that was heard of
    ripeness: Ripeness = field(default_factory=lambda: Ripeness(0))
    seen: Seen | None = None  #: no part of what is remembered
    onsets: dict[str, int] = field(default_factory=dict)  #: by open episode: since when, by the time in which predictions were made


class Concept:
    """The versions of one join."""

    def __init__(self, configuration: Configuration, name: str, plan_of: PlanOf, tables: Tables) -> None:
        self._configuration, self._name, self._plan_of, self._tables = configuration, name, plan_of, tables
        self._spans, self._maturity = Spans.of(configuration, name), configuration.labels[name].maturity
        self._versions: dict[Version, _Watched] = {}

    def evaluated(self, aligned: Aligned[Pane]) -> Iterator[DriftEvent]:
        """What follows from the arrivals of a step."""
        yield from self._forgotten(aligned.end)
        by_version: dict[Version, list[Pane]] = {}
        for pending in aligned.panes:
            pane = pending.pane
            if pane.of == ARRIVALS and pane.reference is not None and self._is_of(pane.model):
                by_version.setdefault((pane.model, pane.version), []).append(pane)
        for version, panes in sorted(by_version.items()):
            before = self._versions.get(version)
            own = counted_alike(panes, self._plan_of, None if before is None else (before.held_since, before.cells))
            if not own:
                continue
            plan = self._plan_of(own[-1].model, own[-1].reference or "")
            vector = sum((pane.counts for pane in own[1:]), own[0].counts)  # of all segments, where there are any
            arrivals = Arrivals.of(plan, vector, aligned.start, aligned.end)
            if arrivals.rows.any():  # else predictions whose maturity was over, all of them without an outcome
                yield from self._step(version, own[-1], plan.basis, arrivals, as_known(aligned, own))

    def _forgotten(self, now: int) -> Iterator[DriftEvent]:
        """End the states of versions of which no label came for long, at the time when that is so: how often progress is said, and whether
        it is said before labels come again, must not show.
        """
        for version, end in [(version, one.latest + FORGOTTEN_AFTER) for version, one in self._versions.items()]:
            if now > end:
                yield from self._closed(version, self._versions.pop(version), (end, end), "retired")

    def _is_of(self, model: str) -> bool:
        return labelled(self._configuration, self._name, model)

    def open_now(self) -> int:
        """Episodes that are open."""
        return sum(len(watched.state.episodes) for watched in self._versions.values() if watched.state is not None)

    def drifts(self, model: str, version: str) -> bool:
        """Whether an episode of a version is open."""
        watched = self._versions.get((model, version))
        return watched is not None and watched.drifts

    def dependence(self, model: str, version: str) -> float:
        """How many labels of a version count as one independent label, as far as it is known."""
        watched = self._versions.get((model, version))
        return 1.0 if watched is None or watched.suite is None else watched.suite.baseline.dependence

    def _step(self, version: Version, last: Pane, basis: OutcomeBasis, arrivals: Arrivals, aligned: Aligned[Pane]) -> Iterator[DriftEvent]:
        watched, cells, (holds, reference) = self._versions.get(version), cells_of(basis), held_since(last)
        if watched is None or watched.cells != cells:
            if watched is not None:
                yield from self._closed(version, watched, (aligned.start, aligned.end), "replaced")
            # Where each is told when its maturity is over, the first that are told are as any others.
            begin = None if self._spans.maturity is None else -NEVER
            gathering = gathering_of(version, basis, len(arrivals.rows), begin=begin)
            watched = self._versions[version] = _Watched(reference, aligned.end, gathering, cells=cells, held_since=holds)
        watched.held_since, watched.latest = max(watched.held_since, holds), aligned.end
        if self._gathers(watched, arrivals):
            return
        assert watched.state is not None
        tests = watched.tests
        if tests is None:
            return
        if watched.seen is None or watched.seen.tests is not tests:
            watched.seen = Seen(tests)
        drifts_since = min((one.since for episode in watched.state.episodes for one in episode.open), default=None)
        intervals = [] if drifts_since is None and watched.ripeness.predicted else self._intervals(version, cells)
        if not watched.ripeness.predicted:
            watched.ripeness = watched.ripeness.measured(intervals, aligned.end)
        matured = [] if drifts_since is None else self._matured(watched, intervals, aligned.end)
        bucket = arrivals.bucket(tests.baseline.large, complete=aligned.complete, clock_decided=aligned.clock_decided)
        watched.state, events = step(tests, watched.state, bucket, judged(watched.seen, matured, drifts_since or 0))
        watched.seen.keep(matured)
        if not events:
            return
        intervals = intervals or self._intervals(version, cells)
        self._date(watched, watched.seen, events, intervals, aligned.end)
        for event in events:
            behind: Sequence[Interval] = [one for one in intervals if one.known.start >= watched.onsets[event.episode]]
            if event.status == "resolved":
                behind = newest(self._matured(watched, behind, aligned.end), max(one.rows for one in event.signals))
            while behind and not behind[-1].labelled:
                behind = behind[:-1]
            yield self._told(version, watched, tests.baseline, event, behind)
        watched.onsets = {episode.id: watched.onsets[episode.id] for episode in watched.state.episodes}

    def _gathers(self, watched: _Watched, arrivals: Arrivals) -> bool:
        """Whether the step is part of a baseline alone; a new one says when intervals are matured."""
        before = watched.suite
        alone = watched.gathers(arrivals, partial(suite_of, self._configuration, reference=watched.reference))
        if watched.suite is not None and watched.suite is not before:
            watched.ripeness = Ripeness(self._age(watched.suite.baseline))
        return alone

    def _age(self, baseline: OutcomeBaseline) -> int:
        """How old an interval must be for nearly all its labels to have come."""
        return (baseline.delay or 0) if self._maturity is None else self._maturity

    def _date(self, watched: _Watched, seen: Seen, events: Sequence[DriftEvent], intervals: Sequence[Interval], end: int) -> None:
        """Find since when predictions turn out otherwise, in the episodes that are told. From the interval behind that one on they tell
        whether it is over: in that one itself some were made before.
        """
        assert watched.state is not None
        changed = {event.episode for event in events}
        for episode in watched.state.episodes:
            if episode.id in changed:
                watched.onsets[episode.id] = onset(seen, episode, intervals, watched.ripeness.age, self._spans.about)
            for followed in episode.open:
                if followed.since == end:
                    followed.since = watched.onsets[episode.id] + self._spans.about

    def _matured(self, watched: _Watched, intervals: Sequence[Interval], now: int) -> list[Interval]:
        return [one for one in intervals if self._spans.final(one.known.end) <= now or watched.ripeness.matured(one, now)]

    def _intervals(self, version: Version, cells: str) -> list[Interval]:
        """What is known of the version's predictions, of all references by which they are counted in these cells."""
        found: dict[int, Interval] = {}
        for whose, table in self._tables.of(*version).items():
            plan = self._plan_of(whose.model, whose.reference)
            if cells_of(plan.basis) == cells:
                for about, one in table.all(plan, self._spans.about).items():
                    before = found.get(about)
                    found[about] = one if before is None else Interval.of(plan, before.vector + one.vector, one.known.start, about)
        return [found[about] for about in sorted(found) if found[about].whole]

    def _told(self, version: Version, of: _Watched, baseline: OutcomeBaseline, event: DriftEvent, spans: Sequence[Interval]) -> DriftEvent:
        """With what the newest table says that counts in these cells, as the intervals do."""
        for whose, table in reversed(self._tables.of(*version).items()):
            plan = self._plan_of(whose.model, whose.reference)
            if cells_of(plan.basis) == of.cells:
                performance = told(plan, spans, table.baseline(plan), baseline, of.onsets[event.episode], event.signals)
                return self._placed(version, event.model_copy(update={"performance": performance}))
        return self._placed(version, event)

    def _placed(self, version: Version, event: DriftEvent) -> DriftEvent:
        return placed(event, self._configuration.streams[self._configuration.stream_of(version[0])].pane)

    def _closed(self, version: Version, watched: _Watched, bucket: tuple[int, int], reason: str) -> Iterator[DriftEvent]:
        yield from (self._placed(version, event) for event in watched.closed(bucket, reason))

    def plain(self) -> list[Any]:  # plain data for a snapshot
        """All that is remembered."""
        return [
            [
                *version,
                watched.reference,
                watched.cells,
                watched.latest,
                *watched.encoded(),
                watched.ripeness.plain(),
                watched.onsets,
                watched.held_since,
            ]
            for version, watched in self._versions.items()
        ]

    def restore(self, plain: list[Any]) -> None:
        """What `plain` wrote, of models that still have these labels. Where the settings are others, it is folded by those that it was made
        by, until `resumed`.
        """
        for model, version, reference, cells, latest, gathering, baseline, state, ripeness, onsets, *beside in plain:
            if not self._is_of(model):
                continue
            holds = beside[0] if beside else -NEVER  # unknown to former releases
            watched = _Watched(
                reference, latest, None if gathering is None else Gathering.decoded(gathering), cells=cells, held_since=holds
            )
            watched.ripeness, watched.onsets = Ripeness(*ripeness), onsets
            watched.restore(baseline, state, partial(suite_of, self._configuration, reference=reference))
            self._versions[model, version] = watched

    @property
    def changed(self) -> bool:
        """What was restored was made by other settings."""
        return any(watched.changed for watched in self._versions.values())

    def resumed(self) -> Iterator[tuple[int, DriftEvent]]:
        """Go on by the settings that there are now; what that changes, each with the end of a step."""
        for version, watched in sorted(self._versions.items()):
            yield from ((watched.latest, self._placed(version, event)) for event in watched.adapted())


def labelled(configuration: Configuration, labels: str, model: str) -> bool:
    """Whether these are the labels of a model."""
    return labels in configuration.labels and configuration.models.get(model, Model()).labels == labels
