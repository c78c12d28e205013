"""Whether more is asked that is unlike the training data: a lane of its own over the panes of kind `ood`, which profilers write where a
model has ``ood:``.

Its evidence is complete when that of the predictions is, for it is of the same rows; but states, alarms and episodes are its own. A model
version of which a pane says nothing to test is no longer watched: it has another reference, or was retired.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ...detectors.episodes.step import Bucket, State, adapted, close, fits, start, step
from ...detectors.familiarity import Asked, AskedRow, FamiliaritySuite
from ...schemas.cloud_events import microseconds
from ...schemas.configuration import Configuration, PaneLength
from ...schemas.messages.drift import DriftEvent, ToldOutliers, ToldQueries
from ...schemas.messages.pane import OOD, Pane
from ...schemas.messages.progress import Progress
from ..streams.align import Aligned, Aligner
from ..streams.buckets import buckets
from ..streams.lanes import Lane
from . import outliers
from .gone import Gone
from .keys import Published, StateKey
from .merging import merged
from .outliers import MANY, Faults
from .placing import placed
from .silence import NEVER_ANNOUNCED
from .sizes import Sizes

#: Flagged texts of which is told what they are about.
MOST_TEXTS = 400


class FamiliarityOf(Protocol):
    """What is known of a model version beforehand."""

    def __call__(self, key: StateKey) -> FamiliaritySuite:
        """Its tests, compiled."""
        ...

    def about(self, key: StateKey, signal: str, texts: Sequence[str], expected: float) -> ToldQueries | None:
        """What texts flagged in a signal are about; None: the signal is not of texts."""
        ...


class _NotAsked:
    """Of a configuration in which no model has ``ood:``."""

    def __call__(self, key: StateKey) -> FamiliaritySuite:
        """There is none."""
        msg = f"models.{key.model}: nothing is known of its familiarity"
        raise LookupError(msg)

    def about(self, key: StateKey, signal: str, texts: Sequence[str], expected: float) -> ToldQueries | None:
        """Nothing."""
        return None


not_asked: FamiliarityOf = _NotAsked()
#: Milliseconds without a row behind which a version's state ends.
FORGOTTEN_AFTER = 90 * 86_400_000


class Familiarity:
    """All model versions of one summaries partition that have it."""

    def __init__(self, configuration: Configuration, suite_of: FamiliarityOf = not_asked) -> None:
        self._configuration, self._suite_of = configuration, suite_of
        streams = {configuration.stream_of(name) for name, model in configuration.models.items() if model.ood is not None}
        self.aligners: dict[str, Aligner] = {
            name: Aligner(buckets(stream.pane), stream.patience if stream.clock == "live" else None)
            for name, stream in configuration.streams.items()
            if name in streams
        }
        self._states: dict[StateKey, State] = {}
        self._asked: dict[StateKey, Asked] = {}
        self._since: dict[StateKey, int] = {}
        self._current: dict[tuple[str, ...], StateKey] = {}
        self._faults: dict[StateKey, Faults] = {}
        self._suites: dict[StateKey, FamiliaritySuite] = {}
        self._former: dict[StateKey, FamiliaritySuite | None] = {}
        self._gone, self._sizes = Gone[StateKey](), Sizes()

    def suite(self, key: StateKey) -> FamiliaritySuite:
        """The tests of a version, kept as long as its state."""
        if key not in self._suites:
            self._suites[key] = self._suite_of(key)
        return self._former.get(key) or self._suites[key]

    def open_now(self) -> int:
        """Episodes that are open."""
        return sum(len(state.episodes) for state in self._states.values())

    def feed(self, offset: int, appended: int, record: Pane | Progress) -> list[Published]:
        """Take a pane of this kind, or progress of the predictions; returns the events of the buckets that it makes ready."""
        aligner = self.aligners.get(record.stream)
        if isinstance(record, Pane):
            if self._tested(record.model, record.stream):
                self._check(record)
            if record.stream in self._gone.left:
                self._gone.forget(record.stream)
        if aligner is None:
            return []
        published: list[Published] = []
        for aligned in aligner.feed(offset, appended, record):
            published += self._evaluate(record.stream, aligned)
            published += self._forgotten(record.stream, aligned)
        return published

    def _tested(self, model: str, stream: str) -> bool:
        """Else it is passed over."""
        return self._configuration.stream_of(model) == stream and self._configuration.model(model).ood is not None

    def _check(self, pane: Pane) -> None:
        key = StateKey(pane.stream, pane.model, pane.version, pane.reference or "")
        if len(pane.counts) or pane.parts > 1:
            self._sizes.check(pane, lambda: (self._suites.get(key) or self._suite_of(key)).layout)
        if len(pane.masked):
            outliers.check(pane, self._suites.get(key) or self._suite_of(key))

    def _evaluate(self, stream: str, aligned: Aligned) -> list[Published]:
        """Sum a bucket's panes per model version and reference, and step each."""
        groups: dict[tuple[str, str, int, str], list[Pane]] = {}
        for pane in (pending.pane for pending in aligned.panes):
            since = NEVER_ANNOUNCED if pane.since is None else pane.since
            groups.setdefault((pane.model, pane.version, since, pane.reference or ""), []).append(pane)
        partly = {name for name, times in Counter(group[:2] for group in groups).items() if times > 1}
        whole = aligned.complete and all(one.start is None or one.start >= aligned.start for panes in groups.values() for one in panes)
        published: list[Published] = []
        for (model, version, since, reference), panes in sorted(groups.items()):
            key = StateKey(stream, model, version, reference)
            current = self._current.get(key[:3])
            if not self._tested(model, stream):
                continue
            if current is not None and self._since[current] > since:
                continue  # counted against a reference that has been replaced
            watched = reference and any(len(pane.counts) for pane in panes)
            if self._former.get(key, key) is None:
                continue  # what was published of these buckets was decided by settings that are not known
            published += self._replace(key, aligned, since, "replaced" if reference else "retired")
            if not watched:
                continue
            tests = self.suite(key)
            sizes = self._sizes.of(reference, lambda tests=tests: tests.layout)  # type: ignore[misc]  # a default of its own
            complete = whole and (model, version) not in partly
            bucket = merged(aligned.start, aligned, panes, sizes, complete=complete)
            if key not in self._states:
                self._states[key], self._since[key], self._current[key[:3]] = start(tests, aligned.start), since, key
            flagged = ((pane.partition, one) for pane in panes for one in pane.flagged if one.text is not None)
            rows = (AskedRow(*one[:1], partition, *one[1:3], one.text) for partition, one in flagged if one.text is not None)
            self._asked.setdefault(key, Asked()).add(aligned.start, aligned.end, rows, outliers.counted(tests, bucket, panes))
            self._states[key], events = step(tests, self._states[key], bucket)
            told = [self._explained(key, event) for event in events]
            published += self._placed(stream, aligned.end, [*told, *self._settled(key, bucket, {event.episode for event in events})])
        return published

    def _explained(self, key: StateKey, event: DriftEvent) -> DriftEvent:
        """With what is asked, as far as its texts may be shown: in the largest signal that is about all rows, else in the largest.

        Of rows with whose fault it is.
        """
        signals = sorted((one for one in event.signals if one.open), key=lambda one: (one.segment is not None, -one.share))
        faults = self._faults.setdefault(key, Faults())
        if event.status == "resolved" or not signals:
            faults.tell(event.episode, None)
            return event
        first, onset = signals[0], microseconds(event.onset) // 1000
        told = self._fault(key, onset, {one.name for one in signals})
        faults.tell(event.episode, told)
        was, now = first.effect.flagged or (0.0, 0.0)
        names = list(dict.fromkeys(one.name for one in self.suite(key).layout.signals))
        texts = self._asked[key].since(onset, names.index(first.name), MOST_TEXTS)
        queries = self._suite_of.about(key, first.name, texts, min(was / now, 1.0) if now else 1.0) if texts else None
        return event.model_copy(update={"queries": queries, "outliers": told})

    def _settled(self, key: StateKey, bucket: Bucket, told: Collection[str]) -> Iterator[DriftEvent]:
        """Of open episodes told of when there were few outliers: once there are many, whose fault it is, if that differs."""
        tests, state, faults = self.suite(key), self._states[key], self._faults.setdefault(key, Faults())
        for episode in [one for one in state.episodes if one.id not in told and faults.open(one.id)]:
            fault = self._fault(key, episode.onset, {one.name for one in tests.layout.signals})
            if fault is not None and fault.masked >= MANY and faults.tell(episode.id, fault):
                offsets, times, complete = state.windows.offsets(episode.onset), (bucket.start, bucket.end), bucket.complete
                event = episode.event(tests.identity, "updated", times, offsets, complete=complete, clock_decided=bucket.clock_decided)
                yield self._explained(key, event)

    def _fault(self, key: StateKey, onset: int, signals: Collection[str]) -> ToldOutliers | None:
        return outliers.told(self.suite(key), signals, self._asked[key].counted_since(onset), self._configuration.model(key.model))

    def _replace(self, key: StateKey, aligned: Aligned, since: int, reason: str) -> Iterator[Published]:
        """Resolve and forget the state of this model version that an earlier reference made."""
        old = self._current.get(key[:3])
        if old is not None and old != key and self._since[old] <= since:
            events = close(self.suite(old), self._states[old], (aligned.start, aligned.end), reason, complete=aligned.complete)
            self._forget(old)
            yield from self._placed(key.stream, aligned.end, events)

    def _forgotten(self, stream: str, aligned: Aligned) -> list[Published]:
        """End the states of versions that were left behind without a word."""
        published: list[Published] = []
        before = aligned.end - FORGOTTEN_AFTER
        for key in [k for k, state in self._states.items() if k.stream == stream and state.windows.runs[-1].end <= before]:
            events = close(self.suite(key), self._states[key], (before, aligned.end), "retired")
            self._forget(key)
            published += self._placed(stream, aligned.end, events)
        return published

    def _forget(self, key: StateKey) -> None:
        del self._current[key[:3]], self._since[key], self._states[key]
        self._asked.pop(key, None)
        self._faults.pop(key, None)
        self._suites.pop(key, None)
        self._former.pop(key, None)

    def _placed(self, stream: str, end: int, events: Iterable[DriftEvent]) -> Iterator[Published]:
        pane = self._configuration.streams[stream].pane
        return (Published(end, placed(event, pane)) for event in events)

    @property
    def changed(self) -> bool:
        """What was restored was made by other settings."""
        return bool(self._former or self._gone.left)

    def resumed(self, panes: Mapping[str, PaneLength]) -> Iterator[Published]:
        """Go on by the settings that there are now; ``panes``: streams that had others until now."""
        for stream, aligner in self.aligners.items():
            if stream in panes:
                aligner.retiled(buckets(self._configuration.streams[stream].pane))
        for key in sorted(self._former):
            former, state = self._former.pop(key), self._states[key]
            if state.windows.runs:
                end = state.windows.runs[-1].end
                self._states[key], events = adapted(self.suite(key), state, former)
                yield from self._placed(key.stream, end, events)
        for end, event in self._gone.resolved(self._suite_of):
            yield Published(end, event)

    def states(self) -> dict[str, bytes]:
        """By keys that no other lane's states have."""
        asked = {key: self._asked.get(key, Asked()).encoded() for key in self._states}
        faults = {key: self._faults.get(key, Faults()).encoded() for key in self._states}
        return {_written(key): msgspec.msgpack.encode([state.encoded(), asked[key], faults[key]]) for key, state in self._states.items()}

    def plain(self) -> dict[str, int]:
        """All else that is remembered."""
        return {_written(key): since for key, since in self._since.items()}

    def restore(
        self,
        states: Mapping[str, bytes],
        since: Mapping[str, int],
        numbers: Mapping[str, Any],  # as `Aligner.numbers` wrote them
        pending: Mapping[int, Pane],
        panes: Mapping[str, str],
    ) -> None:
        """What the others wrote; ``panes``: the lengths that the streams had, those of changed ones first until `resumed`."""
        for stream, aligner in list(self.aligners.items()):
            own = str(Lane(stream, OOD))
            if own in numbers:
                again = Aligner.restored(aligner.buckets, aligner.patience, numbers[own], dict(pending))
                topics = self._configuration.streams[stream].topics
                again.partitions = {key: heard for key, heard in again.partitions.items() if key[0] in topics}
                self.aligners[stream] = again
        for written, content in states.items():
            encoded, asked, *faults = msgspec.msgpack.decode(content)
            key, state = _read(written), State.decoded(encoded)
            model = self._configuration.models.get(key.model)
            if key.stream not in self.aligners or model is None or model.ood is None:
                self._gone.keep(key, state, panes.get(key.stream))
                continue
            self._states[key], self._since[key], self._current[key[:3]] = state, since[written], key
            self._asked[key] = Asked.decoded(asked)
            self._faults[key] = Faults.decoded(faults[0] if faults else {})
            if not fits(self.suite(key), state):
                former = self.suite(key).under(state.settings)
                self._former[key] = former if former is not None and fits(former, state) else None

    def retile(self, stream: str, pane: PaneLength) -> None:
        """Until `resumed` by buckets of this length."""
        if stream in self.aligners:
            self.aligners[stream].buckets = buckets(pane)


def is_one(written: str) -> bool:
    """Whether a part of a snapshot is a state of this lane."""
    return len(_parts(written)) == len(StateKey._fields) + 1


def _written(key: StateKey) -> str:
    return msgspec.json.encode([OOD, *key]).decode()


def _read(written: str) -> StateKey:
    return StateKey(*_parts(written)[1:])


def _parts(written: str) -> Sequence[str]:
    return msgspec.json.decode(written, type=list[str])
