"""Notes of episodes: every drift event also on the summaries, as evidence of kind `episode`, and behind it how far its lane is complete.

Whoever looks for what belongs together folds the summaries alone, where nothing tells when an event came. By its note, in the transaction
that publishes it, an event has a bucket there; by the lane's progress it is known of a bucket that no more events are to come of it. Both
are functions of the log, so who aligns by them says the same however far the detector was behind.

A note is late (its bucket was told to be complete) only where a former bucket's event could not be told before: then it is of the next one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.episode import EPISODE, EpisodeNote
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import ARRIVALS, OOD, PREDICTIONS, REVIEWED
from ...schemas.messages.progress import Progress
from ..process.reach import PROGRESS_EVERY
from ..streams.align import AGAIN, NEVER, Aligner
from ..streams.lanes import Lane
from .keys import Published


@dataclass
class Reached:
    """How far a lane has said to be complete."""

    through: int = -NEVER
    at: int = 0  #: its aligner's time when it was said last


@dataclass
class Notes:
    """The lanes of one summaries partition."""

    lanes: dict[Lane, Reached] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)  #: of open episodes, the end of the bucket that opened each

    def behind(self, lane: Lane, aligner: Aligner[Any], told: Iterable[Published], *, heard: bool, live: bool = False) -> list[Published]:
        """The notes of what a lane has told, and how far it is complete; ``heard``: by progress, else by a pane; ``live``: who waits for it
        may give it up, though it waits for its own sources however long.
        """
        notes = [self._note(lane, aligner, time, event) for time, event in told if isinstance(event, DriftEvent)]
        return [*notes, *(self._progress(lane, aligner, live=live or aligner.patience is not None) if heard else ())]

    def resumed(self, configuration: Configuration, aligners: Mapping[Lane, Aligner[Any]], told: Iterable[Published]) -> list[Published]:
        """The notes of what is told when a fold goes on; of a lane that is no more nobody is told how far it is complete."""
        found = ((_lane(configuration, event), time, event) for time, event in told if isinstance(event, DriftEvent))
        return [self._note(lane, aligners.get(lane), time, event) for lane, time, event in found]

    def _note(self, lane: Lane, aligner: Aligner[Any] | None, time: int, event: DriftEvent) -> Published:
        through, source = self.lanes.get(lane, Reached()).through, lane.source
        bucket = time if aligner is None or time > through else aligner.buckets.end(through)
        opened = self.opened.setdefault(event.episode, time)
        if event.status == "resolved":
            del self.opened[event.episode]
        note = Evidence(
            of=EPISODE,
            stream=event.stream,
            topic=source.topic,
            topic_id=source.topic_id,
            partition=source.partition,
            offset=max(bucket, 0) + (0 if aligner is None else aligner.again) * AGAIN,
            bucket=bucket,
            about=time,
            model=event.model,
            version=event.version,
            fact_id=event.id,
            fact=EpisodeNote.of(event, opened).model_dump(mode="json"),
        )
        return Published(bucket, note)

    def _progress(self, lane: Lane, aligner: Aligner[Any], *, live: bool) -> Iterator[Published]:
        """As far as its last progress made it complete; ``live``: also that nothing has changed."""
        reached = self.lanes.setdefault(lane, Reached())
        said = list[Progress]()
        parts = [(*known, [one.end for one in alike][-1]) for known, alike in groupby(aligner.last, key=lambda one: one[1:3])]
        for complete, by_clock, end in [*parts, (True, False, aligner.evaluated)]:
            through = min(end, aligner.evaluated)  # what partitions that have ended bring in a later run may come in front of the rest
            if through > reached.through:
                reached.through = through
                said.append(_progress(lane, through, complete=complete, by_clock=by_clock))
        overdue = live and aligner.clock.now - reached.at >= PROGRESS_EVERY
        if aligner.closed or (overdue and not said):
            ended = said.pop() if said else _progress(lane, reached.through)
            said.append(ended.model_copy(update={"ended": aligner.closed}))
        if said:
            reached.at = aligner.clock.now
        yield from (Published(max(one.through or 0, 0), one) for one in said)

    def plain(self) -> dict[str, Any]:  # plain data for a snapshot
        """All that is remembered."""
        return {"lanes": [[*lane, one.through, one.at] for lane, one in self.lanes.items()], "opened": self.opened}

    @classmethod
    def restored(cls, plain: dict[str, Any]) -> "Notes":
        """What `plain` wrote."""
        lanes = {Lane(stream, of): Reached(through, at) for stream, of, through, at in plain.get("lanes", ())}
        return cls(lanes, dict(plain.get("opened", {})))


def _lane(configuration: Configuration, event: DriftEvent) -> Lane:
    """Which one tells events of its kind."""
    if event.kind != "performance":
        return Lane(event.stream, OOD if event.kind == "ood" else PREDICTIONS)
    if event.performance is not None and event.performance.by == "reviews":
        return Lane(event.model, REVIEWED)
    return Lane(configuration.model(event.model).labels or event.stream, ARRIVALS)


def _progress(lane: Lane, through: int, *, complete: bool = True, by_clock: bool = False) -> Progress:
    return Progress(
        stream=lane.stream,
        source=lane.source,
        through=None if through == -NEVER else through,
        complete=complete,
        by_clock=by_clock,
        of=EPISODE,
    )
