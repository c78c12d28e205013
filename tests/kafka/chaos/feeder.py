"""The input of a chaos run: minute after minute of the determinism tests' hour, in small transactions at an even pace.

It comes on time in front of a broker that is away: what was due meanwhile follows at once. New partitions are used from the minute on at
which the product has said, in every partition of the summaries, that it knows them. Only so does the number of partitions change no
event: a partition of which it does not know holds up no bucket, and its rows would come too late for theirs.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from confluent_kafka import KafkaException, Producer

from driftbus.consumers.bus.interface import BusError, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.streams.records import end_records
from driftbus.consumers.streams.summaries import facts_of
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.progress import Progress

from ...streaming import BEGINNING
from ..determinism.world import CHUNK_S, PANE_MS, PARTITIONS, TOPIC, Chunk, Record

#: Added in the middle of a run.
NEW_PARTITIONS = 2
_EVERY_S = 0.25
_STEP_S = 10


def final(chunks: int) -> int:
    """All buckets of so many minutes end at or before it."""
    return BEGINNING + chunks * CHUNK_S * 1000


class Feeder(threading.Thread):
    """Feeds the chunks in so many seconds. ``error``: what ended it before its time."""

    def __init__(self, address: str, configuration: Configuration, chunks: Sequence[Chunk], seconds: float) -> None:
        super().__init__(name="feeder", daemon=True)
        self._address, self._configuration, self._chunks = address, configuration, chunks
        self._minute_s = seconds / len(chunks)
        self._partitions_added = threading.Event()
        self._wide_from: int | None = None  # chunk
        self.error: Exception | None = None
        self.fed = 0  #: records

    def partitions_added(self) -> None:
        """From now on ask whether the product knows them."""
        self._partitions_added.set()

    @property
    def wide_from(self) -> int | None:
        """The minute at which the new partitions came into use."""
        return self._wide_from

    def run(self) -> None:
        try:
            self._feed()
        except Exception as error:  # noqa: BLE001  # of a thread: told by whoever waits for it
            self.error = error

    def _feed(self) -> None:
        due = time.monotonic()
        with closing(_Transactions(self._address)) as log, closing(KafkaBus(self._configuration.kafka, "feeder", "feeder")) as bus:
            for number, chunk in enumerate(self._chunks):
                if self._wide_from is None and self._partitions_added.is_set() and self._known(bus):
                    self._wide_from = number
                    log.look_again()
                log.write(chunk.aborted, keep=False)
                rows = _spread(chunk.kept) if self._wide_from is not None else chunk.kept
                for some, pause_s in self._slices(rows):
                    log.write(some)
                    self.fed += len(some)
                    due += pause_s
                    time.sleep(max(0.0, due - time.monotonic()))  # the pace of the input is what a run is about
            log.look_again()
            partitions = PARTITIONS + NEW_PARTITIONS * self._partitions_added.is_set()
            ends = end_records(self._configuration.application, TOPIC, partitions, final(len(self._chunks)) + PANE_MS + 1_000)
            log.write([Record(end.partition or 0, end.timestamp or 0, None, end.headers) for end in ends])

    def _slices(self, rows: Sequence[Record]) -> Iterator[tuple[Sequence[Record], float]]:
        count = max(1, round(self._minute_s / _EVERY_S))
        each = -(-len(rows) // count)
        for start in range(0, len(rows), each):
            yield rows[start : start + each], self._minute_s / count

    def _known(self, bus: KafkaBus) -> bool:
        """Whether every partition of the summaries holds progress that speaks of the new partitions."""
        topics = self._configuration.topics
        try:
            return all(
                _told(bus, self._configuration.application, TopicPartition(topics.summaries, number)) for number in range(topics.partitions)
            )
        except BusError:  # a broker is away: asked again at the next minute
            return False


def _told(bus: KafkaBus, application: str, source: TopicPartition) -> bool:
    """By one of its last few thousand records."""
    first, end = bus.watermarks(source)
    facts = (fact for batch in bus.read(source, max(first, end - 3_000), end) for _, _, fact in facts_of(application, batch))
    return any(topic.partitions > PARTITIONS for fact in facts if isinstance(fact, Progress) for topic in fact.topics)


def _spread(rows: Sequence[Record]) -> list[Record]:
    """A quarter of the rows to the new partitions; none of the first few, which may be late or of a wrong clock."""
    return [row._replace(partition=PARTITIONS + i // 4 % NEW_PARTITIONS) if i >= 8 and i % 4 == 0 else row for i, row in enumerate(rows)]


class _Transactions:
    """Writes each part of the input once, however long the brokers are away."""

    def __init__(self, address: str) -> None:
        settings = {"bootstrap.servers": address, "transactional.id": "feeder", "retry.backoff.ms": 10, "linger.ms": 5}
        patience = {"transaction.timeout.ms": 600_000, "message.timeout.ms": 0}
        self._producer = Producer({**settings, **patience}, logger=logging.getLogger(__name__))
        self._producer.init_transactions(60)

    def write(self, records: Sequence[Record], *, keep: bool = True) -> None:
        """In one transaction, which is aborted where they are not to be kept: a gap in the offsets."""
        while records and not self._written(records, keep=keep):
            pass

    def _written(self, records: Sequence[Record], *, keep: bool) -> bool:
        wanted = keep
        self._producer.begin_transaction()
        for record in records:
            self._producer.produce(TOPIC, record.value, None, record.partition, timestamp=record.timestamp, headers=list(record.headers))
        self._producer.flush(_STEP_S)
        while True:
            try:
                (self._producer.commit_transaction if keep else self._producer.abort_transaction)(_STEP_S)
            except KafkaException as exception:
                error = exception.args[0]
                if error.txn_requires_abort():
                    keep = False
                    continue
                if not error.retriable():
                    raise
            else:
                return keep == wanted

    def look_again(self) -> None:
        """Learn of new partitions now."""
        self._producer.list_topics(TOPIC, timeout=60)

    def close(self) -> None:
        self._producer.close()
