"""Whether people find more errors than they did: a lane of its own for each model that they are asked about, over kind `reviewed`.

Each answered case of the uniform draws counts once, in the slot that was the newest when it was answered; d is the slot. So a model without
labels has concept drift, too. A version's first answers in production are its baseline (`driftbus.detectors.concept`), which the state
belongs to: against which reference a row was counted says nothing of who was right.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detectors.concept import Arrivals, Gathering, OutcomeSuite
from ...detectors.concept.telling import told_by_people
from ...detectors.episodes.state import State
from ...detectors.episodes.step import step
from ...detectors.outcomes.layout import LARGEST
from ...detectors.outcomes.values import UNIT
from ...schemas.configuration import Configuration
from ...schemas.messages.answered import AnsweredCase
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import REVIEWED
from ...schemas.messages.progress import Progress
from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.outcomes import OutcomeBasis
from ..streams.align import Aligned, Aligner
from ..streams.buckets import Every
from ..streams.lanes import Lane
from ..streams.slots import Slots
from .gone import Gone
from .keys import Published
from .outcomes import CountedBy
from .placing import placed
from .watched import FORGOTTEN_AFTER, Version, Watched, gathering_of, suite_of

#: Answers that a baseline is made of, at least: people give so many in days, not in hours.
BASELINE = 1_000


class Answers:
    """The models of one summaries partition that people are asked about."""

    def __init__(self, configuration: Configuration, basis_of: CountedBy) -> None:
        self._configuration, self._basis_of = configuration, basis_of
        self._slots = {
            name: slots
            for name, model in configuration.models.items()
            if (slots := Slots.of(model, configuration.streams[configuration.stream_of(name)].pane)) is not None
        }
        self.aligners = {name: Aligner[Evidence](slots.tiling, None) for name, slots in self._slots.items()}
        self._versions: dict[Version, Watched] = {}
        self._gone = Gone[Version]()
        self._baselines: dict[Version, tuple[OutcomeBaseline, str]] = {}

    def feed(self, offset: int, appended: int, record: Evidence | Progress) -> list[Published]:
        """Take an answer, or how far these are complete; returns the events of the slots that are."""
        model = record.model if isinstance(record, Evidence) else record.stream
        self._gone.forget(model)
        if model not in self.aligners:
            return []
        ready = self.aligners[model].feed(offset, appended, record)
        return [Published(aligned.end, event) for aligned in ready for event in self._evaluated(model, aligned)]

    def open_now(self) -> int:
        """Episodes that are open."""
        return sum(len(one.state.episodes) for one in self._versions.values() if one.state is not None)

    def lanes(self) -> dict[Lane, Aligner[Evidence]]:
        """All that are aligned."""
        return {Lane(model, REVIEWED): aligner for model, aligner in self.aligners.items()}

    def _evaluated(self, model: str, aligned: Aligned[Evidence]) -> Iterator[DriftEvent]:
        """The answers of a slot, version by version."""
        for version in [key for key, one in self._versions.items() if key[0] == model and aligned.end > one.latest + FORGOTTEN_AFTER]:
            watched = self._versions.pop(version)
            end = watched.latest + FORGOTTEN_AFTER
            yield from (self._placed(event) for event in watched.closed((end, end), "retired"))
        by_version: dict[Version, list[AnsweredCase]] = {}
        for pending in aligned.panes:
            evidence = pending.pane
            by_version.setdefault((evidence.model, evidence.version), []).append(AnsweredCase.model_validate(evidence.fact))
        for version, found in sorted(by_version.items()):
            yield from self._step(version, found, aligned)

    def _step(self, version: Version, found: Sequence[AnsweredCase], aligned: Aligned[Evidence]) -> Iterator[DriftEvent]:
        numeric = found[-1].numeric
        found = [one for one in found if one.numeric == numeric]
        watched = self._versions.get(version)
        if watched is None or _losses(watched).numeric != numeric:  # answers of another outcome are other answers
            reference = found[-1].reference or ""
            gathering = self._gathering(version, reference, numeric=numeric)
            if gathering is None:
                return
            if watched is not None:
                yield from (self._placed(event) for event in watched.closed((aligned.start, aligned.end), "replaced"))
            watched = self._versions[version] = Watched(reference, aligned.end, gathering)
        watched.latest = aligned.end
        arrivals = _arrivals(watched, np.array([one.loss for one in found]), aligned)
        if watched.gathers(arrivals, partial(suite_of, self._configuration, reference=watched.reference, reviewed=True)):
            return
        assert watched.state is not None
        tests = watched.tests
        if tests is None:
            return
        complete = aligned.complete and all(one.complete for one in found)
        by_clock = aligned.clock_decided or any(one.clock_decided for one in found)
        bucket = arrivals.bucket(tests.baseline.large, complete=complete, clock_decided=by_clock)
        watched.state, events = step(tests, watched.state, bucket)
        for event in events:
            yield self._placed(event.model_copy(update={"performance": told_by_people(tests.baseline, event.signals)}))

    def _gathering(self, version: Version, reference: str, *, numeric: bool) -> Gathering | None:
        """A baseline that begins; None: the model's labels are numbers no longer."""
        labels, basis = self._configuration.model(version[0]).labels, OutcomeBasis(task="binary")
        if numeric and labels is not None:
            basis = self._basis_of(version[0], reference, labels)
        return gathering_of(version, basis, 1, wanted=BASELINE) if numeric == (basis.task == "number") else None

    def _placed(self, event: DriftEvent) -> DriftEvent:
        return placed(event, self._configuration.streams[event.stream].pane)

    @property
    def changed(self) -> bool:
        """What was restored was made by other settings."""
        return bool(self._gone.left) or any(watched.changed for watched in self._versions.values())

    def resumed(self) -> Iterator[Published]:
        """Go on by the settings that there are now; what is open of models that nobody is asked about any more ends."""
        for model, slots in self._slots.items():
            if self.aligners[model].buckets != slots.tiling:
                self.aligners[model].retiled(slots.tiling)
        for _, watched in sorted(self._versions.items()):
            yield from (Published(watched.latest, self._placed(event)) for event in watched.adapted())
        for end, event in self._gone.resolved(self._suite):
            yield Published(end, event)

    def _suite(self, version: Version) -> OutcomeSuite:
        baseline, reference = self._baselines[version]
        return suite_of(self._configuration, baseline, reference, reviewed=True)

    def plain(self) -> dict[str, Any]:  # plain data for a snapshot
        """All that is remembered but the aligners."""
        lengths = {model: one.buckets.length for model, one in self.aligners.items() if isinstance(one.buckets, Every)}
        versions = [[*version, one.reference, one.latest, *one.encoded()] for version, one in self._versions.items()]
        return {"slots": lengths, "versions": versions}

    def restore(self, plain: Mapping[str, Any], numbers: Mapping[str, Any], found: Mapping[int, Evidence]) -> None:
        """What `plain` wrote, with what `Aligner.numbers` did by lane; ``found``: the evidence that waits. Slots of another length than
        there are now are gone on with until `resumed`.
        """
        for lane, aligner in self.lanes().items():
            if str(lane) in numbers:
                length = plain.get("slots", {}).get(lane.stream)
                tiling = aligner.buckets if length is None else Every(length)
                self.aligners[lane.stream] = Aligner.restored(tiling, None, numbers[str(lane)], found)
        for model, version, reference, latest, gathering, baseline, state in plain.get("versions", ()):
            if model not in self.aligners:
                self._keep((model, version), reference, baseline, state)
                continue
            watched = Watched(reference, latest, None if gathering is None else Gathering.decoded(gathering))
            watched.restore(baseline, state, partial(suite_of, self._configuration, reference=reference, reviewed=True))
            self._versions[model, version] = watched

    def _keep(self, version: Version, reference: str, baseline: bytes | None, state: bytes | None) -> None:
        """Of a model that nobody is asked about any more: what is open."""
        if baseline is not None and state is not None:
            self._baselines[version] = OutcomeBaseline.decoded(baseline), reference
            pane = self._configuration.streams[self._configuration.stream_of(version[0])].pane
            self._gone.keep(version, State.decoded(state), str(pane))


class _Losses(NamedTuple):
    """How a version's losses are counted."""

    edges: tuple[int, ...]  #: between bins, in fixed point; of errors there are none
    unit: float  #: of fixed point

    @property
    def numeric(self) -> bool:
        """Whether its outcome is a number."""
        return bool(self.edges)


def _losses(watched: Watched) -> _Losses:
    if watched.gathering is not None:
        return _Losses(watched.gathering.edges or (), watched.gathering.unit)
    assert watched.suite is not None
    return _Losses(watched.suite.baseline.edges, watched.suite.baseline.unit)


def _arrivals(watched: Watched, losses: NDArray[np.float64], aligned: Aligned[Evidence]) -> Arrivals:
    """What the answers of a slot come to: one cell, for nobody knows enough of several."""
    counted, rows = _losses(watched), np.array([len(losses)], dtype=np.int64)
    if not counted.numeric:
        return Arrivals(aligned.start, aligned.end, rows, np.array([int(losses.sum())], dtype=np.int64))
    fixed = np.rint(np.minimum(losses, LARGEST * UNIT * counted.unit) / counted.unit).astype(np.int64)
    counts = np.bincount(np.searchsorted(counted.edges, fixed, side="right"), minlength=len(counted.edges) + 1)
    return Arrivals(aligned.start, aligned.end, rows, np.zeros_like(rows), counts[None], int(fixed.sum()))
