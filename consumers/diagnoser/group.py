"""The models that have the same kinds of evidence: one aligner over all of these, and runs at the ends of grains."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...detectors.diagnosis.incidents import Home
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import AGREEMENT, PREDICTIONS, REVISIONS, Pane
from ...schemas.messages.progress import Progress
from ..streams.align import Aligned, Aligner, Pending
from .exhibit import Exhibit
from .kinds import FEEDBACK, ORDER, Kinds, kind_of, of_these, source_of
from .model import Model, Published
from .watched import Watched

#: Milliseconds of record time without a row behind which a version's state ends, and without anything that of a model: it would stay for
#: ever.
FORGOTTEN_AFTER = 90 * 86_400_000
#: Of a reference that was never announced.
_NEVER_ANNOUNCED = -(1 << 62)

#: What is watched of a version against the reference that its pane names; None: it is not monitored.
WatchedOf = Callable[[Pane], Watched | None]
ModelOf = Callable[[str], Model]


@dataclass
class Group:
    """Of one summaries partition."""

    kinds: Kinds
    topics: Mapping[str, tuple[str, ...]]  #: what is awaited, by source
    aligner: Aligner[Exhibit]
    model_of: ModelOf
    watched_of: WatchedOf
    delays: Mapping[str, int] = field(default_factory=dict)  #: by source, how much later it counts, ms
    models: dict[str, Model] = field(default_factory=dict)
    late: tuple[str, ...] = ()  #: kinds that are waited for no more
    runs: int = 0  #: since it was made

    def hear(self, offset: int, appended: int, progress: Progress) -> list[Published]:
        """How far a source is complete; returns what follows from what that completes."""
        own = of_these(progress, self.topics)
        if own is None or (not own.topics and not self.aligner.awaits(own)):
            return []
        delay = self.delays.get(own.stream, 0)
        if own.through is not None and delay:
            own = own.model_copy(update={"through": own.through + delay})
        return self.ready(self.aligner.feed(offset, appended, own))

    def take(self, offset: int, appended: int, exhibit: Exhibit) -> None:
        """A fact waits for its bucket."""
        delay = self.delays.get(source_of(exhibit.fact), 0)
        exhibit = exhibit._replace(bucket=exhibit.bucket + delay)
        self.aligner.feed(offset, appended, exhibit)

    def ready(self, found: Sequence[Aligned[Exhibit]]) -> list[Published]:
        """What follows from buckets that are complete."""
        late = {kind_of(place) for place, heard in self.aligner.partitions.items() if heard.given_up}
        self.late = tuple(sorted(late))
        return [one for aligned in found for one in self._evaluated(aligned)]

    def _evaluated(self, aligned: Aligned[Exhibit]) -> Iterator[Published]:
        yield from self._run(self.aligner.buckets.start(aligned.end - 1) if aligned.panes else aligned.end)
        for pending in sorted(aligned.panes, key=_order):
            yield from self._taken(pending.pane, aligned)
        if aligned.panes:
            yield from self._run(aligned.end)
            if any(isinstance(one.pane.fact, Pane) for one in aligned.panes):  # a fact may state any time: it says of none that it has come
                yield from self._left(aligned.end)
            self._forget(aligned.end)
        if aligned.ended:
            yield from self._run(None)

    def _run(self, through: int | None) -> Iterator[Published]:
        """The grains that end by then, in their order; None: all that have begun, for nothing more is to come."""
        while True:
            due = [
                (end, name, watched)
                for name, model in self.models.items()
                for watched in model.versions.values()
                if (end := watched.due) is not None and (through is None or end <= through)
            ]
            if not due:
                return
            for end, name, watched in sorted(due, key=lambda one: (*one[:2], one[2].home)):
                before = watched.runs
                yield from self.models[name].run(watched, end, self.late)
                self.runs += watched.runs - before

    def _taken(self, exhibit: Exhibit, aligned: Aligned[Exhibit]) -> Iterator[Published]:
        fact = exhibit.fact
        if not isinstance(fact, Pane):
            self._told(fact, aligned.end)
            return
        if fact.of == PREDICTIONS:
            yield from self._hold(fact, aligned)
        model = self.models.get(fact.model)
        version = None if model is None else model.versions.get(Home(fact.version, fact.reference or ""))
        if model is None or version is None:
            return
        model.heard = aligned.end
        complete = aligned.complete and (fact.of not in (REVISIONS, AGREEMENT) or fact.complete)
        version.take(fact, aligned.end, complete=complete, clock_decided=aligned.clock_decided or fact.clock_decided)

    def _told(self, fact: Evidence, bucket: int) -> None:
        """A fact may come before the first row of its model; a word on an incident that nobody knows says nothing of any."""
        model = self.models.get(fact.model)
        if model is None:
            if fact.of == FEEDBACK:
                return
            model = self.models[fact.model] = self.model_of(fact.model)
        model.heard = bucket
        if model.hear(fact):
            for watched in model.versions.values():
                watched.notice(bucket)

    def _hold(self, pane: Pane, aligned: Aligned[Exhibit]) -> Iterator[Published]:
        """Make the state of a version, and end that of its former reference. Of a name without a reference nothing is kept: rows may have
        any."""
        if pane.reference is None and pane.model not in self.models:
            return
        home, model = Home(pane.version, pane.reference or ""), self.models.get(pane.model) or self.model_of(pane.model)
        former, since = model.of(pane.version), _NEVER_ANNOUNCED if pane.since is None else pane.since
        if home in model.versions or (former is not None and former.since > since):
            return
        watched = self.watched_of(pane) if pane.reference is not None and len(pane.counts) else None
        if former is not None and (watched is not None or pane.reference is None):
            if watched is None:
                yield from model.retire(former, aligned.end)
            else:
                yield from model.replace(former, watched, aligned.end)
            del model.versions[former.home]
        if watched is not None:
            model.versions[home] = watched
            self.models[pane.model] = model

    def _left(self, end: int) -> Iterator[Published]:
        """End the states of versions that were left behind without a word."""
        for _, model in sorted(self.models.items()):
            for home, watched in sorted(model.versions.items()):
                if watched.latest <= end - FORGOTTEN_AFTER:
                    yield from model.retire(watched, end)
                    del model.versions[home]
                    model.heard = end

    def _forget(self, end: int) -> None:
        """Let go of models that have no version, and of which nothing has been heard for long."""
        for name, model in list(self.models.items()):
            if model.heard is None:
                model.heard = end
            elif not model.versions and model.heard <= end - FORGOTTEN_AFTER:
                del self.models[name]


def _order(pending: Pending[Exhibit]) -> tuple[int, str, str, int, int, str, str]:
    """By kind, then source, then offset; of panes of one run by what they are of."""
    one = pending.pane
    return ORDER.index(one.fact.of), one.topic, one.topic_id, one.partition, one.first, one.fact.model, one.id
