"""Whether predictions go wrong more often than they did, or otherwise: a lane of its own over what became known, each prediction once.

A version's first labelled predictions in production are its baseline (`driftbus.detectors.concept`); what comes behind is stepped as the
buckets of predictions are. The state belongs to the version: a new reference does not end it. Where so few labels do not tell how often
errors come, the baseline grows meanwhile, and takes its own place once it does and no episode is open.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...detectors.concept.arrivals import Arrivals
from ...detectors.concept.gathering import Gathering
from ...detectors.concept.settings import OutcomeSettings
from ...detectors.concept.suite import OutcomeSuite
from ...detectors.episodes.step import State, adapted, fits, start, step
from ...detectors.outcomes.layout import Layout
from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.pane import ARRIVALS, Pane
from ...schemas.stored.baseline import OutcomeBaseline
from ..streams.align import Aligned
from .placing import placed
from .settings import configuration_hash

#: How a pane's sums are laid out; None: nobody knows.
LayoutOf = Callable[[Pane], Layout]
Version = tuple[str, str]
#: Milliseconds behind the last label of a version in which its state ends: it would stay for ever.
FORGOTTEN_AFTER = 90 * 86_400_000


@dataclass
class _Watched:
    """One version: it gathers its baseline, or it is watched, or both."""

    reference: str
    latest: int
    gathering: Gathering | None
    suite: OutcomeSuite | None = None
    state: State | None = None
    changed: bool = False  #: the state was made by other settings
    former: OutcomeSuite | None = None  #: by these; None: they are not known


class Concept:
    """The versions of one join."""

    def __init__(self, configuration: Configuration, layout_of: LayoutOf) -> None:
        self._configuration, self._layout_of = configuration, layout_of
        self._versions: dict[Version, _Watched] = {}

    def evaluated(self, aligned: Aligned[Pane]) -> Iterator[DriftEvent]:
        """What follows from the arrivals of a step."""
        by_version: dict[Version, list[Pane]] = {}
        for pending in aligned.panes:
            if pending.pane.of == ARRIVALS and pending.pane.reference is not None:
                by_version.setdefault((pending.pane.model, pending.pane.version), []).append(pending.pane)
        for version, panes in sorted(by_version.items()):
            arrivals = self._summed(aligned, panes)
            if arrivals is not None:
                yield from self._step(version, panes[0], arrivals, aligned)
        gone = [version for version, watched in self._versions.items() if aligned.end > watched.latest + FORGOTTEN_AFTER]
        for version in gone:
            del self._versions[version]

    def open_now(self) -> int:
        """Episodes that are open."""
        return sum(len(watched.state.episodes) for watched in self._versions.values() if watched.state is not None)

    def _summed(self, aligned: Aligned[Pane], panes: list[Pane]) -> Arrivals | None:
        """Of all partitions; None of numbers, whose losses have no cells, and of panes that are counted in different cells."""
        plans = [self._layout_of(pane) for pane in panes]
        if plans[0].basis.task == "number" or len({plan.cells for plan in plans}) > 1:
            return None
        rows = sum(plan.take(pane.counts, "cell labelled") for plan, pane in zip(plans, panes, strict=True))
        if not np.any(rows):
            return None  # predictions whose maturity was over, all of them without an outcome
        right = sum(plan.take(pane.counts, "cell right") for plan, pane in zip(plans, panes, strict=True))
        return Arrivals(aligned.start, aligned.end, np.asarray(rows), np.asarray(rows) - np.asarray(right))

    def _step(self, version: Version, pane: Pane, arrivals: Arrivals, aligned: Aligned[Pane]) -> Iterator[DriftEvent]:
        watched, cells = self._versions.get(version), len(arrivals.rows)
        if watched is None or _cells(watched) != cells:
            watched = self._versions[version] = _Watched(pane.reference or "", aligned.end, Gathering(*version, cells))
        watched.latest = aligned.end
        if watched.gathering is not None and self._gathered(watched, watched.gathering, arrivals):
            return
        assert watched.suite is not None
        assert watched.state is not None
        bucket = arrivals.bucket(complete=aligned.complete, clock_decided=aligned.clock_decided)
        if watched.changed and watched.former is None:
            return  # what was published of these steps was decided by settings that are not known
        watched.state, events = step(watched.former or watched.suite, watched.state, bucket)
        pane_length = self._configuration.streams[self._configuration.stream_of(version[0])].pane
        yield from (placed(event, pane_length) for event in events)

    def _gathered(self, watched: _Watched, gathering: Gathering, arrivals: Arrivals) -> bool:
        """Whether the step is part of a baseline, before or behind which nothing is watched. What comes in an episode is part of none."""
        if watched.state is not None and watched.state.episodes:
            return False
        gathering.add(arrivals)
        if gathering.complete or (watched.state is None and gathering.enough):
            watched.suite = self._suite(gathering.baseline(), watched.reference)
            watched.state, watched.changed, watched.former = start(watched.suite, arrivals.end), False, None
            watched.gathering = None if gathering.complete else gathering
            return True
        return watched.state is None

    def _suite(self, baseline: OutcomeBaseline, reference: str) -> OutcomeSuite:
        model, allowed = self._configuration.model(baseline.model), self._configuration.model(baseline.model).false_alarms
        rate = baseline.rate or 1.0
        seconds = allowed.per / 1000 if allowed.of == "time" else allowed.per / rate
        settings = OutcomeSettings(
            budget_seconds=seconds,
            false_alarms=str(allowed),
            elsewhere=sum(len(feature.detectors) for feature in model.features.values()),
        )
        return OutcomeSuite(
            baseline,
            settings,
            application=self._configuration.application,
            stream=self._configuration.stream_of(baseline.model),
            configuration_hash=configuration_hash(self._configuration),
            reference_hash=reference,
        )

    def plain(self) -> list[Any]:  # plain data for a snapshot
        """All that is remembered."""
        return [
            [
                *version,
                watched.reference,
                watched.latest,
                None if watched.gathering is None else watched.gathering.encoded(),
                None if watched.suite is None else watched.suite.baseline.encoded(),
                None if watched.state is None else watched.state.encoded(),
            ]
            for version, watched in self._versions.items()
        ]

    def restore(self, plain: list[Any]) -> None:
        """What `plain` wrote. Where the settings are others, it is folded by those that it was made by, until `resumed`."""
        for model, version, reference, latest, gathering, baseline, state in plain:
            watched = _Watched(reference, latest, None if gathering is None else Gathering.decoded(gathering))
            if baseline is not None and state is not None:
                watched.suite, watched.state = self._suite(OutcomeBaseline.decoded(baseline), reference), State.decoded(state)
                if not fits(watched.suite, watched.state):
                    former = watched.suite.under(watched.state.settings)
                    watched.former = former if former is not None and fits(former, watched.state) else None
                    watched.changed = True
            self._versions[model, version] = watched

    @property
    def changed(self) -> bool:
        """What was restored was made by other settings."""
        return any(watched.changed for watched in self._versions.values())

    def resumed(self) -> Iterator[tuple[int, DriftEvent]]:
        """Go on by the settings that there are now; what that changes, each with the end of a step."""
        for version, watched in sorted(self._versions.items()):
            if not watched.changed:
                continue
            assert watched.suite is not None
            assert watched.state is not None
            if watched.state.windows.runs:
                watched.state, events = adapted(watched.suite, watched.state, watched.former)
                pane = self._configuration.streams[self._configuration.stream_of(version[0])].pane
                yield from ((watched.latest, placed(event, pane)) for event in events)
            else:
                watched.state = start(watched.suite, watched.latest)
            watched.former, watched.changed = None, False


def _cells(watched: _Watched) -> int:
    return watched.gathering.cells if watched.gathering is not None else len(watched.suite.baseline.rows) if watched.suite else 0
