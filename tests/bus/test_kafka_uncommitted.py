"""Behind a producer's open transaction there are records that nobody can read yet: such a partition is at its end, and not silent."""

import uuid

import pytest
from confluent_kafka import Producer

from driftbus.consumers.bus.interface import TopicPartition

from .worlds import Followed, World, numbered, read_values, wait_until

pytestmark = pytest.mark.kafka


def _producer(kafka: str) -> Producer:
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions(30)
    return producer


@pytest.mark.parametrize("ending", ["committed", "aborted"])
@pytest.mark.parametrize("behind", [0, 3], ids=["alone", "others behind it"])
def test_a_partition_says_what_waits_behind_an_open_transaction(kafka: str, cluster: World, ending: str, behind: int) -> None:
    bus, topic = cluster.bus(), cluster.topic(2)
    source, other = TopicPartition(topic, 0), TopicPartition(topic, 1)
    bus.publish([*numbered(topic, 4), *numbered(topic, 1, 1)])
    session = bus.session("r", [topic], Followed())
    assert len(read_values(session, 5)) == 5
    wait_until(lambda: {source, other} <= set(session.at_end()), session)
    assert session.uncommitted() == {}
    producer = _producer(kafka)
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush()
    bus.publish(numbered(topic, behind))
    wait_until(lambda: bool(session.uncommitted()), session)
    assert set(session.uncommitted()) == {source}
    end = bus.watermarks(source)[1]
    wait_until(lambda: session.uncommitted() == {source: bus.watermarks(source, committed=False)[1] - end}, session)
    if ending == "committed":
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)
    assert len(read_values(session, behind + (ending == "committed"))) == behind + (ending == "committed")
    wait_until(lambda: not session.uncommitted() and source in session.at_end(), session)
