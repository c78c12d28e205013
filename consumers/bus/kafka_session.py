"""A member of a Kafka consumer group with its transactional producer."""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NoReturn

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaPartition

from . import kafka_errors, kafka_settings
from .instance import Claim
from .interface import Assignment, Batch, BusError, Fenced, TopicPartition, Work, check_start
from .kafka_admin import Cluster, committed, heed
from .kafka_asking import UNHEARD_S
from .kafka_batches import batches, split, take
from .kafka_closing import close
from .kafka_errors import Ended
from .kafka_flow import STALLED_S, Flow, Stall
from .kafka_members import rival, settled
from .kafka_patience import Patience
from .kafka_settings import Settings
from .kafka_transactions import Aborted, Transactions
from .kafka_unsettled import Positions, Unsettled

_log = logging.getLogger(__name__)

#: Seconds in which an aborted transaction's reason, a rebalance usually, may pass; longer where it does not.
_SERVE_S = 0.25
#: Clients in a row that end before something is committed, and the seconds between them: this takes five minutes.
_MOST_REVIVALS = 35
#: Seconds that a client lived for: then its end has nothing to do with that of the one before, also where there was nothing to commit.
_LIVED_S = 300.0
_FIRST_S, _LONGEST_S = 0.05, 10.0


class KafkaSession:
    """Reads as static member ``instance`` of ``group``; commits through transactional id ``instance``.

    Static: a process that dies and comes back within the session timeout has its partitions at once, and a closed session's partitions
    move to the others only after that timeout.

    Only what cannot get better by waiting ends it (`kafka_error_table`). A client that can do no more is replaced: librdkafka fences
    itself when it misses a dead coordinator for a session timeout (its issue 3437), and coordinators abort what takes too long. The group
    says whether the name is still ours (`rival`). All partitions are revoked, and come back with what the group has committed.

    What is to be delivered is told the client at every assignment and never remembered as done (`Flow`); a partition of which nothing
    comes although it has records is read again from where it was, then with new clients. So are those replaced that do not get
    into a group although it waits for nobody, or do not hear what it has committed: a broker that they have dropped is asked for ever.
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        instance: str,
        topics: Sequence[str],
        assignment: Assignment,
        claim: Claim,
        patience: Patience,
        stalled_s: float = STALLED_S,
    ) -> None:
        self._settings = settings
        self._group = group
        self._instance = instance
        self._topics = list(topics)
        self._assignment = assignment
        self._claim = claim
        self._patience = patience
        self._cluster = Cluster(settings, patience)
        self._member = claim.noted()  # as the group last knew us: our predecessor
        self._lost: set[TopicPartition] = set()  # taken from us since this call began, even where they came back
        self._flow = Flow(stalled_s)
        self._closed = False
        self._ended: Fenced | None = None  # another process has the name
        self._revivals = 0  # since the last commit
        self._astray: set[TopicPartition] = set()  # likewise: what was to be read from where it holds nothing
        self._join()

    def _join(self, unsettled: Unsettled | None = None) -> None:
        """Transactions first: what was left open is decided before positions are read."""
        self._broken: Exception | None = None  # what a callback raised, or a seek between two reads
        self._transactions = Transactions(self._settings, self._instance, self._patience, unsettled)
        settings = kafka_settings.consumer(self._settings, self._group, self._instance)
        try:
            self._consumer = Consumer(settings, logger=_log, error_cb=kafka_errors.report)
            self._released = False
            self._consumer.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)
        except KafkaException as exception:
            kafka_errors.refuse(kafka_errors.error_of(exception), f"group {self._group}")
        self._joined_at = time.monotonic()

    def _begin_anew(self, why: Ended | KafkaException) -> None:
        """With new clients; unless another live process has our name in the group, or each ends as soon as it begins."""
        if isinstance(why, KafkaException) and kafka_errors.permanent(error := kafka_errors.error_of(why)):
            kafka_errors.refuse(error, f"group {self._group}")
        self._revivals = 1 if time.monotonic() - self._joined_at > _LIVED_S else self._revivals + 1
        if self._revivals > _MOST_REVIVALS:
            msg = f"{why}; {_MOST_REVIVALS} clients of group {self._group} in a row ended before they had committed anything"
            raise BusError(msg) from why
        self._patience.pause(min(_FIRST_S * 2**self._revivals, _LONGEST_S))
        self._release()
        self._revoke(list(self._flow.ours))
        cluster = Cluster(self._settings, self._patience)  # a new client, which knows no dead coordinator
        if other := rival(cluster, self._settings, self._group, self._instance, self._ours, self._patience):
            msg = f"group {self._group}: a process on {other.host} has taken the place of instance {self._instance}; this one ends"
            self._ended = Fenced(msg)
            raise self._ended from why
        _log.warning("%s; the group has no other instance of this name: joining again", why)
        self._join(self._transactions.unsettled)

    def _ours(self, member: str) -> bool | None:
        if member == self._member:
            return True
        return False if member == self._claim.noted() else None  # written down by another session of this process

    def _on_assign(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        if self._is_past(consumer):
            return
        try:
            self._assign(consumer, partitions)
        except Exception as error:  # noqa: BLE001  # the client would lose it: it is raised where the callback was served
            self._broken = self._broken or error

    def _is_past(self, consumer: Consumer) -> bool:
        """Whether it is a client that was replaced, and still has something to say."""
        return self._released or consumer is not self._consumer

    def _assign(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        self._note(consumer)
        if not partitions:
            return
        sources = [TopicPartition(p.topic, p.partition) for p in partitions]
        positions = committed(consumer, self._group, sources, self._patience, UNHEARD_S)
        new = {source: positions.get(source) for source in sources}
        starts = self._assignment.assigned(new)
        begin = {source: starts.get(source, position.offset if position else OFFSET_BEGINNING) for source, position in new.items()}
        assign = consumer.incremental_assign if kafka_settings.incremental(self._settings) else consumer.assign
        assign([KafkaPartition(*source, offset) for source, offset in begin.items()])
        self._flow.begin(consumer, begin)

    def _note(self, consumer: Consumer) -> None:
        if member := consumer.memberid():  # none while the group is being joined again
            self._member = member
            self._claim.note(member)

    def _on_revoke(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        if not self._is_past(consumer):
            self._revoke([source for p in partitions if (source := TopicPartition(p.topic, p.partition)) in self._flow.ours])

    def _revoke(self, gone: Sequence[TopicPartition]) -> None:
        self._lost.update(gone)
        self._flow.forget(gone)
        if not self._closed and gone:
            self._assignment.revoked(gone)

    def consume(self, most: int, timeout_s: float) -> list[Batch]:
        """Up to ``most`` records; what is there is returned as soon as the first has come."""
        if self._ended is not None:
            raise self._ended
        try:
            return self._consume(most, timeout_s)
        except (Ended, KafkaException) as why:
            self._begin_anew(why)
            return []

    def _consume(self, most: int, timeout_s: float) -> list[Batch]:
        self._transactions.poll()
        self._lost.clear()
        messages = self._taken(most, timeout_s)
        anew = {source: self._flow.position(source) for source in self._lost & self._flow.ours}  # before their ends are heard
        records, astray = self._heard(messages)
        found = [batch for batch in batches(records) if batch.source in self._flow.ours]
        if self._lost:  # what was handed out before, or said of their ends, is not of what is to be read now
            for source in {TopicPartition(m.topic() or "", m.partition() or 0) for m in messages} & anew.keys():
                self._seek(source, anew[source])
            found = [batch for batch in found if batch.source not in self._lost]
            astray = [one for one in astray if one[0] not in self._lost]
        for batch in found:
            self._flow.delivered(batch.source, int(batch.offsets[-1]))
        try:
            for one in astray:
                self._out_of_range(*one)
        except BusError as why:
            if not found:
                raise
            self._broken = self._broken or why  # what came in front of it is handed out, and may be committed, first
        self._flow.listened(drained=len(messages) < most)
        for stall in self._flow.stalls(self._cluster):
            self._take_up(stall)
        if self._flow.outside(self._consumer.memberid) and settled(
            self._cluster, self._settings, self._group, self._instance, self._patience
        ):
            msg = f"group {self._group}: it waits for nobody, and the client does not come to be a member"
            raise Ended(msg)
        return found

    def _taken(self, most: int, timeout_s: float) -> list[Message]:
        try:
            return take(self._consumer, most, timeout_s)
        except KafkaException as exception:
            heed(self._cluster, self._group, self._topics, kafka_errors.error_of(exception))
            return []

    def _heard(self, messages: list[Message]) -> tuple[list[Message], list[tuple[TopicPartition, KafkaError, int]]]:
        """The records, and positions that are not there, after what else there was to hear."""
        if isinstance(self._broken, KafkaException):
            kafka_errors.end(kafka_errors.error_of(self._broken), f"group {self._group}")
        if self._broken is not None:
            raise self._broken
        records, events = split(messages)
        astray = []
        for source, error, offset in events:
            if error.code() == KafkaError._PARTITION_EOF:
                self._flow.ended(source, offset)
            elif error.code() in kafka_errors.ABOUT_OFFSETS:
                astray.append((source, error, offset))
            else:
                heed(self._cluster, self._group, [source.topic] if source.topic else self._topics, error)
        return records, astray

    def _out_of_range(self, source: TopicPartition, error: KafkaError, offset: int) -> NoReturn:
        """This client reads no more of it, wherever from. A new one may: a leader that was catching up will hold it.

        And of a topic that was made again, or lost records, its reader says where to go on. Said once more, it is asked before ending.
        """
        if source in self._astray:
            check_start(self._group, source, offset, self._cluster.spans([source], committed=False)[source])
        self._astray.add(source)
        kafka_errors.report(error)
        msg = f"group {self._group}: {source} cannot be read from {offset} on"
        raise Ended(msg)

    def _take_up(self, stall: Stall) -> None:
        msg = (
            f"group {self._group}: nothing came of {stall.source} for a while, "
            f"although it is to be read from {stall.position} on and ends at {stall.end}"
        )
        if stall.times > 1:
            raise Ended(msg)
        _log.warning("%s: reading it again from there", msg)
        self._flow.tell(self._consumer, [stall.source])
        self._seek(stall.source, stall.position)

    def commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        """Write outputs and positions in one transaction, in these steps.

        1. Drop the work of partitions that were taken from us.
        2. Begin; produce all outputs; send all positions, with the group's metadata as it is now; commit.
        3. Where that was aborted: serve the group (it may take partitions), and go to 1. Where the client was interrupted in it, the group
           is asked whether it was committed.

        Where it is not known what became of the transaction, all partitions are revoked: those that come back say how far it was done.
        """
        if self._ended is not None:
            raise self._ended
        try:
            return self._commit(work)
        except (Ended, KafkaException) as why:
            self._begin_anew(why)
            return set()

    def _commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        self._lost.clear()
        trying = self._patience.trying(f"group {self._group}: transaction")
        while True:
            todo = [w for w in work if w.source in self._flow.ours and w.source not in self._lost]  # 1
            if not todo:
                return set()
            try:
                sure = self._transactions.run([output for w in todo for output in w.outputs], partial(self._positions, todo))  # 2
            except Aborted as aborted:
                _log.info("group %s: transaction aborted (%s); trying again", self._group, aborted)
                self._serve_group(min(trying.judged(aborted.error), _SERVE_S))  # 3
            else:
                if not sure:
                    self._ask_of_the_last(todo)
                self._revivals = 0
                self._astray.clear()
                return {w.source for w in todo}

    def _ask_of_the_last(self, work: Sequence[Work]) -> None:
        """The client says that it was committed: it is if the group has its positions. Else a new client settles it."""
        found = committed(self._consumer, self._group, [w.source for w in work], self._patience, UNHEARD_S)
        for w in work:
            if w.source not in found or found[w.source].offset != w.position.offset:
                msg = f"group {self._group}: a commit was said to be done, and {w.source} is not at {w.position.offset}"
                raise Ended(msg)
        self._transactions.done()

    def _positions(self, work: Sequence[Work]) -> Positions:
        positions = [KafkaPartition(*w.source, w.position.offset, w.position.metadata) for w in work]
        return positions, self._consumer.consumer_group_metadata()

    def _serve_group(self, seconds: float) -> None:
        """Let a rebalance happen, and deliver nothing meanwhile."""
        self._flow.silence(self._consumer, silent=True)
        deadline = time.monotonic() + seconds
        try:
            while (remaining := deadline - time.monotonic()) > 0:
                records, astray = self._heard(self._taken(1, remaining))
                for batch in batches(records):  # none is to come: one that does is read again
                    if batch.source in self._flow.ours:
                        self._seek(batch.source, self._flow.position(batch.source))
                for one in astray:
                    self._out_of_range(*one)
        finally:
            self._flow.silence(self._consumer, silent=False)

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this session's now."""
        return self._flow.ours

    def joined(self) -> bool:
        """Whether the group has given it an id."""
        return bool(self._consumer.memberid())

    def at_end(self) -> Mapping[TopicPartition, int]:
        """Partitions read to their end, with the position there: behind trailing control records."""
        return self._flow.ends

    def uncommitted(self) -> Mapping[TopicPartition, int]:
        """Those with records behind their end, as far as the client has heard: a transaction is open in front of them."""
        ends = self._flow.ends.items()
        found = {source: self._consumer.get_watermark_offsets(KafkaPartition(*source), cached=True) for source, _ in ends}
        return {source: found[source][1] - end for source, end in ends if found[source] and found[source][1] > end}

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing of these until `resume`."""
        self._flow.hold(self._consumer, partitions, held=True)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver these again."""
        self._flow.hold(self._consumer, partitions, held=False)

    def paused(self) -> frozenset[TopicPartition]:
        """Those of which nothing is to be delivered."""
        return self._flow.held

    def seek(self, source: TopicPartition, offset: int) -> None:
        """Read on from here; where the client cannot do so any more, the next `consume` begins anew."""
        try:
            self._seek(source, offset)
        except Ended as why:
            self._broken = self._broken or why

    def _seek(self, source: TopicPartition, offset: int) -> None:
        if source in self._flow.ours:
            self._flow.seek(self._consumer, source, offset, self._patience)

    def close(self) -> None:
        """End; as a static member it is not missed before the session timeout, unless it comes back."""
        if not self._closed:
            self._closed = True
            self._release()

    def _release(self) -> None:
        """Serve the callbacks that are due first: the client can wait for ever for the answer to one. Before, note who it has become."""
        if not self._released:
            self._released = True
            consumer, transactions = self._consumer, self._transactions
            if self._claim.noted() == self._member:  # else another session of this process has the name by now
                self._note(consumer)
            steps = partial(consumer.consume, 1, 0), consumer.close, transactions.close
            close(f"instance {self._instance}", self._patience.closing_s, *steps)
