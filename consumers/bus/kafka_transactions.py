"""One transactional producer: outputs and positions together, or not at all."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from . import kafka_errors, kafka_settings
from .interface import BusError, Output
from .kafka_admin import NOWHERE
from .kafka_closing import close
from .kafka_patience import Patience
from .kafka_settings import Settings
from .kafka_unsettled import Positions, Unsettled

_log = logging.getLogger(__name__)

#: Seconds a single step may take before it is looked whether to go on with it.
_STEP_S = 2
#: Seconds that positions may take: by default the brokers miss a dead one, and make another the group's coordinator, after nine.
_SEND_S = 10
_AGAIN_S, _LOOK_S = 0.05, 0.5
#: Seconds in which some broker may answer first: without one that is connected, the client looks for its coordinator every half a second.
_CONNECTED_S = 0.5


class Aborted(Exception):
    """The transaction left nothing behind; the same outputs may be tried again."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(error.str())
        self.error = error


class _Stuck(KafkaException):
    """The client does not get on with a step, and says at every try that another one may help."""


class Transactions:
    """Transactions of one transactional id, one after the other. A predecessor's open one is aborted at the start, and it is fenced.

    *Trap*: an aborted transaction may become a part of the next one, and be published with it, in two ways. Brokers may have left it open
    in a partition (`kafka_unsettled`): so it is aborted once more before anything else is done, here or, where the client has ended, by
    the one that takes its place and is told what is ``unsettled``. And what it wrote may still be on its way, on a connection of which
    nobody waits for an answer any more; librdkafka does not begin a new epoch with every transaction (KIP-890): so a producer that has
    aborted is replaced, and whatever its epoch still sends is fenced.

    *Trap*: librdkafka (2.10 and later) drops a broker that the others no longer name, as one that was silent for longer than
    `broker.session.timeout.ms`, and may go on asking that one for its coordinator when it is long back: every try times out and may be
    repeated, for ever (seen in 2.16). So no step is waited for longer than twice `transaction.timeout.ms`: behind that the
    coordinator keeps nothing open, and another client finds it anew.
    """

    def __init__(self, settings: Settings, transactional_id: str, patience: Patience, unsettled: Unsettled | None = None) -> None:
        self._name = transactional_id
        self._patience = patience
        self._settings = settings
        self.unsettled = unsettled  # begun to be written, and not committed
        self._failed: list[KafkaError] = []
        self._fatal: KafkaError | None = None
        self._within_s = 2 * kafka_settings.transaction_timeout_s(settings)
        self._producer = self._opened()

    def _opened(self) -> Producer:
        """A producer of a new epoch: whoever had the id before is fenced."""
        trying = self._patience.trying(f"transactional id {self._name}")
        while True:
            try:
                producer = Producer(
                    kafka_settings.producer(self._settings, self._name),
                    logger=_log,
                    error_cb=kafka_errors.report,
                    on_delivery=self._on_delivery,
                )
                with suppress(KafkaException):  # the next step says what is wrong
                    producer.list_topics(NOWHERE, _CONNECTED_S)
                self._insist(producer.init_transactions, _STEP_S)
            except KafkaException as exception:
                trying.failed(kafka_errors.error_of(exception))
            else:
                return producer

    def poll(self) -> None:
        """Serve what the client has to say, when nothing is left to be settled."""
        self._settle()
        try:
            self._producer.poll(0)
        except KafkaException as exception:
            self._end(kafka_errors.error_of(exception))

    def run(self, outputs: Sequence[Output], positions: Callable[[], Positions] | None = None) -> bool:
        """One transaction: begin (1), produce (2), positions (3), commit (4). Returns whether it is sure that it was committed.

        *Trap*: a client that had to be asked again for its commit, since its broker was away, has answered that it was done while there was
        still no broker, and some of the records were nowhere (librdkafka 2.12, seen once). Then the group's positions say what became of
        it: the caller asks them, and says `done`, or goes on with another producer, which settles it.

        Raises `Aborted` when it may be tried again, `BusError` when something must be changed. After `Fenced` (this id was used elsewhere,
        or the coordinator gave the transaction up) and `Ended` only another producer can go on; its start decides what became of it.
        """
        self._settle()
        self._failed.clear()
        try:
            self._producer.begin_transaction()  # 1
            self.unsettled = Unsettled(outputs)
            for output in outputs:  # 2
                self._produce(output)
            if positions is not None:
                self.unsettled = Unsettled(outputs, group := positions())
                self._insist(self._send, *group)  # 3
            sure = self._insist(self._producer.commit_transaction, _STEP_S) and not self._failed  # 4: waits for every record, or fails
        except _Stuck as stuck:  # nobody knows whether it is committed
            self._leave()
            self._end(kafka_errors.error_of(stuck))
        except KafkaException as exception:
            self._abort(kafka_errors.error_of(exception))
        if sure or positions is None:
            self.done()
        return sure

    def done(self) -> None:
        """The last transaction was committed."""
        self.unsettled = None

    def _produce(self, output: Output) -> None:
        if output.timestamp == 0:
            msg = f"{output.topic}: a record of time 0 cannot be written to Kafka, which takes it for now; give it 1 ms"
            self._abort_open()
            raise BusError(msg)
        partition = -1 if output.partition is None else output.partition
        while True:
            try:
                self._producer.produce(
                    output.topic,
                    output.value,
                    output.key,
                    partition,
                    timestamp=output.timestamp or 0,
                    headers=list(output.headers),
                )
            except BufferError:  # more than the client holds: wait until some are written
                self._producer.poll(_AGAIN_S)
                if self._patience.over:
                    self._patience.give_up(f"transaction of {self._name}")
            else:
                return

    def _send(self, positions: list[Any], group: object) -> None:
        """In a thread, for the client keeps no time here: where the group's coordinator has just died, it can ask that one for ever.

        (librdkafka 5456 and 5511.) A thread that does not come back is left behind, with its producer.
        """
        answer: Future[None] = Future()

        def ask() -> None:
            try:
                self._producer.send_offsets_to_transaction(positions, group, _SEND_S)
                answer.set_result(None)
            except Exception as error:  # noqa: BLE001  # raised where the answer is awaited
                answer.set_exception(error)

        threading.Thread(target=ask, daemon=True).start()
        deadline = time.monotonic() + _SEND_S + 1
        while True:
            try:
                return answer.result(_LOOK_S)
            except TimeoutError:
                if self._patience.over:
                    self._patience.give_up(f"transaction of {self._name}")
                if time.monotonic() > deadline:
                    self._end(KafkaError(KafkaError._TIMED_OUT, f"no answer to the positions in {_SEND_S} s"))

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and error.code() not in {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}:
            self._failed.append(KafkaError(error.code(), f"writing to {message.topic()}[{message.partition()}]: {error.str()}"))

    def _abort(self, error: KafkaError) -> NoReturn:
        """Leave nothing behind, and say whether another try can help. What was refused first is the reason, not what came of it."""
        error = self._reason(error)
        if error.fatal():
            self._end(error)
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED and not self._failed and self.unsettled is not None:  # it names no topic
            topics = ", ".join(sorted({one.topic for one in self.unsettled.outputs}))
            self._failed.append(KafkaError(error.code(), f"writing to {topics}: {error.str()}"))
        stuck = self._abort_open()
        for failure in (*self._failed, error):
            if kafka_errors.permanent(failure):
                if failure.code() in kafka_errors.ABOUT_TOPICS:
                    error = failure  # of brokers that are learning of a topic it is true for a moment: whoever tries again judges
                    break
                kafka_errors.refuse(failure, f"transaction of {self._name}")
        if kafka_errors.over(error) and not error.txn_requires_abort():
            self._end(error)
        if not stuck:
            self._replace()
        self._settle()
        raise Aborted(error)

    def _replace(self) -> None:
        """By a producer of a new epoch; what was open is aborted."""
        self._leave()
        self._producer = self._opened()

    def _leave(self) -> None:
        """The producer, which is wanted no more."""
        close(f"transactional id {self._name}", self._patience.closing_s, self._producer.close)

    def _settle(self) -> None:
        """Abort once more what came to nothing, now that every partition that it may have written to has a leader."""
        if self.unsettled is None:
            return
        trying = self._patience.trying(f"transactional id {self._name}: aborting once more what was aborted")
        waiting = False
        while self.unsettled is not None:
            try:
                if (marks := self.unsettled.marks(self._producer)) is None:
                    failure: KafkaError | None = KafkaError(KafkaError.LEADER_NOT_AVAILABLE)
                    if not waiting:
                        waiting = True
                        _log.warning("transactional id %s: aborts once more what was aborted when its partitions have leaders", self._name)
                else:
                    failure = self._settled(marks, self.unsettled.positions)
            except KafkaException as exception:
                failure = kafka_errors.error_of(exception)
            if failure is None:
                self.unsettled = None
            else:
                trying.failed(failure)

    def _settled(self, marks: Sequence[Output], positions: Positions | None) -> KafkaError | None:
        """Write and abort; what went wrong. A group that refuses the positions is not: it takes part in the transaction then."""
        self._failed.clear()
        failure = None
        try:
            self._producer.begin_transaction()
            for mark in marks:
                self._produce(mark)
            while not self._failed and self._producer.flush(_LOOK_S):
                if self._patience.over:
                    self._patience.give_up(f"transaction of {self._name}")
        except KafkaException as exception:
            failure = kafka_errors.error_of(exception)
        if positions is not None and failure is None and not self._failed:
            try:
                self._insist(self._send, *positions)
            except KafkaException as exception:
                refused = kafka_errors.error_of(exception)
                failure = None if refused.txn_requires_abort() and not kafka_errors.permanent(refused) else refused
        stuck = self._abort_open()  # once more: another client's start has aborted it, wherever the leaders were
        return next(iter(self._failed), failure or stuck)

    def _reason(self, error: KafkaError) -> KafkaError:
        """Where the client only says that it is in no state for this: why. It tells that to whoever asks for the next transaction."""
        if error.code() not in {KafkaError._STATE, KafkaError._FATAL}:
            return error
        try:
            self._producer.begin_transaction()
        except KafkaException as exception:
            told = kafka_errors.error_of(exception)
            return error if told.code() == KafkaError._STATE and not told.fatal() else told
        return error

    def _abort_open(self) -> KafkaError | None:
        """None, or why the client could not: then another has taken its place, and aborted it as it began."""
        try:
            self._insist(self._producer.abort_transaction, _STEP_S)
        except _Stuck as stuck:
            self._replace()
            return kafka_errors.error_of(stuck)
        except KafkaException as exception:
            self._end(kafka_errors.error_of(exception))
        return None

    def _end(self, error: KafkaError) -> NoReturn:
        """The client cannot go on; the first such error is the reason, later ones only repeat that there was one."""
        self._fatal = self._fatal or error
        for failure in self._failed:
            if kafka_errors.permanent(failure) and failure.code() not in kafka_errors.ABOUT_TOPICS:
                kafka_errors.refuse(failure, f"transactional id {self._name}")
        kafka_errors.end(self._fatal, f"transactional id {self._name}")

    def _insist(self, step: Callable[..., object], *arguments: object) -> bool:
        """Until it is done, or fails for good; the client's steps may be repeated, and go on where they were. Whether the first try did.

        Raises `_Stuck` where that takes too long.
        """
        trying, first = self._patience.trying(f"transactional id {self._name}"), True
        until = time.monotonic() + self._within_s
        while True:
            try:
                step(*arguments)
            except KafkaException as exception:
                error = kafka_errors.error_of(exception)
                if not error.retriable() or kafka_errors.permanent(error):
                    raise
                if time.monotonic() > until:
                    _log.warning("transactional id %s: not in %g s, with another client then", self._name, self._within_s)
                    raise _Stuck(error) from exception
                first = False
                trying.failed(error)
            else:
                return first

    def close(self) -> None:
        """Release the client; nothing is open between transactions, and a fenced one has nothing left to say."""
        if self._fatal is None:
            self._producer.close()
