"""One summaries partition as a pure fold: records in order, events out. Re-folding the published summaries gives the published events.

The aligner says when a bucket is ready; its panes are summed per model version and stepped. What is remembered is plain data
(`Fold.snapshot`), and a restored fold continues exactly.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import starmap
from types import MappingProxyType
from typing import Any

from ...detectors.counting.layout import Layout
from ...detectors.episodes.step import Bucket, State, Suite, adapted, close, start, step
from ...schemas.configuration import Configuration, PaneLength
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.golden import GoldenRequest
from ...schemas.messages.pane import ARRIVALS, OOD, PREDICTIONS, REVIEWED, REVISIONS, Pane
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.stored.snapshot import PartitionState
from ..streams.align import Aligned, Aligner, Pending
from ..streams.buckets import buckets
from ..streams.lanes import Lane
from . import remembered
from .answers import Answers
from .asking import Asking, tested
from .familiarity import Familiarity, FamiliarityOf, not_asked
from .gone import Gone
from .keys import Published, StateKey, SuiteOf
from .lengths import PaneLengths
from .merging import merged
from .notes import Notes
from .outcomes import NO_LABELS, CountedBy, Outcomes
from .placing import placed
from .recorded import Recorded
from .silence import NEVER_ANNOUNCED, Completeness, Silences
from .sizes import Sizes
from .unexpected import UnexpectedFields
from .unlabelled import Unlabelled
from .unmonitored import unmonitored
from .unreadable import Unreadable

#: Milliseconds of record time without a row behind which a version's state ends, though nobody has retired it: it would stay for ever.
FORGOTTEN_AFTER = 90 * 86_400_000
#: The kinds of panes that are tested (`Pane.of`); each is aligned by itself, and others are none of the detector's business.
KINDS = (PREDICTIONS,)
#: What is folded: evidence is of people's answers.
Told = Pane | Evidence | Progress


@dataclass
class Fold:
    """The detector's state for one summaries partition."""

    configuration: Configuration
    suite_of: SuiteOf
    basis_of: CountedBy = NO_LABELS
    familiarity_of: FamiliarityOf = not_asked
    aligners: dict[Lane, Aligner] = field(default_factory=dict)
    states: dict[StateKey, State] = field(default_factory=dict)
    since: dict[StateKey, int] = field(default_factory=dict)  #: the bucket from which each state's reference holds
    current: dict[tuple[str, ...], StateKey] = field(default_factory=dict)  #: the one state of each model version
    silences: Silences = field(init=False)
    unexpected: UnexpectedFields = field(init=False)
    lengths: PaneLengths = field(init=False)
    unreadable: Unreadable = field(init=False)
    unlabelled: Unlabelled = field(init=False)
    answers: Answers = field(init=False)
    familiarity: Familiarity = field(init=False)
    unmonitored: set[tuple[str, ...]] = field(default_factory=set)  #: model and version; of the pooled others `(others)`
    #: Of restored states that the configuration no longer fits, the suites that made them, as far as they are known.
    former: dict[StateKey, Suite | None] = field(default_factory=dict)
    panes: dict[str, PaneLength] = field(default_factory=dict)  #: of streams, restored, where the configuration has another length
    gone: Gone[StateKey] = field(default_factory=Gone)
    sizes: Sizes = field(default_factory=Sizes)
    suites: dict[StateKey, Suite] = field(default_factory=dict)  #: compiled, of the states that there are
    #: Since it was made; ``would_have_asked``: golden evaluations that the recording does not hold.
    counted: dict[str, int] = field(default_factory=lambda: {"buckets": 0, "events": 0, "asked": 0, "would_have_asked": 0})
    outcomes: dict[str, Outcomes] = field(default_factory=dict)  #: by the name of their labels
    asking: dict[str, Asking] = field(default_factory=dict)  #: by stream
    notes: Notes = field(default_factory=Notes)
    recorded: Recorded | None = None  #: what was asked for by record time; None: nothing

    def __post_init__(self) -> None:
        for name, stream in self.configuration.streams.items():
            patience = stream.patience if stream.clock == "live" else None
            for kind in KINDS:
                self.aligners.setdefault(Lane(name, kind), Aligner(buckets(stream.pane), patience))
            self.asking[name] = Asking(self.configuration, tested(self.configuration, labelled=False, of=name))
        self.silences, self.unexpected = Silences(self.configuration), UnexpectedFields(self.configuration)
        self.lengths = PaneLengths(self.configuration)
        self.unreadable, self.unlabelled = Unreadable(self.configuration), Unlabelled(self.configuration)
        self.familiarity = Familiarity(self.configuration, self.familiarity_of)
        self.answers = Answers(self.configuration, self.basis_of)
        for name in self.configuration.labels:
            self.outcomes.setdefault(name, Outcomes(self.configuration, name, self.basis_of))

    def suite(self, key: StateKey) -> Suite:
        """The tests of a model version, compiled once, and kept as long as its state."""
        if key not in self.suites:
            self.suites[key] = self.suite_of(key)
        return self.former.get(key) or self.suites[key]

    def due(self, now: int) -> list[Published]:
        """Nothing: what is silent is told by completeness."""
        return []

    def open_now(self) -> int:
        """Episodes that are open, silences among them."""
        others = self.silences.open_now() + self.unreadable.open_now() + self.answers.open_now()
        others += sum(one.concept.open_now() for one in self.outcomes.values())
        return sum(len(state.episodes) for state in self.states.values()) + self.familiarity.open_now() + others

    def totals(self) -> Mapping[str, int]:
        """Buckets evaluated, and events and notices."""
        return self.counted

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Where the next records stand."""
        if self.recorded is not None:
            self.recorded.situated(place.partition)

    def feed(self, offset: int, appended: int, record: Told) -> list[Published]:
        """Take one record; returns the events of the buckets that it makes ready. Raises `Unreadable` for a pane that fits no reference."""
        return self._written(self._fed(offset, appended, record))

    def _written(self, published: Iterable[Published]) -> list[Published]:
        """Without the golden evaluations that are only compared."""
        return [one for one in published if not isinstance(one.event, GoldenRequest) or self._writes(one.event)]

    def _writes(self, request: GoldenRequest) -> bool:
        """Whether a golden evaluation is asked for; where a recording says what was, it is only compared."""
        writes = self.recorded is None or self.recorded.writes(request)
        self.counted["asked"] += writes
        self.counted["would_have_asked"] += self.recorded is not None and not writes and self.recorded.differs(request)
        return writes

    def _fed(self, offset: int, appended: int, record: Told) -> list[Published]:
        if isinstance(record, Evidence) or record.of == REVIEWED:
            return self._answered(offset, appended, record)
        if isinstance(record, Pane) and record.of == ARRIVALS:
            self.unlabelled.forget(record.stream, record.model)
        if record.stream in self.outcomes and record.of in (ARRIVALS, REVISIONS):
            told = list(starmap(Published, self.outcomes[record.stream].feed(offset, appended, record)))
            self.counted["events"] += sum(isinstance(one.event, DriftEvent) for one in told)
            lane, behind = Lane(record.stream, ARRIVALS), self.outcomes[record.stream].aligner
            return [*told, *self.notes.behind(lane, behind, told, heard=isinstance(record, Progress))]
        if isinstance(record, Pane) and record.of == OOD:
            return self.familiarity.feed(offset, appended, record)  # nothing is told before progress
        aligner = self.aligners.get(Lane(record.stream, record.of))
        if aligner is None:  # of a stream that the configuration no longer has, or of a kind that is not tested
            if record.of in KINDS:
                self.gone.forget(record.stream)
            return []
        if isinstance(record, Pane):
            self.sizes.check(record, partial(self._layout, record))
        if isinstance(record, Progress):
            topics = self.configuration.streams[record.stream].topics
            if record.source.topic not in topics:
                return []  # nobody reads it any more, so nobody must wait for it
            record = record.model_copy(update={"topics": tuple(topic for topic in record.topics if topic.topic in topics)})
            self.silences.retire(record.stream, record.retired)
            for one in record.read:
                bucket = aligner.buckets.end(aligner.evaluated if one.bucket <= aligner.evaluated else one.bucket - 1)
                self.unreadable.take(record.stream, bucket, one)
                aligner.await_(bucket)
        unfamiliar = self.familiarity.feed(offset, appended, record) if isinstance(record, Progress) else []
        self.counted["events"] += len(unfamiliar)
        published, left, own = list[Published](), deque(unfamiliar), list[Published]()
        for aligned in aligner.feed(offset, appended, record):
            while left and left[0].time < aligned.end:  # in the order of buckets, however many one record makes ready
                published.append(left.popleft())
            told = self._of_bucket(record.stream, aligner, aligned)
            published += told
            own += told
        published += left
        if isinstance(record, Progress):
            published += self.notes.behind(Lane(record.stream, record.of), aligner, own, heard=True)
            if record.stream in self.familiarity.aligners:
                behind = self.familiarity.aligners[record.stream]
                published += self.notes.behind(Lane(record.stream, OOD), behind, unfamiliar, heard=True)
        return published

    def _answered(self, offset: int, appended: int, record: Told) -> list[Published]:
        """Of what people answered, which is a lane of its own for each model."""
        if isinstance(record, Pane):
            return []  # of a release to come
        told, heard = self.answers.feed(offset, appended, record), isinstance(record, Progress)
        self.counted["events"] += len(told)
        lane = Lane(record.stream if isinstance(record, Progress) else record.model, REVIEWED)
        behind = self.answers.aligners.get(lane.stream)
        if behind is None:
            return told
        live = self.configuration.streams[self.configuration.stream_of(lane.stream)].clock == "live"
        return [*told, *self.notes.behind(lane, behind, told, heard=heard, live=live)]

    def _of_bucket(self, stream: str, aligner: Aligner, aligned: Aligned) -> list[Published]:
        """What is told of a bucket of predictions, or of buckets without them."""
        through = aligner.buckets.start(aligned.end - 1) if aligned.panes else aligned.end
        silent = self.silences.passed(stream, Completeness(through, aligned.complete, aligned.clock_decided))
        published = list(starmap(Published, silent))
        if aligned.panes:
            self.counted["buckets"] += 1
            published += self._evaluate(stream, aligner, aligned)
        published += self._unreadable(stream, aligner, aligned)
        if aligned.panes:  # with its rows nothing more is to come of the bucket
            known = Completeness(aligned.end, aligned.complete, aligned.clock_decided)
            published += starmap(Published, self.silences.passed(stream, known))
        self.counted["events"] += len(published)
        events = [one.event for one in published]
        return published + [Published(aligned.end, request) for request in self.asking[stream].asked(aligned.end, events)]

    def _unreadable(self, stream: str, aligner: Aligner, aligned: Aligned) -> list[Published]:
        known = Completeness(aligned.end, aligned.complete, aligned.clock_decided)
        rows: Counter[str] = Counter()
        for pending in aligned.panes:
            rows[pending.pane.model] += pending.pane.rows
        told = self.unreadable.passed(stream, aligner.buckets, known, rows)
        return [one for end, event in told for one in self._placed(stream, end, [event])]

    def _placed(self, stream: str, end: int, events: Iterable[DriftEvent]) -> Iterator[Published]:
        """Events of a stream that end a bucket then."""
        pane = self.configuration.streams[stream].pane
        return (Published(end, placed(event, pane)) for event in events)

    @property
    def changed(self) -> bool:
        """The configuration is another one than what was restored was made by."""
        others = self.silences.unfit or self.unreadable.unfit or any(one.concept.changed for one in self.outcomes.values())
        others = others or self.familiarity.changed or self.answers.changed
        return bool(self.former or self.panes or others or self.gone.left or self.unlabelled.left)

    def resumed(self) -> list[Published]:
        """Go on by the configuration. To be called, and published, when the fold is live again.

        Until then it folds as whoever published those events did: by the settings that the restored states remember.
        """
        published: list[Published] = []
        for lane, aligner in self.aligners.items():
            if lane.stream in self.panes:
                aligner.retiled(buckets(self.configuration.streams[lane.stream].pane))
                self.lengths.forget(lane.stream)
        published += self.familiarity.resumed(self.panes)
        self.panes.clear()
        for key in sorted(self.former):
            former = self.former.pop(key)
            if key in self.states:
                end = self.states[key].windows.runs[-1].end
                self.states[key], events = adapted(self.suite(key), self.states[key], former)
                published += self._placed(key.stream, end, events)
        published += starmap(Published, [*self.silences.reconfigured(), *self.unreadable.reconfigured()])
        published += starmap(Published, [*self.gone.resolved(self.suite_of), *self.unlabelled.resolved()])
        for told in list(published):
            of = getattr(told.event, "stream", "")
            published += (Published(told.time, request) for request in (self.asking[of].told(told.event) if of in self.asking else ()))
        published += starmap(Published, (told for one in self.outcomes.values() for told in one.resumed()))
        published += self.answers.resumed()
        self.counted["events"] += sum(not isinstance(one.event, GoldenRequest) for one in published)
        return self._written([*published, *self.notes.resumed(self.configuration, self.lanes(), published)])

    def lanes(self) -> dict[Lane, Aligner[Any]]:
        """All that are aligned."""
        unlike = {Lane(name, OOD): aligner for name, aligner in self.familiarity.aligners.items()}
        return self.aligners | unlike | self.answers.lanes() | {Lane(name, ARRIVALS): one.aligner for name, one in self.outcomes.items()}

    def _layout(self, pane: Pane) -> Layout:
        """Of a pane's reference; tests that are compiled for it alone are not kept: its state may be gone."""
        key = StateKey(pane.stream, pane.model, pane.version, pane.reference or "")
        return (self.suites.get(key) or self.suite_of(key)).layout

    def _evaluate(self, stream: str, aligner: Aligner, aligned: Aligned) -> list[Published]:
        """Sum a bucket's panes per model version and reference, and step each."""
        groups: dict[tuple[str, str, str, int], list[Pending]] = {}
        for pending in aligned.panes:
            pane = pending.pane
            since = NEVER_ANNOUNCED if pane.since is None else pane.since
            groups.setdefault((pane.model, pane.version, pane.reference or "", since), []).append(pending)
        beginning, whole = aligned.start, aligned.complete and not self.lengths.wider(aligned)
        partly = _partial(groups)
        told = self.lengths.notices(stream, aligner.buckets, aligned)
        published = [Published(aligned.end, notice) for notice in told]
        for (model, version, reference, since), panes in sorted(groups.items(), key=lambda item: (item[0][:2], item[0][3], item[0][2])):
            key = StateKey(stream, model, version, reference)
            bucket = merged(
                beginning,
                aligned,
                [p.pane for p in panes],
                self.sizes.of(reference, partial(self._layout, panes[0].pane)),
                complete=whole and (model, version) not in partly,
            )
            if self.configuration.stream_of(model) != stream:
                published += self._notice(
                    key, bucket, f"its predictions are read from stream {self.configuration.stream_of(model)}; set models.{model}.stream"
                )
                continue
            if reference or since == NEVER_ANNOUNCED:
                self.asking[stream].hear(model, version, aligned.end)
            heard = self.silences.heard(stream, model, Completeness(aligned.end, aligned.complete, aligned.clock_decided))
            published += starmap(Published, heard)
            if not reference:
                if since == NEVER_ANNOUNCED:
                    remedy = f"build its reference: driftbus reference build {model} --version {version}"
                    published += self._notice(key, bucket, remedy, sum(p.pane.pooled for p in panes))
                else:
                    published += self._replace(key, bucket, since, "retired")
                continue
            current = self.current.get(key[:3])
            if current is not None and self.since[current] > since:
                continue  # counted against a reference that has been replaced
            if self.former.get(key, key) is None:
                continue  # what was published of these buckets was decided by settings that are not known
            published += self._replace(key, bucket, since, "replaced")
            tests = self.suite(key)
            self.silences.follow(stream, model, version, reference, tests.longest_gap, aligned.end, since)
            if key not in self.states:
                self.states[key], self.since[key], self.current[key[:3]] = start(tests, beginning), since, key
            self.states[key], events = step(tests, self.states[key], bucket)
            published += self._placed(stream, aligned.end, events)
            unexpected = self.unexpected.notices(model, version, aligned.end, [p.pane for p in panes])
            published += (Published(aligned.end, notice) for notice in unexpected)
        return published + self._forgotten(stream, aligned)

    def _forgotten(self, stream: str, aligned: Aligned) -> list[Published]:
        """End the states of versions that were left behind without a word: a function of the bucket's end and each state's last rows."""
        published: list[Published] = []
        before = aligned.end - FORGOTTEN_AFTER
        for key in [k for k, state in self.states.items() if k.stream == stream and state.windows.runs[-1].end <= before]:
            events = close(self.suite(key), self.states.pop(key), (aligned.start, aligned.end), "retired")
            del self.current[key[:3]], self.since[key]
            self.suites.pop(key, None)
            published += self._placed(stream, aligned.end, events)
        return published

    def _replace(self, key: StateKey, bucket: Bucket, since: int, reason: str) -> list[Published]:
        """Resolve and forget the state of this model version that an earlier reference made."""
        old = self.current.get(key[:3])
        if old is None or old == key or self.since[old] > since:
            return []
        del self.current[key[:3]], self.since[old]
        events = close(
            self.suite(old),
            self.states.pop(old),
            (bucket.start, bucket.end),
            reason,
            complete=bucket.complete,
            clock_decided=bucket.clock_decided,
        )
        self.suites.pop(old, None)
        return [*self._placed(key.stream, bucket.end, events)]

    def _notice(self, key: StateKey, bucket: Bucket, remedy: str, pooled_before: int = 0) -> list[Published]:
        """Say once that a model version is not monitored."""
        notice = unmonitored(self.configuration, self.unmonitored, key[:3], bucket, remedy, pooled_before)
        return [] if notice is None else [Published(bucket.end, notice)]

    def snapshot(self, position: int) -> tuple[PartitionState, dict[str, bytes]]:
        """Everything that must be remembered at summaries offset ``position``, the states by their keys."""
        return remembered.snapshot(self, position)

    def askings(self) -> Iterator[tuple[Lane, Asking]]:
        """By lane."""
        yield from ((Lane(name, PREDICTIONS), one) for name, one in self.asking.items())
        yield from ((Lane(name, ARRIVALS), one.asking) for name, one in self.outcomes.items())

    @classmethod
    def restored(
        cls,
        configuration: Configuration,
        suite_of: SuiteOf,
        state: PartitionState,
        states: Mapping[str, bytes],
        panes: dict[int, Pane],
        basis_of: CountedBy = NO_LABELS,
        recorded: Recorded | None = None,
        familiarity_of: FamiliarityOf = not_asked,
        answers: Mapping[int, Evidence] = MappingProxyType({}),
    ) -> "Fold":
        """The fold that wrote `snapshot`; ``panes`` and ``answers`` are what stands at the summaries offsets it lists as pending."""
        fold = cls(configuration, suite_of, basis_of, familiarity_of, recorded=recorded)
        remembered.restore(fold, state, states, panes, answers)
        return fold


def _partial(groups: Mapping[tuple[str, str, str, int], list[Pending]]) -> set[tuple[str, str]]:
    """Model versions whose bucket was counted against two references: an announcement came late."""
    return {name for name, times in Counter(key[:2] for key in groups).items() if times > 1}
