"""The joiner: predictions, labels and rows of feature logs in, what became of the predictions and whether they were served the values of
training out. A fold.

*Guarantee.* That of the folding consumer (`driftbus.consumers.process.folding`): outcome panes are a pure function of a partition of the
joins topic. What waits is never written: a successor folds the last two waits of the topic again.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import suppress
from functools import partial

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ...schemas.messages.block import Block
from ...schemas.messages.contest import Contest
from ...schemas.messages.examples import Examples
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import InputTopic, Progress
from ...schemas.messages.review import ReviewLabel
from ...schemas.stored.snapshot import PartitionState
from ..bus import own
from ..bus.addressing import addressed, partition_of
from ..bus.interface import Bus, Output, TopicPartition
from ..process.consumer import Making
from ..process.folding import Folding
from ..process.plugins import metrics_for
from ..reference import reviews
from ..reference.outcomes import Bases
from .blocks import MOST_BYTES, Blocks, Kept
from .counted import CountedBy
from .fold import Fold, Said
from .reads import of_stream
from .whole import sampled

ROLE = "joiner"
READERS: Mapping[str, Callable[[bytes], Block | Progress]] = {Block.TYPE: Block.decoded, Progress.TYPE: Progress.decoded}


def make(making: Making) -> list[Folding[Block | Kept | Progress, Said]]:
    """The one joiner of a process, for all labels and feature logs; none where there are none."""
    configuration = making.configuration
    if not configuration.joins:
        return []
    joining = Joining(making.bus, configuration, Bases(configuration, making.store.reference, metrics_for(configuration)))
    return [Folding(making.bus, configuration, joining, making.wall)]


def _of_its_stream(fact: Block | Progress | None) -> Block | Progress | None:
    """With topics called as in their stream."""
    if fact is None:
        return None
    if isinstance(fact, Block):
        return fact.model_copy(update={"topic": of_stream(fact.stream, fact.topic)})
    topics = tuple(topic.model_copy(update={"topic": of_stream(fact.stream, topic.topic)}) for topic in fact.topics)
    source = fact.source.model_copy(update={"topic": of_stream(fact.stream, fact.source.topic)})
    return fact.model_copy(update={"topics": topics, "source": source})


class Joining:
    """Folds of the joins topic, and how what they say is written."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration, basis_of: CountedBy) -> None:
        self._bus, self._configuration, self._basis_of = bus, configuration, basis_of
        self.topic = configuration.topics.joins
        found = bus.describe([self.topic]).get(self.topic)
        if found is None:
            msg = f"topic {self.topic} does not exist: driftbus topics create"
            raise LookupError(msg)
        self._place = InputTopic(topic=found.name, topic_id=found.id, partitions=found.partitions)

    def read(self, key: bytes | None, value: bytes | None, headers: Headers) -> Block | Kept | Progress | None:
        """A block, or progress."""
        return _of_its_stream(own.read(self._configuration.application, READERS, value, headers))

    def begin(self) -> Fold:
        """Nothing seen."""
        return Fold(self._configuration, self._basis_of, self._blocks_of)

    def spared(self, fact: Block | Kept | Progress) -> Block | Kept | Progress:
        """A block without its rows."""
        return Kept.of(fact) if isinstance(fact, Block) else fact

    def restore(self, state: PartitionState, parts: Mapping[str, bytes], facts: Mapping[int, Block | Kept | Progress]) -> Fold:
        """From marks and the blocks that wait at them."""
        kept = {offset: fact for offset, fact in facts.items() if isinstance(fact, Kept)}
        return Fold.restored(self._configuration, self._basis_of, self._blocks_of, state, kept)

    def _blocks_of(self, partition: int) -> Blocks:
        return Blocks(partial(self._fetched, TopicPartition(self.topic, partition)), MOST_BYTES // self._place.partitions)

    def _fetched(self, source: TopicPartition, start: int, end: int, wanted: Set[int]) -> Iterator[tuple[int, Block]]:
        """Of the blocks from an offset to another those at these offsets."""
        for batch in self._bus.read(source, start, end):
            for offset, key, value, headers in zip(batch.offsets.tolist(), batch.keys(), batch.values, batch.headers(), strict=True):
                with suppress(own.Foreign, own.Unreadable):  # then it is gone
                    if offset in wanted and isinstance(fact := self.read(key, value, headers), Block):
                        yield offset, fact

    def outputs(self, said: Said, partition: int) -> list[Output]:
        """A pane where its model's evidence meets, examples where those of its model do; progress to all partitions of the summaries, and
        of the examples.
        """
        topics, fact = self._configuration.topics, said.fact
        if isinstance(fact, ReviewLabel):
            return [reviews.output(self._configuration, fact)]
        place = {"topic": self._place.topic, "topic_id": self._place.topic_id, "partition": partition}
        if isinstance(fact, Pane):
            pane, number = fact.model_copy(update=place), partition_of(fact.model, topics.partitions)
            return [addressed(self._configuration, topics.summaries, part, number, value) for part, value in pane.split()]
        if isinstance(fact, Examples):
            parts, number = fact.model_copy(update=place).split(), partition_of(fact.model, topics.partitions)
            return [addressed(self._configuration, topics.examples, part, number) for part in parts]
        if isinstance(fact, Contest):
            number = partition_of(fact.model, topics.partitions)
            return [addressed(self._configuration, topics.performance, fact.model_copy(update={"partition": partition}), number)]
        source = fact.source.model_copy(update=place)
        progress = fact.model_copy(update={"source": source, "topics": (self._place,)})
        written = addressed(self._configuration, topics.summaries, progress, None)
        read_by = [topics.summaries, *([topics.examples] if sampled(self._configuration, fact.stream) else [])]
        return [written._replace(topic=topic, partition=number) for topic in read_by for number in range(topics.partitions)]
