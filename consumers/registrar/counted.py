"""How many rows of a version have been counted against its reference: by the panes in the summaries, not by the rows themselves.

*Guarantee.* With which bucket there are enough, and where the rows stand that were counted until then, is a function of the log: buckets
count in their order, each when all of it is there, as detectors have it. Whoever counts comes to the same, as long as the topics hold it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ...schemas.cloud_events import attributes
from ...schemas.configuration import Configuration
from ...schemas.messages.pane import PREDICTIONS, Pane
from ...schemas.messages.progress import Progress
from ..bus.addressing import partition_of
from ..bus.interface import Batch, Bus, TopicPartition
from ..bus.own import Foreign, Unreadable
from ..reference.outputs import FEWEST
from ..streams.align import Aligned, Aligner
from ..streams.buckets import buckets
from ..streams.summaries import fact_of


@dataclass(frozen=True)
class Unwatched:
    """A version that is watched by the reference that its job made, in which nothing may be of its outputs."""

    model: str
    version: str
    reference: str
    since: int  #: ms, the boundary from which that holds

    @property
    def id(self) -> str:
        """Its name."""
        return f"{self.model}/{self.version} {self.reference} {self.since}"


class Enough(NamedTuple):
    """Rows that tell what a version usually answers."""

    until: int  #: ms, the end of the bucket with which there are enough
    read_to: dict[TopicPartition, int]  #: of each partition that holds some, the offset behind the last run of them


class Counted:
    """The rows of one version, as far as the summaries have been read. Not for several threads."""

    def __init__(self, bus: Bus, configuration: Configuration, thing: Unwatched) -> None:
        self._bus, self._configuration, self._thing = bus, configuration, thing
        self._name = configuration.stream_of(thing.model)
        self._stream = configuration.streams[self._name]
        self._place = TopicPartition(configuration.topics.summaries, partition_of(thing.model, configuration.topics.partitions))
        self._topic_id = ""
        self._begin()

    def _begin(self) -> None:
        """From where the first rows may be of which the reference speaks: no producer's clock is further ahead than is allowed."""
        self._next: int = self._bus.offset_at(self._place, self._thing.since - self._stream.max_ahead)
        self._aligner: Aligner[Pane] = Aligner(buckets(self._stream.pane), self._stream.patience)
        self._rows = 0
        self._read_to: dict[TopicPartition, int] = {}
        self._enough: Enough | None = None

    def look(self) -> Enough | None:
        """Read on to the end of the summaries; None: there are not enough yet."""
        self._check_topic()
        start, end = self._next, self._bus.watermarks(self._place)[1]
        for batch in self._bus.read(self._place, start, end):
            self._next = int(batch.offsets[-1]) + 1
            for offset, appended, fact in self._facts(batch):
                for aligned in self._aligner.feed(offset, appended, fact):
                    self._count(aligned)
        return self._enough

    def _check_topic(self) -> None:
        """What was counted of a topic that was made again is gone."""
        [topic] = self._stream.topics
        described = self._bus.describe([topic], settings=False).get(topic)
        if described is not None and described.id != self._topic_id:
            self._topic_id = described.id
            self._begin()

    def _facts(self, batch: Batch) -> Iterator[tuple[int, int, Pane | Progress]]:
        """Of this reference's rows, and how far the stream's partitions are. Panes of others are not unpacked."""
        thing, subject = self._thing, f"{self._thing.model}/{self._thing.version}"
        columns = zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, batch.headers(), strict=True)
        for offset, appended, value, headers in columns:
            said = attributes(headers)
            if said.get("type") == Pane.TYPE and said.get("subject") != subject:
                continue
            try:
                fact = fact_of(self._configuration.application, value, headers)
            except (Foreign, Unreadable):
                continue  # told by the detector
            if fact is None or (fact.stream, fact.of) != (self._name, PREDICTIONS):
                continue
            if isinstance(fact, Progress):
                if fact.source.topic_id == self._topic_id:
                    yield offset, appended, fact
            elif (fact.reference, fact.since, fact.topic_id) == (thing.reference, thing.since, self._topic_id):
                yield offset, appended, fact

    def _count(self, aligned: Aligned[Pane]) -> None:
        if self._enough is not None:
            return
        for pending in aligned.panes:
            pane = pending.pane
            place = TopicPartition(pane.topic, pane.partition)
            self._rows += pane.rows
            self._read_to[place] = max(self._read_to.get(place, 0), pane.last + 1)
        if self._rows >= FEWEST:
            self._enough = Enough(aligned.end, self._read_to)
