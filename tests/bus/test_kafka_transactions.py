"""What is told when a transaction fails: what was refused, not what came of it. The client is one that answers as librdkafka does."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from driftbus.consumers.bus import kafka_transactions
from driftbus.consumers.bus.interface import BusError, Output
from driftbus.consumers.bus.kafka_errors import Ended
from driftbus.consumers.bus.kafka_patience import Patience
from driftbus.consumers.bus.kafka_transactions import Aborted, Transactions

_OUTPUTS = [Output("out", 0, None, b"") for _ in range(3)]


class Written:
    """A record, as a delivery report has it."""

    def topic(self) -> str:
        return "out"

    def partition(self) -> int:
        return 0


class Client:
    """librdkafka's producer behind a failure: it may be of one record, of the transaction, or of the client as a whole.

    While it is not taken back, `produce` says `_STATE` (or `_FATAL`) and no more; every other step tells the failure. The client that takes
    its place fails no more.
    """

    delivery: KafkaError | None = None
    transaction: KafkaError | None = None
    abort: KafkaError | None = None
    unanswered: str | None = None  #: a step of the first client, whose tries all end without an answer

    made = 0
    steps: list[tuple[int, str]] = []

    def __init__(self, settings: object, *, on_delivery: Callable[[KafkaError, Any], None], **_: object) -> None:
        self._on_delivery, self._open = on_delivery, False
        type(self).made += 1
        self._number = self.made
        self._fails = self._number == 1
        self._failure: KafkaError | None = None

    def _asks(self, step: str) -> None:
        if self._fails and step == self.unanswered:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "retry call to resume", False, True))

    def init_transactions(self, timeout: float) -> None:
        self._asks("init")
        self.steps.append((self._number, "init"))

    def begin_transaction(self) -> None:
        self.steps.append((self._number, "begin"))
        if self._failure is not None:
            raise KafkaException(self._failure)
        if self._open:
            raise KafkaException(KafkaError(KafkaError._STATE, "Operation not valid in state InTransaction"))
        self._open = True

    def produce(self, *_: object, **__: object) -> None:
        """The first one is written, and fails."""
        if self._failure is not None:
            raise KafkaException(KafkaError(KafkaError._FATAL if self._failure.fatal() else KafkaError._STATE))
        if self.delivery is not None and self._fails:
            self._on_delivery(self.delivery, Written())
        failure = (self.transaction or self.delivery) if self._fails else None
        if failure is not None:
            self._failure = KafkaError(failure.code(), failure.str(), failure.fatal(), False, not failure.fatal())

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions={0: SimpleNamespace(leader=1)})})

    def flush(self, timeout: float) -> int:
        self.steps.append((self._number, "flush"))
        return 0

    def send_offsets_to_transaction(self, *_: object) -> None: ...

    def commit_transaction(self, timeout: float) -> None:
        self._asks("commit")
        self.steps.append((self._number, "commit"))
        if self._failure is not None:
            raise KafkaException(self._failure)
        self._open = False

    def abort_transaction(self, timeout: float) -> None:
        self._asks("abort")
        if self.abort is not None:
            raise KafkaException(self.abort)
        if self._failure is not None and self._failure.fatal():
            raise KafkaException(self._failure)
        self._open, self._failure = False, None
        self.steps.append((self._number, "abort"))

    def close(self) -> None: ...


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> type[Client]:
    class Own(Client):
        made = 0
        steps: list[tuple[int, str]] = []

    monkeypatch.setattr(kafka_transactions, "Producer", Own)
    return Own


def _run(outputs: int) -> None:
    kafka_transactions.Producer.made = 0  # type: ignore[attr-defined]  # our client
    Transactions({}, "t", Patience(0)).run(_OUTPUTS[:outputs])


REFUSALS = ["TOPIC_AUTHORIZATION_FAILED", "MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"]


@pytest.mark.parametrize("outputs", [1, 3], ids=["at the commit", "while more is produced"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_record_is_the_reason(client: type[Client], name: str, outputs: int) -> None:
    client.delivery = KafkaError(getattr(KafkaError, name))
    with pytest.raises(BusError, match=rf"writing to out\[0\].*{name}") as refused:
        _run(outputs)
    assert not isinstance(refused.value, Ended)


@pytest.mark.parametrize("outputs", [1, 3], ids=["at the commit", "while more is produced"])
@pytest.mark.parametrize("fatal", [False, True])
@pytest.mark.parametrize("name", ["TOPIC_AUTHORIZATION_FAILED", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED"])
def test_a_refused_transaction_is_the_reason(client: type[Client], name: str, fatal: bool, outputs: int) -> None:
    """A topic's ACL is asked for before anything is written to it: no record has failed then."""
    client.transaction = KafkaError(getattr(KafkaError, name), fatal=fatal)
    with pytest.raises(BusError, match=rf"{name}.*it needs the ACL") as refused:
        _run(outputs)
    assert not isinstance(refused.value, Ended)


@pytest.mark.parametrize("fatal", [False, True])
def test_a_refused_record_is_the_reason_where_the_client_ends_over_it(client: type[Client], fatal: bool) -> None:
    client.delivery = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    client.abort = KafkaError(KafkaError._FATAL if fatal else KafkaError._STATE, fatal=fatal)
    with pytest.raises(BusError, match="MSG_SIZE_TOO_LARGE") as refused:
        _run(3)
    assert not isinstance(refused.value, Ended)


@pytest.mark.parametrize("name", ["_FENCED", "_GAPLESS_GUARANTEE", "INVALID_PRODUCER_ID_MAPPING"])
def test_a_client_that_can_do_no_more_is_replaced_and_says_why(client: type[Client], name: str) -> None:
    client.transaction = KafkaError(getattr(KafkaError, name), fatal=True)
    for outputs in (1, 3):
        with pytest.raises(Ended, match=name):
            _run(outputs)


@pytest.mark.parametrize("outputs", [1, 3], ids=["at the commit", "while more is produced"])
@pytest.mark.parametrize("name", ["UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_PARTITION", "_UNKNOWN_TOPIC"])
def test_brokers_may_learn_of_a_topic(client: type[Client], name: str, outputs: int) -> None:
    client.delivery = KafkaError(getattr(KafkaError, name))
    with pytest.raises(Aborted) as aborted:
        _run(outputs)
    assert aborted.value.error.name() == name


def test_what_the_group_says_aborts_it_as_before(client: type[Client]) -> None:
    client.transaction = KafkaError(KafkaError.REBALANCE_IN_PROGRESS)
    for outputs in (1, 3):
        with pytest.raises(Aborted, match="rebalance"):
            _run(outputs)


@pytest.mark.parametrize("name", ["REBALANCE_IN_PROGRESS", "UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "UNKNOWN_TOPIC_OR_PART"])
def test_behind_an_aborted_transaction_there_is_another_epoch(client: type[Client], name: str) -> None:
    """What the first one's connections still carry must not be taken for the next one's; nor what brokers have left open of it."""
    client.transaction = KafkaError(getattr(KafkaError, name))
    transactions = Transactions({}, "t", Patience(0))
    with pytest.raises(Aborted):
        transactions.run(_OUTPUTS)
    transactions.run(_OUTPUTS)
    transactions.run(_OUTPUTS)
    first = [(1, "init"), (1, "begin"), (1, "begin"), (1, "abort")]  # the second asks why
    settled = [(2, "init"), (2, "begin"), (2, "flush"), (2, "abort")]
    assert [step for step in client.steps if step != (1, "commit")] == [*first, *settled, *[(2, "begin"), (2, "commit")] * 2]


#: A step is waited for twice as long.
_BRIEFLY = {"transaction.timeout.ms": 100}


def test_a_start_that_is_never_answered_is_another_clients(client: type[Client]) -> None:
    client.unanswered = "init"
    assert Transactions(_BRIEFLY, "t", Patience(None)).run(_OUTPUTS)
    assert client.steps == [(2, "init"), (2, "begin"), (2, "commit")]


def test_an_abort_that_is_never_answered_is_another_clients(client: type[Client]) -> None:
    client.unanswered, client.transaction = "abort", KafkaError(KafkaError.UNKNOWN_MEMBER_ID)
    transactions = Transactions(_BRIEFLY, "t", Patience(None))
    with pytest.raises(Aborted, match="Unknown member"):
        transactions.run(_OUTPUTS)
    assert [step for number, step in client.steps if number == 2] == ["init", "begin", "flush", "abort"]
    assert transactions.run(_OUTPUTS)
    assert client.made == 2


def test_of_a_commit_that_is_never_answered_another_client_finds_out(client: type[Client]) -> None:
    client.unanswered = "commit"
    transactions = Transactions(_BRIEFLY, "t", Patience(None))
    with pytest.raises(Ended, match="retry call to resume"):
        transactions.run(_OUTPUTS, lambda: ([], None))
    assert transactions.unsettled is not None, "else nobody aborts what may be open"


def test_a_command_says_what_it_waited_for_before_a_client_is_given_up(client: type[Client]) -> None:
    client.unanswered = "commit"
    with pytest.raises(BusError, match=r"not in 0 s.*is the cluster up") as error:
        Transactions({}, "t", Patience(0)).run(_OUTPUTS)
    assert not isinstance(error.value, Ended)


def test_the_patience_with_what_is_learnt_begins_with_the_first_that_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says so after a minute of silence is as new as one that says so at once."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    unknown, away = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), KafkaError(KafkaError._TRANSPORT)
    trying = Patience(None).trying("asking")
    for answer, seconds in ((away, 60), (unknown, 2), (unknown, 2), (away, 60), (unknown, 2.9)):
        trying.judged(answer)
        now += seconds
    trying.judged(unknown)
    now += 0.2
    with pytest.raises(BusError, match="create the topic"):
        trying.judged(unknown)
