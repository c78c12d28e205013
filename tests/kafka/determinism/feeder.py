"""Writes chunks in transactions, one after the other, so that every run has the same offsets, gaps and control records."""

import logging
from collections.abc import Iterable

from confluent_kafka import Producer

from .world import TOPIC, Chunk, Record

_STEP_S = 60


class Feeder:
    """The one producer of the input."""

    def __init__(self, address: str) -> None:
        settings = {"bootstrap.servers": address, "transactional.id": "feeder", "retry.backoff.ms": 10, "linger.ms": 5}
        self._producer = Producer(settings, logger=logging.getLogger(__name__))
        self._producer.init_transactions(_STEP_S)

    def write(self, chunk: Chunk) -> None:
        """What is aborted, then what is kept."""
        if chunk.aborted:
            self._produce(chunk.aborted)
            self._producer.flush(_STEP_S)  # into the log: an abort alone would forget what has not been sent
            self._producer.abort_transaction(_STEP_S)
        self._produce(chunk.kept)
        self._producer.commit_transaction(_STEP_S)

    def close(self) -> None:
        """Release the client."""
        self._producer.close()

    def _produce(self, records: Iterable[Record]) -> None:
        self._producer.begin_transaction()
        for record in records:
            self._producer.produce(TOPIC, record.value, None, record.partition, timestamp=record.timestamp, headers=list(record.headers))
