"""A broker dies in the middle of transactions: everything is there once."""

from typing import Any

import pytest

from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus

from ..bus.worlds import Followed, everything, numbered, work

pytestmark = pytest.mark.kafka

_ROWS = 2000


def test_a_killed_broker_loses_and_doubles_nothing(three_brokers: Any) -> None:  # the script's Cluster
    bus = KafkaBus({"bootstrap.servers": three_brokers.address}, "app", "one")
    for topic in ("in", "out"):
        bus.create(topic, 3, replication=3)
    bus.publish([output for p in range(3) for output in numbered("in", _ROWS, p)])
    session = bus.session("copier", ["in"], Followed())
    sources = {TopicPartition("in", p) for p in range(3)}
    copied = dict.fromkeys(sources, 0)
    commits = 0
    while set(copied.values()) != {_ROWS}:
        for batch in session.consume(100, 1):
            outputs = [Output("out", batch.source.partition, None, value) for value in batch.values]
            behind = int(batch.offsets[-1]) + 1
            if session.commit([work(batch.source, behind, *outputs)]):  # else it was lost with the coordinator, and is read again
                copied[batch.source] = behind
            commits += 1
            if commits == 10:
                three_brokers.kill(2)
            if commits == 30:
                three_brokers.start()
    assert everything(bus, "out") == [b"%d" % i for i in range(_ROWS)] * 3
    assert {source: position.offset for source, position in bus.committed("app-copier", list(sources)).items()} == copied
    bus.close()
