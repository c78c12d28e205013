"""The same on a real Kafka: what transactions leave in a log, what retention takes from it, and a topic that was made again."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.dataset.build import Ways, build
from driftbus.consumers.dataset.places import UnusableRequest
from driftbus.consumers.dataset.verify import verify
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.retrain import RetrainRequest

from ..streaming import BEGINNING, configuration, prepare, reference
from .asked import contents, request, rows, sources
from .world import ROWS, SECOND, UNTIL, labelled, written

pytestmark = pytest.mark.kafka


def settings(kafka: str, folder: Path, name: str, **changes: Any) -> Configuration:  # keys of a configuration
    return configuration(
        application=name,
        bus="kafka",
        kafka={"bootstrap.servers": kafka},
        artifacts=str(folder),
        topics={"prefix": name},
        stream={"topics": [f"{name}.scored"]},
        labels={"known": {"topics": [f"{name}.labels"], "wait": "1h", "early": "1m"}},
        models={"m0": {"labels": "known"}},
        **changes,
    )


def filled(bus: Bus, chosen: Configuration) -> None:
    """As on the embedded bus; some of it in a transaction that was given up, and in one that was not."""
    bus.create(chosen.labels["known"].topics[0], 1, settings={"retention.ms": "-1"})
    prepare(bus, chosen, [reference("m0")], 2)
    [scored], [labels] = chosen.streams["predictions"].topics, chosen.labels["known"].topics
    half = ROWS // 2
    bus.publish([Output(scored, n % 2, None, written(n), (), BEGINNING + n * SECOND) for n in range(half)])
    if chosen.bus == "kafka":
        _given_up(chosen, scored)
    bus.publish([Output(scored, n % 2, None, written(n), (), BEGINNING + n * SECOND) for n in range(half, ROWS)])
    bus.publish([Output(labels, 0, None, labelled(n), (), BEGINNING + (n + 60) * SECOND) for n in range(ROWS) if n % 10])


def _given_up(chosen: Configuration, topic: str) -> None:
    producer = Producer({"bootstrap.servers": chosen.kafka["bootstrap.servers"], "transactional.id": f"{topic}-given-up"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for n in range(50):
        producer.produce(topic, written(n + 1_000), partition=n % 2, timestamp=BEGINNING + n * SECOND)
    producer.flush(30)
    producer.abort_transaction(30)


@pytest.fixture
def there(kafka: str, tmp_path: Path) -> Iterator[tuple[KafkaBus, Configuration, RetrainRequest]]:
    name = f"dataset{time.time_ns()}"
    chosen = settings(kafka, tmp_path / "artifacts", name)
    with closing(KafkaBus(chosen.kafka, name, "one")) as bus:
        filled(bus, chosen)
        yield bus, chosen, request("m0", UNTIL, sources=sources(bus, chosen, "m0"))


def test_rows_are_those_of_the_embedded_bus(there: tuple[KafkaBus, Configuration, RetrainRequest], tmp_path: Path) -> None:
    bus, chosen, wanted = there
    manifest = build(bus, chosen, wanted, tmp_path / "data").manifest
    assert verify(tmp_path / "data") == manifest
    with closing(KafkaBus(chosen.kafka, chosen.application, "two")) as other:
        build(other, chosen, wanted, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "data")
    plain = chosen.model_copy(update={"bus": "embedded", "embedded": ":memory:"})
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as embedded:
        filled(embedded, plain)
        build(embedded, plain, request("m0", UNTIL, sources=sources(embedded, plain, "m0")), tmp_path / "embedded")
    assert rows(tmp_path / "embedded") == rows(tmp_path / "data")
    assert (tmp_path / "embedded/part-00000.parquet").read_bytes() == (tmp_path / "data/part-00000.parquet").read_bytes()


def test_what_retention_took_is_refused_and_so_is_a_topic_made_again(
    there: tuple[KafkaBus, Configuration, RetrainRequest], tmp_path: Path
) -> None:
    bus, chosen, wanted = there
    [scored] = chosen.streams["predictions"].topics
    admin = AdminClient({"bootstrap.servers": chosen.kafka["bootstrap.servers"]})
    for deleted in admin.delete_records([TopicPartition(scored, 1, 30)]).values():
        deleted.result(30)
    with pytest.raises(UnusableRequest, match=r"scored\[1\]: offsets 0 to 29 are lost to retention"):
        build(bus, chosen, wanted, tmp_path / "data")
    manifest = build(bus, chosen, wanted, tmp_path / "rest", Ways(without_lost=True)).manifest
    assert [source.lost for source in manifest.sources] == [None, (0, 30), None]
    bus.delete(scored)
    bus.create(scored, 2)
    with pytest.raises(UnusableRequest, match="was made again"):
        build(bus, chosen, wanted, tmp_path / "data")
    assert not (tmp_path / "data").exists()
