"""The embedder on a real Kafka: messages as large as brokers take, and a function that never returns while partitions change hands."""

import time
import uuid
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.sizes import bytes_of, most_bytes
from driftbus.consumers.embedder.message import bytes_more
from driftbus.consumers.pipeline.own_topics import check_topics, create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.configuration.mapping import Place

from ..embedder.server import SIZE
from ..embedder.worlds import PARTITIONS, embed, messages, records, written

pytestmark = pytest.mark.kafka
#: Bytes of a record by Kafka's default; how much larger one is with its vector.
MOST, MORE = most_bytes({}), bytes_more(Place("path", "vector"), SIZE, "words@1")
_LONG_S = 60


def chosen(kafka: str, folder: Path, application: str, function: str = "embeds") -> Configuration:
    """Of one application, whose embedder is a function; what it reads has Kafka's defaults."""
    ways = {"callable": f"tests.embedder.functions:{function}", "deadline": "1h"}
    plain = written(folder, application, f"{application}.asked", **ways)
    return Configuration.model_validate(plain | {"bus": "kafka", "kafka": {"bootstrap.servers": kafka}})


def with_topics(bus: KafkaBus, settings: Configuration) -> str:
    """The topic that is read."""
    topic = f"{settings.application}.asked"
    bus.create(topic, PARTITIONS)
    create_topics(bus, settings)
    return topic


def of_bytes(topic: str, number: int, size: int) -> Output:
    """A message that takes so many, and is not made smaller by compression."""
    key, now = b"%d" % number, time.time_ns() // 1_000_000
    plain = b'{"model": "m0", "version": "1", "features": {}, "question": "%b"}'
    text = np.random.default_rng(number).bytes(MOST).hex().encode()
    return Output(topic, 0, key, plain % text[: size - bytes_of(key, plain, ()) + 2], (), now)


@pytest.mark.parametrize("room", [True, False])
def test_messages_as_large_as_a_topic_takes_hold_nobody_up(kafka: str, tmp_path: Path, room: bool) -> None:
    """Where there is room for it the largest has its vector, too; on a topic of Kafka's default it passes without."""
    settings = chosen(kafka, tmp_path, f"large-{uuid.uuid4().hex[:8]}")
    with closing(KafkaBus(settings.kafka, settings.application, "one")) as bus:
        if not room:
            bus.create(settings.topics.embeddings, PARTITIONS)
        topic = with_topics(bus, settings)
        told = [problem for problem in check_topics(bus, settings) if "max.message.bytes" in problem]
        assert [f"it must be {MOST + MORE}" in problem for problem in told] == [] if room else [True]
        bus.publish(
            [of_bytes(topic, number, size) for number, size in enumerate([200, 1_000_000, MOST - MORE, MOST - MORE + 1, MOST, 200])]
        )
        embed(bus, settings)
        found = [msgspec.json.decode(one.value or b"") for one in records(bus, settings.topics.embeddings)]
        assert ["vector" in one for one in found] == [True] * 6 if room else [True, True, True, False, False, True]


def test_a_function_that_never_returns_keeps_no_partition_from_others(kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group is shared out while it is asked: its process stays a member, and what it loses another one asks for, once each."""
    application = f"hangs-{uuid.uuid4().hex[:8]}"
    hanging, answering = (chosen(kafka, tmp_path, application, function) for function in ("hangs", "embeds"))
    with closing(KafkaBus(hanging.kafka, application, "one")) as one, closing(KafkaBus(answering.kafka, application, "two")) as two:
        topic = with_topics(one, hanging)
        sent = [each._replace(timestamp=time.time_ns() // 1_000_000) for each in messages(40, topic)]
        one.publish(sent)
        begun, until = tmp_path / "begun", time.monotonic() + _LONG_S
        monkeypatch.setenv("TESTS_BEGUN", str(begun))
        with closing(Pipeline(one, hanging, ["embedder"])) as first:
            while not begun.exists():
                assert time.monotonic() < until
                first.turn()
            with closing(Pipeline(two, answering, ["embedder"])) as second:
                while not second.totals["embedded"]:
                    assert time.monotonic() < until
                    first.turn()
                    second.turn()
            assert first.totals["embedded"] == 0
        assert {each.partition for each in records(one, answering.topics.embeddings)} in ({0}, {1}), (
            "the other one's waits for the function"
        )
    with closing(KafkaBus(answering.kafka, application, "one")) as one:
        embed(one, answering)  # as the process that hung is started again, with a function that returns
        found = records(one, answering.topics.embeddings)
        assert [each.key for each in found] == [each.key for part in range(PARTITIONS) for each in sent if each.partition == part]
        assert all("vector" in msgspec.json.decode(each.value or b"") for each in found)
