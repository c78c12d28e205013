"""Kafka's messages as batches: one pass of C iterators per column, keys and headers only when asked for."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from operator import itemgetter, methodcaller, ne
from typing import cast

import numpy as np
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, Message

from ...schemas.cloud_events import Headers
from .interface import Batch, TopicPartition


def take(consumer: Consumer, most: int, timeout_s: float) -> list[Message]:
    """What is there as soon as the first has come: `consume` alone would wait for all of ``most``, or the whole time."""
    messages = consumer.consume(1, timeout_s)
    return messages + consumer.consume(most - 1, 0) if messages and most > 1 else messages


def batches(messages: Sequence[Message]) -> list[Batch]:
    """Split into runs of one partition."""
    if not messages:
        return []
    partitions = np.fromiter(map(Message.partition, messages), np.int64, len(messages))
    topics = list(map(Message.topic, messages))
    changes = partitions[1:] != partitions[:-1]
    if topics.count(topics[0]) != len(topics):
        changes |= np.fromiter(map(ne, topics[1:], topics), np.bool_, len(topics) - 1)
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), len(messages)]
    return [_batch(TopicPartition(topics[start] or "", int(partitions[start])), messages[start:end]) for start, end in pairwise(edges)]


def _batch(source: TopicPartition, messages: Sequence[Message]) -> Batch:
    n = len(messages)
    return Batch(
        source,
        np.fromiter(map(Message.offset, messages), np.int64, n),
        np.fromiter(map(itemgetter(1), map(Message.timestamp, messages)), np.int64, n),
        list(map(Message.value, messages)),
        keys=lambda: list(map(Message.key, messages)),
        headers=cache(lambda: _headers(messages)),
        append_time=messages[0].timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME,
    )


#: A call whose outcome is looked at. The interpreter's own way to call a method, once it is warm, does not: where a name is no UTF-8, the
#: client returns a list with holes *and* an error, which then comes up anywhere.
_headers_of = methodcaller("headers")


def _headers(messages: Sequence[Message]) -> list[Headers]:
    """None where a name is no UTF-8. Asked a second time, the client hands out what is no object: so never ask again."""
    found: list[list[tuple[str, bytes | None]] | None] = []
    asked = cast("Iterator[list[tuple[str, bytes | None]] | None]", map(_headers_of, messages))  # of messages that were read
    while len(found) < len(messages):
        try:
            found.extend(asked)
        except (SystemError, UnicodeDecodeError):
            found.append(None)
    return [() if not heads else tuple((name, value or b"") for name, value in heads) for heads in found]


def split(messages: list[Message]) -> tuple[list[Message], list[tuple[TopicPartition, KafkaError, int]]]:
    """Records, and what came between them: errors and ends of partitions, with the offset there."""
    if not any(map(Message.error, messages)):
        return messages, []
    errors = list(map(Message.error, messages))
    return [m for m, error in zip(messages, errors, strict=True) if error is None], list(_events(messages, errors))


def _events(messages: Sequence[Message], errors: Sequence[KafkaError | None]) -> Iterator[tuple[TopicPartition, KafkaError, int]]:
    for message, error in zip(messages, errors, strict=True):
        if error is not None:
            yield TopicPartition(message.topic() or "", message.partition() or 0), error, message.offset() or 0
