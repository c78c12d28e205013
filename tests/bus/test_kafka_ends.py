"""What ends a process on Kafka and what does not: a session that cannot commit, and one whose client is found broken between two reads."""

import os
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from driftbus.consumers.bus import kafka_flow, kafka_session
from driftbus.consumers.bus.interface import BusError, Output, TopicPartition
from driftbus.consumers.bus.kafka_errors import Ended
from driftbus.consumers.bus.kafka_patience import Patience
from driftbus.consumers.bus.kafka_session import KafkaSession
from driftbus.consumers.bus.kafka_transactions import Transactions

from .worlds import Followed, World, everything, numbered, read_values, wait_until, work

pytestmark = pytest.mark.kafka


class Behind(list[Output]):
    """One record, and another when the first has failed."""

    def __init__(self, transactions: Transactions, first: Output) -> None:
        super().__init__([first])
        self._transactions = transactions

    def __iter__(self) -> Iterator[Output]:
        yield self[0]
        if not self._transactions._failed:
            wait_until(self._failed)
        yield Output(self[0].topic, 0, b"key", b"fine")

    def _failed(self) -> bool:
        self._transactions._producer.poll(0)
        return bool(self._transactions._failed)


def test_a_refusal_is_told_whatever_is_produced_behind_it(kafka: str, cluster: World) -> None:
    small, compacted = cluster.topic(settings={"max.message.bytes": "1000"}), cluster.topic(settings={"cleanup.policy": "compact"})
    refused = {"raise max.message.bytes": Output(small, 0, b"key", os.urandom(2000)), "got no key": Output(compacted, 0, None, b"")}
    transactions = Transactions({"bootstrap.servers": kafka}, f"{cluster.application}-behind", Patience(30))
    for reason, output in refused.items():
        with pytest.raises(BusError, match=reason) as error:
            transactions.run(Behind(transactions, output))
        assert not isinstance(error.value, Ended)
    transactions.close()
    assert everything(cluster.bus(), small) == []


def test_a_session_that_can_never_commit_ends(kafka: str, cluster: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each of its clients is given its partitions. One that has committed may begin anew as often again."""
    monkeypatch.setattr(kafka_session, "_MOST_REVIVALS", 2)
    bus, topic = cluster.bus(), cluster.topic()
    source = TopicPartition(topic, 0)
    session = bus.session("r", [topic], Followed())
    rival = {"bootstrap.servers": kafka, "transactional.id": f"{cluster.application}-r-one"}

    def fenced() -> None:
        wait_until(lambda: bool(session.assignment()), session)
        Producer(rival).init_transactions()
        assert session.commit([work(source, 0)]) == set()

    fenced()
    wait_until(lambda: bool(session.assignment()), session)
    assert session.commit([work(source, 0)]) == {source}
    fenced()
    fenced()
    with pytest.raises(BusError, match=r"2 clients of group .* in a row ended before they had committed anything"):
        fenced()


def test_a_seek_that_its_client_cannot_do_begins_anew_at_the_next_read(cluster: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever seeks does so between two reads, where nobody answers for the group. What was read meanwhile is read again."""
    monkeypatch.setattr(kafka_flow, "_SEEK_S", 0.2)
    bus, topic = cluster.bus(), cluster.topic()
    source, told = TopicPartition(topic, 0), Followed()
    bus.publish(numbered(topic, 3))
    session = bus.session("r", [topic], told)
    assert isinstance(session, KafkaSession)
    for offset in (2, 3, 0):  # behind it, at the end, before it
        told.lost.clear()
        wait_until(lambda: source in session.at_end(), session)
        session.commit([work(source, 1)])
        session._consumer.unassign()  # the client has lost its partitions, and does not say so
        session.pause([source])
        session.seek(source, offset)
        session.resume([source])
        assert not told.lost
        assert read_values(session, 2) == [b"1", b"2"]
        assert told.lost == [source]
