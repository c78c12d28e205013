"""A broker dies in the middle of transactions: everything is there once."""

from functools import partial
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus

from ..bus.worlds import Followed, everything, numbered, work
from .cluster import coordinator

pytestmark = pytest.mark.kafka

_ROWS = 2000


@pytest.mark.parametrize("both", [True, False], ids=["of the group and its transactions", "of the group alone"])
def test_a_killed_coordinator_loses_and_doubles_nothing(three_brokers: Any, both: bool) -> None:  # the script's Cluster
    address, input_, out = three_brokers.address, f"in-{both}", f"out-{both}"
    sources = [TopicPartition(input_, p) for p in range(3)]
    maker = KafkaBus({"bootstrap.servers": address}, "maker", "one")
    for topic in (input_, out):
        maker.create(topic, 3, replication=3, settings={"retention.ms": "-1"})
    maker.publish([output for p in range(3) for output in numbered(input_, _ROWS, p)])
    assert maker.committed("maker-copier", sources) == {}  # now both internal topics are there
    led = partial(coordinator, AdminClient({"bootstrap.servers": address}))
    names = [(f"app{a}-{both}", str(b)) for a in range(8) for b in range(4)]  # all pairs of the internal topics' four partitions each
    coordinators = {(a, b): (led("__consumer_offsets", f"{a}-copier"), led("__transaction_state", f"{a}-copier-{b}")) for a, b in names}
    (application, instance), (node, _) = next((name, nodes) for name, nodes in coordinators.items() if both == (len(set(nodes)) == 1))
    bus = KafkaBus({"bootstrap.servers": address}, application, instance)
    session = bus.session("copier", [input_], Followed())
    commits = 0
    while session.at_end().keys() != set(sources):
        for batch in session.consume(100, 1):
            outputs = [Output(out, batch.source.partition, None, value) for value in batch.values]
            session.commit([work(batch.source, int(batch.offsets[-1]) + 1, *outputs)])  # what is not done is read again
            commits += 1
            if commits == 10:
                three_brokers.kill(node)
            if commits == 30:
                three_brokers.start()
    assert everything(bus, out) == [b"%d" % i for i in range(_ROWS)] * 3
    committed = bus.committed(f"{application}-copier", sources)
    assert {source: position.offset for source, position in committed.items()} == dict.fromkeys(sources, _ROWS)
    assert commits >= 30  # and so it is back
    bus.close()
    maker.close()
