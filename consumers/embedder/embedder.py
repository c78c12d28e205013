"""The embedder: messages in, the same messages with the vectors of their texts out. A hand.

*Guarantee.* Each record of the stream's topic is written once to `PREFIX.embeddings`, in the same partition, order and time, in the
transaction of the offset behind it. What died before that is asked for again; what was answered then is nobody's. From there on
vectors are facts: whoever reads, or reads again, has the same.

*Trap.* The embedder is asked by a thread, never in a turn; meanwhile nothing more is read.

*Trap.* A message is larger with its vector. Where the topic does not take it then, it passes without: else it would stop all for ever.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from ...detectors.neighbours.vectors import Vectors
from ...schemas.configuration import Configuration
from ...schemas.messages.notice import Notice
from ...schemas.messages.progress import InputPartition
from ..bus.addressing import addressed
from ..bus.interface import Batch, Bus, Output, Position, TopicPartition, Work
from ..bus.sizes import bytes_of, most_bytes
from ..calls.embedding import AskedEmbedder
from ..process.consumer import Making
from ..process.remaining import Remaining
from ..process.standing import Standing
from .message import HEADER, text_of, with_vector

ROLE = "embedder"
#: Records that are read at once, and so texts that are asked for in one go.
MOST_RECORDS = 500
#: What stands beside an offset that is committed: that the embedder answers, or since when (ms) it does not.
ANSWERS, FAILS = "answers", "fails"
_Answered = dict[str, Vectors | None]


def make(making: Making) -> list["StreamEmbedder"]:
    """The one of the stream that has an embedder, if any has."""
    name = making.configuration.embeds
    return [] if name is None else [StreamEmbedder(making.bus, making.configuration, name, making.wall)]


class StreamEmbedder:
    """The embedder of one process: a member of the group ``application-embedder``."""

    role = ROLE

    def __init__(self, bus: Bus, configuration: Configuration, name: str, wall: Callable[[], int]) -> None:
        stream = configuration.streams[name]
        assert stream.embedder is not None
        assert stream.embedder.reads is not None
        assert stream.embedded is not None
        self._bus, self._configuration, self._name, self._wall = bus, configuration, name, wall
        self._reads, (self._text, self._vector) = stream.embedder.reads, stream.embedded
        self._whose = (HEADER, stream.embedder.identity.encode())
        self._asks, self._thread = AskedEmbedder(stream.embedder), ThreadPoolExecutor(1, ROLE)
        self._most_bytes = 0  # of a record that is written
        self._committed: dict[TopicPartition, int] = {}
        self._told: dict[TopicPartition, str] = {}  # beside what is committed
        self._failing_since: int | None = None
        self._batches: list[Batch] = []  # that were read, and not written: those that are asked for first
        self._asked: tuple[int, Future[_Answered]] | None = None  # of how many of them, and the answer
        self._notices: dict[TopicPartition, list[Output]] = {}
        self._remaining: Remaining | None = None
        self._totals = {"embedded": 0, "not_embedded": 0}
        self._asks.start(f"streams.{name}.embedder")
        self._session = bus.session(ROLE, [self._reads], self)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        """Go on behind what is written; what retention took in front of that is told."""
        topic, to = self._bus.describe([self._reads], settings=False)[self._reads], self._configuration.topics.embeddings
        self._most_bytes = most_bytes(self._bus.describe([to])[to].settings)
        for source, committed in partitions.items():
            first, _ = self._bus.watermarks(source)
            self._committed[source] = first if committed is None else max(first, committed.offset)
            self._told[source] = "" if committed is None else committed.metadata
            if committed is not None and committed.offset < first:
                place = InputPartition(topic=source.topic, topic_id=topic.id, partition=source.partition)
                lost = Notice.lost(self._configuration.application, self._name, place, committed.offset, first)
                topics = self._configuration.topics
                told = addressed(self._configuration, topics.drift, lost, source.partition % topics.partitions)
                self._notices[source] = [told]
        return {source: self._committed[source] for source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget them: whoever has them now asks for their texts."""
        if self._asked is not None:
            of = sum(batch.source not in partitions for batch in self._batches[: self._asked[0]])
            self._asked = of, self._asked[1]
        self._batches = [batch for batch in self._batches if batch.source not in partitions]
        for source in partitions:
            self._committed.pop(source, None)
            self._told.pop(source, None)
            self._notices.pop(source, None)

    def turn(self, timeout_s: float) -> bool:
        """Read once, or write what was answered; whether there was anything to do."""
        batches = self._session.consume(MOST_RECORDS, timeout_s)
        self._batches += [batch for batch in batches if batch.source in self._committed and len(batch)]
        worked = self._commit()
        if self._asked is None and self._batches:
            asked = list(self._batches)
            self._asked = len(asked), self._thread.submit(self._answers, asked)
        self._hold()
        return bool(batches) or worked

    def finish(self) -> None:
        """Be `done` when all that the topic holds now has been written."""
        self._remaining = Remaining(self._bus, f"{self._configuration.application}-{ROLE}", [self._reads])

    @property
    def done(self) -> bool:
        """Every partition has been written to its end, here, and by the group."""
        if self._remaining is None:
            return False
        ours = all(position >= self._remaining.end(source) for source, position in self._committed.items())
        return ours and not self._remaining.left(besides=self._committed)

    def totals(self) -> Mapping[str, int]:
        """Rows that got a vector, and those with a text that got none."""
        return self._totals

    def standing(self) -> Standing:
        """How it stands between two turns."""
        at_end = self._session.at_end()
        return Standing(dict.fromkeys(self._committed), {source for source in at_end if self._committed.get(source, -1) >= at_end[source]})

    def close(self) -> None:
        """Give up what is under way: whoever comes next asks again."""
        self._asks.stop()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._asks.close()
        self._session.close()

    def _answers(self, batches: Sequence[Batch]) -> _Answered:
        """In the thread."""
        texts = list(dict.fromkeys(text for batch in batches for value in batch.values if (text := self._wanted(value)) is not None))
        return dict(zip(texts, self._asks.vectors(texts), strict=True))

    def _wanted(self, value: bytes | None) -> str | None:
        return text_of(value, self._text, self._vector)

    def _hold(self) -> None:
        """While it is asked nothing more is read: what waits is bounded, and the lag tells."""
        ours, paused = self._session.assignment(), self._session.paused()
        if self._asked is not None and (more := ours - paused):
            self._session.pause(sorted(more))
        elif self._asked is None and paused:
            self._session.resume(sorted(paused))

    def _commit(self) -> bool:
        """Write what was answered, and what was told; whether any records were."""
        written = self._taken()
        outputs = {source: one.outputs for source, one in written.items()}
        waiting = {batch.source for batch in self._batches}
        # At its end a partition's position is behind control records, too, which nobody gets.
        positions = {source: position for source, position in self._session.at_end().items() if source not in waiting}
        positions |= {source: max(one.position, positions.get(source, 0)) for source, one in written.items()}
        state = self._state()
        work = [
            Work(
                source,
                [*self._notices.get(source, ()), *outputs.get(source, ())],
                Position(positions.get(source, committed), state or self._told[source]),
            )
            for source, committed in self._committed.items()
            if source in self._notices or positions.get(source, committed) > committed or state not in ("", self._told[source])
        ]
        done = self._session.commit(work) if work else set[TopicPartition]()
        for one in work:
            if one.source in done and one.source in self._committed:
                self._committed[one.source] = one.position.offset
                self._told[one.source] = one.position.metadata
                self._notices.pop(one.source, None)
        for source in done & written.keys():
            self._totals["embedded"] += written[source].embedded
            self._totals["not_embedded"] += written[source].not_embedded
        return bool(written)

    def _state(self) -> str:
        """Whether the embedder answers, for whoever looks at what the group has committed; empty: nothing is known yet."""
        answers = self._asks.answers
        if answers is not False:
            self._failing_since = None
            return "" if answers is None else ANSWERS
        if self._failing_since is None:
            self._failing_since = self._wall()
        return f"{FAILS} {self._failing_since}"

    def _taken(self) -> "dict[TopicPartition, _Written]":
        """What is answered, as it is written."""
        found: dict[TopicPartition, _Written] = {}
        if self._asked is None or not self._asked[1].done():
            return found
        (number, answer), self._asked = self._asked, None
        answered, self._batches = self._batches[:number], self._batches[number:]
        vectors = answer.result()
        for batch in answered:
            own = found.setdefault(batch.source, _Written())
            own.position = int(batch.offsets[-1]) + 1
            columns = batch.timestamps.tolist(), batch.keys(), batch.values, batch.headers()
            for timestamp, key, value, headers in zip(*columns, strict=True):
                text = self._wanted(value)
                one = Output(self._configuration.topics.embeddings, batch.source.partition, key, value, headers or (), timestamp)
                vector = None if text is None else vectors[text]
                if vector is not None and (larger := self._with(one, vector)) is not None:
                    one = larger
                    own.embedded += 1
                else:
                    own.not_embedded += text is not None
                own.outputs.append(one)
        return found

    def _with(self, one: Output, vector: Vectors) -> Output | None:
        """The message with its vector; None: it is too large for the topic then."""
        assert one.value is not None
        larger = one._replace(value=with_vector(one.value, self._vector, vector), headers=(*one.headers, self._whose))
        return larger if bytes_of(larger.key, larger.value, larger.headers) <= self._most_bytes else None


@dataclass
class _Written:
    """What becomes of one partition's records: the same, with vectors; and the offset behind them."""

    outputs: list[Output] = field(default_factory=list)
    position: int = 0
    embedded: int = 0
    not_embedded: int = 0  #: with a text, and without a vector
