"""What a run leaves on the broker, and whether it is all there."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.consumers.detector.detector import suites
from driftbus.consumers.detector.fold import Fold
from driftbus.consumers.detector.queries import Familiarities
from driftbus.consumers.diagnoser.diagnoser import Diagnosing
from driftbus.consumers.diagnoser.exhibit import Fact
from driftbus.consumers.reference import reviews
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.streams.lanes import lanes_of
from driftbus.consumers.streams.summaries import facts_of
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.candidates import Candidates
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.episode import EPISODE
from driftbus.schemas.messages.notice import Notice
from driftbus.schemas.messages.pane import PREDICTIONS, Pane
from driftbus.schemas.messages.progress import Progress

from ...streaming import Event, by_model, everything
from .world import TOPIC


class Arrived(NamedTuple):
    """A record of the summaries, as the detector is given it."""

    offset: int
    appended: int
    record: Pane | Progress


class Input(NamedTuple):
    """A record of the input topic, wherever it lies."""

    partition: int
    offset: int
    timestamp: int
    value: bytes | None


@dataclass(frozen=True)
class Outcome:
    """Everything published. Events and reviews are in order; all else, whose order over partitions is nobody's, is sorted."""

    topic_id: str
    input: list[Input]
    panes: list[tuple[bytes, bytes]]  #: id, value
    events: dict[str, list[Event]]  #: by model
    letters: list[Event]
    candidates: list[bytes]
    samples: list[Event]  #: of flagged rows
    reviews: dict[str, list[Event]]  #: by model
    causes: dict[str, list[Event]]  #: by model
    snapshots: int  #: records
    summaries: list[list[Arrived]]  #: by partition
    facts: list[list[tuple[int, int, Fact | Progress]]]  #: the same, as the diagnoser is given them
    settings: Configuration

    @cached_property
    def causes_again(self) -> dict[str, list[Event]]:
        """The causes that folding the summaries gives, whoever folds them."""
        diagnosing = Diagnosing(self.settings, ArtifactStore(self.settings.artifacts))
        events: dict[int, list[Event]] = {}
        for number, records in enumerate(self.facts):
            fold = diagnosing.begin()
            said = (one for arrived in records for one in fold.feed(*arrived))
            outputs = [output for one in said for output in diagnosing.outputs(one, number)]
            events[number] = [Event(output.key, output.value or b"", output.headers) for output in outputs]
        return by_model(events)

    @cached_property
    def again(self) -> dict[str, list[Event]]:
        """The events that folding `summaries` gives, whoever folds them."""
        store = ArtifactStore(self.settings.artifacts)
        suite_of, familiarity_of = suites(self.settings, store), Familiarities(self.settings, store)
        events: dict[int, list[Event]] = {}
        for number, records in enumerate(self.summaries):
            fold = Fold(self.settings, suite_of, familiarity_of=familiarity_of)
            published = (one.event for arrived in records for one in fold.feed(*arrived))
            told = (one for one in published if isinstance(one, DriftEvent | Notice))
            outputs = [addressed(self.settings, self.settings.topics.drift, one, number) for one in told]
            events[number] = [Event(output.key, output.value or b"", output.headers) for output in outputs]
        return by_model(events)


def outcome(bus: Bus, settings: Configuration) -> Outcome:
    """Read it all."""
    topic = bus.describe([TOPIC])[TOPIC]
    read = [TopicPartition(TOPIC, number) for number in range(topic.partitions)]
    batches = [batch for source in read for batch in bus.read(source, *bus.watermarks(source))]
    published = [event for events in everything(bus, settings.topics.summaries).values() for event in events]
    return Outcome(
        topic.id,
        [
            Input(batch.source.partition, *record)
            for batch in batches
            for record in zip(batch.offsets.tolist(), batch.timestamps.tolist(), batch.values, strict=True)
        ],
        sorted((heads[b"id"], event.value) for event in published if (heads := _attributes(event))[b"type"] == Pane.TYPE.encode()),
        by_model(everything(bus, settings.topics.drift)),
        sorted(event for events in everything(bus, settings.topics.dead_letter).values() for event in events),
        sorted(event.value for event in published if _attributes(event)[b"type"] == Candidates.TYPE.encode()),
        sorted(event for events in _of(bus, settings.topics.ood).values() for event in events),
        by_model(_of(bus, settings.topics.reviews)),
        by_model(everything(bus, settings.topics.root_causes)),
        sum(map(len, everything(bus, settings.topics.snapshots).values())),
        summaries(bus, settings),
        _facts(bus, settings),
        settings,
    )


def _of(bus: Bus, topic: str) -> dict[int, list[Event]]:
    """A topic that is there where it is asked for."""
    return everything(bus, topic) if topic in bus.describe([topic]) else {}


def summaries(bus: Bus, settings: Configuration) -> list[list[Arrived]]:
    """All panes and progress, by partition."""
    sources = [TopicPartition(settings.topics.summaries, number) for number in range(settings.topics.partitions)]
    return [
        [Arrived(*one) for batch in bus.read(source, *bus.watermarks(source)) for one in facts_of(settings.application, batch)]
        for source in sources
    ]


def _facts(bus: Bus, settings: Configuration) -> list[list[tuple[int, int, Fact | Progress]]]:
    diagnosing = Diagnosing(settings, ArtifactStore(settings.artifacts))
    found = []
    for number in range(settings.topics.partitions):
        source = TopicPartition(settings.topics.summaries, number)
        records = (
            (offset, appended, diagnosing.read(key, value, heads))
            for batch in bus.read(source, *bus.watermarks(source))
            for offset, appended, key, value, heads in zip(
                batch.offsets.tolist(), batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers(), strict=True
            )
        )
        found.append([(offset, appended, fact) for offset, appended, fact in records if fact is not None])
    return found


def _attributes(event: Event) -> dict[bytes, bytes]:
    return {name.removeprefix("ce_").encode(): value for name, value in event.headers}


class Completion:
    """Whether detectors, and reviewers, are behind what makes all buckets up to ``final`` ready, in every summaries partition.

    ``diagnosed``: and diagnosers, who await clerks, too.
    """

    def __init__(self, bus: Bus, settings: Configuration, final: int, *, diagnosed: bool = False) -> None:
        self._bus, self._settings, self._final = bus, settings, final
        self._sources = [TopicPartition(settings.topics.summaries, number) for number in range(settings.topics.partitions)]
        self._input = set(range(bus.describe([TOPIC])[TOPIC].partitions))
        self._read = dict.fromkeys(self._sources, 0)
        self._waited = {source: set(self._input) for source in self._sources}
        self._ready_at: dict[TopicPartition, int] = {}  # the offset behind that record
        self._folding = {"reviewer": reviews.asked(settings), "diagnoser": diagnosed}
        awaited = any(self._folding.values())
        lanes = {lane.source for stream in settings.streams for lane in lanes_of(settings, stream)} if awaited else set()
        self._copied = dict.fromkeys(self._sources, not diagnosed)  # what clerks have to say
        self._lanes = {source: set(lanes) for source in self._sources}  # what detectors have to say of episodes
        self._noted_at: dict[TopicPartition, int] = {}

    def reached(self) -> bool:
        """Everything that was fed has been evaluated."""
        return not self.unsaid() and not self.behind()

    def unsaid(self) -> set[int]:
        """The input partitions that have not been told complete through the end, in every summaries partition."""
        for source in (one for one in self._sources if one not in self._ready_at or one not in self._noted_at):
            end = self._bus.watermarks(source)[1]
            for offset, _, record in (
                one for batch in self._bus.read(source, self._read[source], end) for one in facts_of(self._settings.application, batch)
            ):
                if isinstance(record, Progress) and record.through is not None and record.through >= self._final:
                    if record.of == EPISODE:
                        self._lanes[source].discard(record.source)
                    elif record.of == PREDICTIONS:
                        self._waited[source].discard(record.source.partition)
                if not self._waited[source]:
                    self._ready_at.setdefault(source, offset + 1)
                if isinstance(record, Progress) and record.of == "model":
                    self._copied[source] = True
                if not self._waited[source] and not self._lanes[source] and self._copied[source]:
                    self._noted_at.setdefault(source, offset + 1)
            self._read[source] = end
        return set().union(*self._waited.values())

    def behind(self) -> dict[TopicPartition, int]:
        """Where all is said, and not all who fold it have committed that they know it: by how many records."""
        behind: dict[TopicPartition, int] = {}
        noted = {role: self._noted() for role, asked in self._folding.items() if asked}
        for role, due in {"detector": self._ready_at, **noted}.items():
            committed = self._bus.committed(f"{self._settings.application}-{role}", self._sources)
            at = {source: committed[source].offset if source in committed else 0 for source in self._sources}
            behind |= {source: offset - at[source] for source, offset in due.items() if at[source] < offset}
        return behind

    def _noted(self) -> dict[TopicPartition, int]:
        """Where reviewers and diagnosers know all; where detectors have not said it, it is still to come."""
        return {source: self._noted_at.get(source, self._bus.watermarks(source)[1] + 1) for source in self._sources}
