"""What a transaction that came to nothing may have left open in the log, and what closes it.

Kafka 4 decides a transaction also where a partition that it wrote to has no leader at that moment, and forgets that one: it takes it for
deleted (KAFKA-20734; 4.3.1 does so still). Readers of committed records wait in front of what stands open there, until its producer decides
another transaction in the same partition: and if that one is committed, all of it is. So what was aborted is aborted once more, with a
record in each of its partitions that their leaders have acknowledged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException, Producer

from .interface import Output

#: Positions as the client wants them, and the group metadata that fences zombies (an opaque object of the client's).
Positions = tuple[list[Any], Any]

_ASK_S = 2


@dataclass(frozen=True)
class Unsettled:
    """What was begun to be written: by the transaction itself, and for the group."""

    outputs: Sequence[Output]
    positions: Positions | None = None

    def marks(self, producer: Producer) -> list[Output] | None:
        """An empty record for each place, with a key where one had a key; None while one of the partitions has no leader."""
        leaders = {topic: dict(_leaders(producer, topic)) for topic in {one.topic for one in self.outputs}}
        found = dict[tuple[str, int | bytes], Output]()
        for topic, partition, key, *_ in self.outputs:
            numbers = [number for number in leaders[topic] if partition in (None, number)]  # in one that is not there nothing is open
            if any(leaders[topic][number] < 0 for number in numbers):
                return None
            if partition is None and key is not None:
                found[topic, key] = Output(topic, None, key, b"")
            else:
                found |= {(topic, number): Output(topic, number, key, b"") for number in numbers}
        return list(found.values())


def _leaders(producer: Producer, topic: str) -> Iterator[tuple[int, int]]:
    told = producer.list_topics(topic, timeout=_ASK_S).topics[topic]
    if told.error is not None:
        raise KafkaException(told.error)
    for number, partition in told.partitions.items():
        yield number, partition.leader
