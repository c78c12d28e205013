"""A cluster in which a broker is still missing has too few for a new topic: whoever makes one waits for it, for a while."""

import threading
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from driftbus.consumers.bus import kafka_errors
from driftbus.consumers.bus.interface import BusError
from driftbus.consumers.bus.kafka import KafkaBus

from ..needs import tools_for_brokers
from .cluster import cluster

pytestmark = pytest.mark.kafka

#: A broker may take so long on a busy machine.
_STARTS_S = 90.0


def test_a_topic_is_made_when_the_last_broker_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools_for_brokers()
    monkeypatch.setitem(kafka_errors.PASSING_S, KafkaError.INVALID_REPLICATION_FACTOR, _STARTS_S)
    brokers, refused = cluster(tmp_path / "cluster"), list[BusError]()
    try:
        with closing(KafkaBus({"bootstrap.servers": brokers.start(brokers=3, without=[3])}, "maker", "one", None)) as bus:

            def make() -> None:
                try:
                    bus.create("made", 1, replication=3)
                except BusError as error:
                    refused.append(error)

            making = threading.Thread(target=make)
            making.start()
            making.join(1)
            assert making.is_alive(), refused
            brokers.start()
            making.join()
            assert not refused
            assert bus.describe(["made"])["made"].partitions == 1
    finally:
        brokers.stop()
