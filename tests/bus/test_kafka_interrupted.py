"""A commit in which the client was interrupted, and which it then calls done: the group's positions say whether it was."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from driftbus.consumers.bus import kafka_transactions
from driftbus.consumers.bus.interface import Output, TopicPartition

from .worlds import Followed, World, everything, numbered, wait_until, work

pytestmark = pytest.mark.kafka

#: What became of it in truth.
TRUTHS: dict[str, Callable[[Producer], object]] = {
    "committed": lambda producer: Producer.commit_transaction(producer, 10),
    "aborted": lambda producer: Producer.abort_transaction(producer, 10),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize(("truth", "times"), [("committed", 1), ("committed", 3), ("aborted", 1), ("aborted", 3), ("nothing", 1)])
def test_what_was_read_is_written_once(cluster: World, monkeypatch: pytest.MonkeyPatch, truth: str, times: int) -> None:
    bus, source, into = cluster.bus(), TopicPartition(cluster.topic(), 0), cluster.topic(2)
    interrupted = [times]

    class Interrupted(Producer):
        """The first commit is interrupted, and then said to be done."""

        def commit_transaction(self, *arguments: Any) -> Any:
            if interrupted[0] > 0:
                interrupted[0] -= 1
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "interrupted", retriable=True))
            if interrupted[0] == 0:
                interrupted[0] = -1
                return TRUTHS[truth](self)
            return super().commit_transaction(*arguments)

    bus.publish(numbered(source.topic, 6))
    monkeypatch.setattr(kafka_transactions, "Producer", Interrupted)
    session = bus.session("copier", [source.topic], Followed())

    def copied() -> bool:
        for batch in session.consume(3, 0.2):
            outputs = [Output(into, i % 2, None, value) for i, value in enumerate(batch.values)]
            session.commit([work(source, int(batch.offsets[-1]) + 1, *outputs)])
        position = bus.committed(f"{cluster.application}-copier", [source]).get(source)
        return position is not None and position.offset == 6

    wait_until(copied)
    assert interrupted == [-1]
    assert sorted(everything(bus, into), key=str) == [b"%d" % i for i in range(6)]
