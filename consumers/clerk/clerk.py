"""The clerk: facts of topics that anybody writes in, evidence and progress on the summaries out. A fold.

Whoever looks for causes folds one partition of the summaries, and nothing else. So what else he must know (a version was deployed, a model
was tested on its golden set, something else was released, a person says that a cause is none) is copied there, in its place in record time, whoever wrote it.

*Guarantee.* A fact is copied once, in the transaction that commits the offset behind it, to the partition where all panes of its model lie.
Which bucket it is in depends on its record alone. The folding consumer's (`driftbus.consumers.process.folding`) for all else.

*Trap.* A compacted topic loses what was written before under the same key: a clerk that comes late sees the last of them alone. Of a fact
that is the same whenever it is written that is no loss; of one that was written in another wording, the former one is never read. And what
was read cannot be read again: so what was copied is remembered by a snapshot in the very transaction that copied it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.golden import GoldenEvaluation
from ...schemas.messages.progress import InputPartition, InputTopic, Progress
from ...schemas.stored.snapshot import PartitionState
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Output
from ..process.consumer import Making
from ..process.folding import Folding
from ..reference import coincidences, feedback, golden_records, model_events
from ..streams.buckets import buckets
from .copying import Copying, Stated

ROLE = "clerk"


class Source(NamedTuple):
    """A topic of facts."""

    of: str  #: the kind that they are on the summaries
    topic: str  #: without the prefix
    #: A record's fact, by application, key, value and headers; None: none of this kind. Raises as `driftbus.consumers.bus.own.read` does.
    read: Callable[[str, bytes | None, bytes | None, Headers], Stated | None]
    asked: Callable[[Configuration], bool] = lambda _: True  #: whether a configuration has it
    compacted: bool = True


def _said_of_models(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Stated | None:
    """Tombstones say nothing: what was copied has been read by others."""
    if key is None or value is None:
        return None
    if coincidences.is_one(key):
        return coincidences.read(application, key, value, headers)
    return model_events.read(application, key, value, headers) if model_events.is_one(key) else None


def _evaluation(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Stated | None:
    """What a request came to. Requests, starts and answers are the evaluator's business, who tells of strangers there, too."""
    try:
        said = None if value is None else golden_records.read(application, key, value, headers)
    except (own.Foreign, own.Unreadable):
        return None
    return said if isinstance(said, GoldenEvaluation) else None


def _feedback(application: str, key: bytes | None, value: bytes | None, headers: Headers) -> Stated | None:
    """What a person says of an incident; nothing is an answer to nothing."""
    return None if value is None else feedback.read(application, key, value, headers)


#: What is copied; the first is the one whose snapshots bear the role's name alone.
SOURCES = (
    Source("model", "models", _said_of_models),
    Source("golden", "golden", _evaluation, golden_records.asked),
    Source("feedback", "feedback", _feedback, feedback.asked, compacted=False),
)


def make(making: Making, sources: Sequence[Source] = SOURCES) -> list[Folding[Stated, Evidence]]:
    """The one clerk of a process, for all sources."""
    copied = [Copied(making.configuration, source) for source in sources if source.asked(making.configuration)]
    return [Folding(making.bus, making.configuration, copied, making.wall, role=ROLE)]


class Copied:
    """The facts of one source, and how they are written."""

    def __init__(self, configuration: Configuration, source: Source) -> None:
        self._configuration, self._source = configuration, source
        self.compacted = source.compacted
        self.role = ROLE if source == SOURCES[0] else f"{ROLE}-{source.of}"
        self.topic = configuration.topics.named(source.topic)

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Stated | None:
        """A fact."""
        return self._source.read(self._configuration.application, key, value, headers)

    def begin(self) -> Copying:
        """Nothing seen."""
        return Copying(self._configuration, self._source.of)

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Stated]) -> Copying:
        """From a snapshot."""
        return Copying(self._configuration, self._source.of, dict(state.fold["copied"]))

    def outputs(self, said: Evidence, partition: int) -> list[Output]:
        """One fact, where its model's panes lie."""
        topics = self._configuration.topics
        return [addressed(self._configuration, topics.summaries, said, partition_of(said.model, topics.partitions))]

    def progress(self, place: InputPartition, partitions: int, now: int, *, anew: bool, ended: bool) -> list[Output]:
        """How far it is complete, for every stream: live as a partition on which nothing comes; else it has ended.

        A topic like this is quiet for weeks, and must not hold up what is awaited beside it.
        """
        topics = self._configuration.topics
        known = (InputTopic(topic=place.topic, topic_id=place.topic_id, partitions=partitions),)
        outputs: list[Output] = []
        for name, stream in self._configuration.streams.items():
            live = stream.clock == "live"
            if not live and not anew:
                continue
            through = buckets(stream.pane).start(now - stream.linger - stream.grace) if live else None
            one = Progress(
                stream=name,
                source=place,
                through=through,
                ended=ended or not live,
                by_clock=live,
                topics=known,
                of=self._source.of,
            )
            said = addressed(self._configuration, topics.summaries, one, None)
            outputs += (said._replace(partition=number) for number in range(topics.partitions))
        return outputs
