"""The Kafka bus: confluent-kafka, read_committed, transactions."""

import logging
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from . import kafka_errors, kafka_settings
from .instance import Claim
from .interface import Assignment, Batch, BusError, InstanceInUse, Output, Position, TopicDescription, TopicPartition
from .kafka_admin import Cluster
from .kafka_batches import batches, split, take
from .kafka_closing import close
from .kafka_errors import Ended
from .kafka_flow import STALLED_S
from .kafka_members import rival
from .kafka_patience import COMMAND_S, Patience
from .kafka_session import KafkaSession
from .kafka_settings import Settings
from .kafka_transactions import Aborted, Transactions

_log = logging.getLogger(__name__)

_READ = 10_000
_WAIT_S = 0.1
#: Seconds in which a reader may be told who leads a topic: by itself it looks for the leaders of a new one once a second.
_KNOWN_S = 1.0
#: Seconds without a word after which a reader is replaced.
_SILENT_S = 5.0
#: Seconds that `publish` waits until readers can see what it wrote: as long as somebody else's open transaction can hide it.
_VISIBLE_S = 15


class KafkaBus:
    """A bus on a Kafka cluster. ``settings`` are librdkafka's; the user's override ours, except those that the promises rest on.

    ``patience_s``: how long what can heal is waited for; None: for ever, as a running consumer does. ``stalled_s``: see `kafka_flow`.
    """

    def __init__(
        self, settings: Settings, application: str, instance: str, patience_s: float | None = COMMAND_S, stalled_s: float = STALLED_S
    ) -> None:
        kafka_settings.check(settings)
        self._patience = Patience(patience_s)
        self._stalled_s = stalled_s
        self._settings = settings
        self._application = application
        self._instance = instance
        self._cluster = Cluster(settings, self._patience)
        self._cluster.reach()
        self._sessions: list[tuple[KafkaSession, Claim]] = []
        self._readers: list[Consumer] = []  # idle ones
        self._publisher: Transactions | None = None
        self._publishing = threading.Lock()

    def describe(self, topics: Sequence[str], *, settings: bool = True) -> dict[str, TopicDescription]:
        """Those of the topics that exist; without the ACL DescribeConfigs on a topic, its settings are empty."""
        return self._cluster.describe(topics, settings=settings)

    def create(self, topic: str, partitions: int, replication: int = 1, settings: Mapping[str, str] | None = None) -> None:
        """Make a topic, and wait until it is known."""
        self._cluster.create(topic, partitions, replication, settings or {})

    def delete(self, topic: str) -> None:
        """Remove a topic, and what groups had committed on it."""
        self._cluster.delete(topic)

    def watermarks(self, source: TopicPartition, *, committed: bool = True) -> tuple[int, int]:
        """First offset, and the end: in front of the first open transaction, or of all records."""
        return self._cluster.spans([source], committed=committed)[source]

    def offset_at(self, source: TopicPartition, time_ms: int) -> int:
        """The first offset whose record's timestamp is at or after a time; the end of committed records if there is none."""
        found = self._cluster.at_time(source, time_ms)
        return self.watermarks(source)[1] if found is None else found

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Position]:
        """What a group (``application-role``) has committed; waits for transactions that are about to say."""
        return self._cluster.committed(group, partitions)

    def read(self, source: TopicPartition, start: int, end: int) -> Iterator[Batch]:
        """Committed records with start <= offset < end, as far as records are there now; waits for open transactions among them."""
        end = min(end, self._held(source, start)[1]) if start < end else start
        if start >= end:
            return
        reader, trying = self._reader_at(source, start), self._patience.trying(f"reading {source}")
        heard = time.monotonic()
        try:
            while start < end:
                records, events = split(take(reader, _READ, _WAIT_S))
                events = [event for event in events if event[1].code() != KafkaError.GROUP_AUTHORIZATION_FAILED]  # it needs no group
                for batch in batches(records):
                    yield from _before(batch, end)
                    start = int(batch.offsets[-1]) + 1
                for _, error, offset in events:
                    if error.code() == KafkaError._PARTITION_EOF:
                        start = max(start, offset)
                    elif error.code() in kafka_errors.ABOUT_OFFSETS:
                        self._held(source, start)  # retention may have overtaken it
                        trying.nothing_came()
                        reader.assign([KafkaPartition(*source, start)])
                    else:
                        trying.failed(error)
                if records or events:
                    heard, trying = time.monotonic(), trying if events else self._patience.trying(f"reading {source}")
                elif time.monotonic() - heard > _SILENT_S:  # a new client knows no leader that is gone
                    trying.failed(self._silence(source))
                    reader.close()
                    reader, heard = self._reader_at(source, start, new=True), time.monotonic()
        finally:
            reader.unassign()
            self._readers.append(reader)

    def _silence(self, source: TopicPartition) -> KafkaError:
        """Why nothing comes of what is there."""
        (_, committed), (_, end) = self.watermarks(source), self.watermarks(source, committed=False)
        if committed == end:
            return KafkaError(KafkaError._TIMED_OUT)
        msg = f"the transaction that begins at offset {committed} is open; where it stays so, kafka-transactions.sh find-hanging names it"
        return KafkaError(KafkaError._TIMED_OUT, msg)

    def _held(self, source: TopicPartition, start: int) -> tuple[int, int]:
        """From where to where a partition reaches, if it still holds an offset that is to be read."""
        low, high = self.watermarks(source, committed=False)
        if start < low and start < high:
            msg = f"{source}: offsets {start} to {low - 1} are gone (retention); read from {low} on"
            raise BusError(msg)
        return low, high

    def _reader_at(self, source: TopicPartition, start: int, *, new: bool = False) -> Consumer:
        reader = self._readers.pop() if self._readers and not new else self._reader()
        with suppress(KafkaException):  # reading says what is wrong
            reader.list_topics(source.topic, _KNOWN_S)
        reader.assign([KafkaPartition(*source, start)])
        return reader

    def _reader(self) -> Consumer:
        quick = {"fetch.wait.max.ms": 10, **self._settings}  # it asks only for what is there
        settings = kafka_settings.consumer(quick, f"{self._application}-reader")  # joins nothing: it only assigns
        return Consumer(settings, logger=_log, error_cb=kafka_errors.report)

    def publish(self, outputs: Sequence[Output]) -> None:
        """Write these in one transaction, under an id of this bus alone; returns when readers of committed records see them."""
        trying = self._patience.trying(f"writing {len(outputs)} records")
        with self._publishing:
            if self._publisher is None:
                name = f"{self._application}-publish-{uuid.uuid4().hex}"
                settings: Settings = {"transaction.timeout.ms": int(COMMAND_S) * 1000, **self._settings}
                self._publisher = Transactions(settings, name, self._patience)
            while True:
                try:
                    self._publisher.run(outputs)
                    break
                except Aborted as aborted:
                    trying.failed(aborted.error)
                except Ended:
                    self._publisher = None  # the next is written by another; whether these are written, nobody knows
                    raise
        self._await_visible({output.topic for output in outputs})

    def _await_visible(self, topics: set[str]) -> None:
        """A commit is answered before its markers are in the log: a moment passes until its records count as committed."""
        deadline = time.monotonic() + _VISIBLE_S
        sources = [TopicPartition(d.name, p) for d in self.describe(sorted(topics), settings=False).values() for p in range(d.partitions)]
        ends = {source: high for source, (_, high) in self._cluster.spans(sources, committed=False).items()}
        while ends and time.monotonic() < deadline:
            seen = self._cluster.spans(list(ends), committed=True)
            ends = {source: end for source, end in ends.items() if seen[source][1] < end}

    def session(self, role: str, topics: Sequence[str], assignment: Assignment) -> KafkaSession:
        """Join group ``application-role`` as static member ``application-role-instance``.

        Raises `InstanceInUse` where another live process of this machine has that name; or where a member of that name, which no process of
        this machine has been, is still there after a session timeout: it lives elsewhere. What slips through is fenced at its next commit.
        """
        group, instance = f"{self._application}-{role}", f"{self._application}-{role}-{self._instance}"
        if missing := sorted(set(topics) - self.describe(topics, settings=False).keys()):
            msg = f"group {group}: there is no topic {', '.join(missing)}; create it first (driftbus topics create makes our own)"
            raise BusError(msg)
        claim = Claim(f"{self._settings['bootstrap.servers']}\n{instance}", f"instance {self._instance} of group {group}")
        try:
            self._await_dead_member(group, instance, claim.noted())
            session = KafkaSession(self._settings, group, instance, topics, assignment, claim, self._patience, self._stalled_s)
        except BaseException:
            claim.release()
            raise
        self._sessions.append((session, claim))
        return session

    def _await_dead_member(self, group: str, instance: str, predecessor: str) -> None:
        """Our own predecessor may be replaced at once; a stranger of our name is given a session timeout to prove that it is dead."""

        def ours(member: str) -> bool | None:
            return member == predecessor or None

        if member := rival(self._cluster, self._settings, group, instance, ours, self._patience):
            msg = (
                f"instance {instance} is a live member of group {group}, on {member.host}: "
                "end that process, or give this one another name (instance:)"
            )
            raise InstanceInUse(msg)

    def stop(self) -> None:
        """The process is to end: what waits for the brokers raises `Stopped` within seconds."""
        self._patience.stop()

    def close(self) -> None:
        """Close sessions and clients."""
        for session, claim in self._sessions:
            session.close()
            claim.release()
        self._sessions.clear()
        steps = [reader.close for reader in self._readers] + ([self._publisher.close] if self._publisher else [])
        self._readers.clear()
        self._publisher = None
        if steps:
            close(f"application {self._application}", self._patience.closing_s, *steps)


def _before(batch: Batch, end: int) -> Iterator[Batch]:
    """The part of a batch in front of an offset, if there is one."""
    n = int((batch.offsets < end).sum())
    if n == len(batch):
        yield batch
    elif n:
        yield Batch(
            batch.source,
            batch.offsets[:n],
            batch.timestamps[:n],
            batch.values[:n],
            lambda: batch.keys()[:n],
            lambda: batch.headers()[:n],
            batch.append_time,
        )
