"""A member of a Kafka consumer group with its transactional producer."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NoReturn

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaPartition

from . import kafka_errors, kafka_settings
from .interface import Assignment, Batch, BusError, Fenced, TopicPartition, Work, check_start
from .kafka_admin import Cluster, committed
from .kafka_batches import batches, split, take
from .kafka_errors import Ended
from .kafka_settings import Settings
from .kafka_transactions import Aborted, Positions, Transactions

_log = logging.getLogger(__name__)

#: Seconds in which an aborted transaction's reason, a rebalance usually, may pass.
_SERVE_S = 0.05


class KafkaSession:
    """Reads as static member ``instance`` of ``group``; commits through transactional id ``instance``.

    Static: a process that dies and comes back within the session timeout has its partitions at once, and a closed session's partitions
    move to the others only after that timeout.

    The group says whose the name is. A client that can do no more has no rival while the group still has the member that it was, or none
    of that name: librdkafka fences itself when it misses a dead coordinator for a session timeout (its issue 3437), and coordinators abort
    what takes too long. Then the session begins anew: all partitions are revoked, and come back with what the group has committed.
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        instance: str,
        topics: Sequence[str],
        assignment: Assignment,
        cluster: Cluster,
        predecessor: str,
        joined: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._group = group
        self._instance = instance
        self._topics = list(topics)
        self._assignment = assignment
        self._cluster = cluster
        self._member = predecessor  # as the group last knew us
        self._joined = joined
        self._owned: set[TopicPartition] = set()
        self._lost: set[TopicPartition] = set()  # taken from us since `commit` began, even where they came back
        self._paused: set[TopicPartition] = set()
        self._ends: dict[TopicPartition, int] = {}
        self._closed = False
        self._join()

    def _join(self) -> None:
        """Transactions first: what was left open is decided before positions are read."""
        self._released = False
        self._silent = False  # nothing is to be delivered, of new partitions neither
        self._broken: Exception | None = None  # what a callback raised
        self._transactions = Transactions(self._settings, self._instance)
        settings = kafka_settings.consumer(self._settings, self._group, self._instance)
        self._consumer = Consumer(settings, logger=_log, error_cb=kafka_errors.report)
        self._consumer.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    def _begin_anew(self, why: BusError) -> None:
        """With new clients; unless the group knows another one by our name."""
        there = Cluster(self._settings).member(self._group, self._instance)  # a new client, which knows no dead coordinator
        if there is not None and there.member_id != self._member:
            msg = f"group {self._group}: a process on {there.host} has taken the place of instance {self._instance}; this one ends"
            raise Fenced(msg) from why
        _log.warning("%s; the group has no other instance of this name: joining again", why)
        self._release()
        self._revoke(list(self._owned))
        self._join()

    def _on_assign(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        if self._released:
            return
        try:
            self._assign(consumer, partitions)
        except Exception as error:  # noqa: BLE001  # the client would lose it: it is raised where the callback was served
            self._broken = self._broken or error

    def _assign(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        if member := consumer.memberid():  # none while the group is being joined again
            self._member = member
            self._joined(member)
        if not partitions:
            return
        sources = [TopicPartition(p.topic, p.partition) for p in partitions]
        positions = committed(consumer, self._group, sources)
        new = {source: positions.get(source) for source in sources}
        starts = self._assignment.assigned(new)
        begin = {source: starts.get(source, position.offset if position else OFFSET_BEGINNING) for source, position in new.items()}
        assign = consumer.incremental_assign if kafka_settings.incremental(self._settings) else consumer.assign
        assign([KafkaPartition(*source, offset) for source, offset in begin.items()])
        self._owned |= begin.keys()
        if silent := begin.keys() if self._silent else begin.keys() & self._paused:
            consumer.pause([KafkaPartition(*source) for source in silent])

    def _on_revoke(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        sources = (TopicPartition(p.topic, p.partition) for p in partitions)
        self._revoke([source for source in sources if source in self._owned])

    def _revoke(self, gone: Sequence[TopicPartition]) -> None:
        self._lost.update(gone)
        self._owned.difference_update(gone)
        self._paused.difference_update(gone)
        for source in gone:
            self._ends.pop(source, None)
        if not self._closed and gone:
            self._assignment.revoked(gone)

    def consume(self, most: int, timeout_s: float) -> list[Batch]:
        """Up to ``most`` records; what is there is returned as soon as the first has come."""
        try:
            return self._consume(most, timeout_s)
        except (Ended, Fenced) as why:
            self._begin_anew(why)
            return []

    def _consume(self, most: int, timeout_s: float) -> list[Batch]:
        self._transactions.poll()
        try:
            messages = take(self._consumer, most, timeout_s)
        except KafkaException as exception:
            self._refuse(kafka_errors.error_of(exception))
        records = self._hear(messages)
        found = [batch for batch in batches(records) if batch.source in self._owned]
        for batch in found:
            if self._ends.get(batch.source, -1) <= batch.offsets[-1]:
                self._ends.pop(batch.source, None)
        return found

    def _hear(self, messages: list[Message]) -> list[Message]:
        """The records, after what else there was to hear."""
        if self._broken is not None:
            raise self._broken
        records, events = split(messages)
        for source, error, offset in events:
            self._note(source, error, offset)
        return records

    def _note(self, source: TopicPartition, error: KafkaError, offset: int) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            self._ends[source] = offset
        elif error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:
            check_start(self._group, source, offset, self._cluster.spans([source], committed=False)[source])
            msg = f"group {self._group}: {source} cannot be read on: {error.str()}"
            raise BusError(msg)
        elif error.fatal() or error.code() == KafkaError._FATAL or kafka_errors.fenced(error) or kafka_errors.permanent(error):
            self._refuse(error)
        else:
            kafka_errors.report(error)

    def _refuse(self, error: KafkaError) -> NoReturn:
        if error.fatal() or error.code() == KafkaError._FATAL:  # of consumers, the one fatal error: the static member was replaced
            error = KafkaError(KafkaError._FENCED, error.str())
        kafka_errors.refuse(error, f"group {self._group}")

    def commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        """Write outputs and positions in one transaction, in these steps.

        1. Drop the work of partitions that were taken from us.
        2. Begin; produce all outputs; send all positions, with the group's metadata as it is now; commit.
        3. Where that was aborted: serve the group (it may take partitions), and go to 1.

        Where it is not known what became of the transaction, all partitions are revoked: those that come back say how far it was done.
        """
        try:
            return self._commit(work)
        except (Ended, Fenced) as why:
            self._begin_anew(why)
            return set()

    def _commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        self._lost.clear()
        while True:
            todo = [w for w in work if w.source in self._owned and w.source not in self._lost]  # 1
            if not todo:
                return set()
            try:
                self._transactions.run([output for w in todo for output in w.outputs], partial(self._positions, todo))  # 2
            except Aborted as aborted:
                _log.warning("group %s: transaction aborted (%s); trying again", self._group, aborted)
                self._serve_group()  # 3
            else:
                return {w.source for w in todo}

    def _positions(self, work: Sequence[Work]) -> Positions:
        positions = [KafkaPartition(*w.source, w.position.offset, w.position.metadata) for w in work]
        return positions, self._consumer.consumer_group_metadata()

    def _serve_group(self) -> None:
        """Let a rebalance happen, and deliver nothing meanwhile."""
        self._silent = True
        self._consumer.pause([KafkaPartition(*source) for source in self._owned])
        deadline = time.monotonic() + _SERVE_S
        while (remaining := deadline - time.monotonic()) > 0:
            self._hear(self._consumer.consume(1, remaining))
        self._silent = False
        self._consumer.resume([KafkaPartition(*source) for source in self._owned - self._paused])

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this session's now."""
        return frozenset(self._owned)

    def at_end(self) -> Mapping[TopicPartition, int]:
        """Partitions read to their end, with the position there: behind trailing control records."""
        return dict(self._ends)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing of these until `resume`."""
        new = set(partitions) - self._paused
        self._paused |= new
        self._consumer.pause([KafkaPartition(*source) for source in new & self._owned])

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver these again."""
        again = set(partitions) & self._paused
        self._paused -= again
        self._consumer.resume([KafkaPartition(*source) for source in again & self._owned])

    def seek(self, source: TopicPartition, offset: int) -> None:
        """Read on from here."""
        if source in self._owned:
            self._ends.pop(source, None)
            self._consumer.seek(KafkaPartition(*source, offset))

    def close(self) -> None:
        """End; as a static member it is not missed before the session timeout, unless it comes back."""
        if not self._closed:
            self._closed = True
            self._release()

    def _release(self) -> None:
        """First serve the callbacks that are due: at its close, the client can wait for ever for the answer to one."""
        if self._released:
            return
        self._released = True
        for step in (partial(self._consumer.consume, 1, 0), self._consumer.close, self._transactions.close):
            try:
                step()
            except KafkaException as exception:
                kafka_errors.report(kafka_errors.error_of(exception))
