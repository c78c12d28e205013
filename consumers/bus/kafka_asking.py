"""Asking a group's coordinator as a consumer that does not join; as another one where the first hears nothing for long."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from . import kafka_errors, kafka_settings
from .kafka_closing import close
from .kafka_patience import Patience
from .kafka_settings import Settings

_log = logging.getLogger(__name__)

#: Seconds that a client may take to hear what its group has committed.
UNHEARD_S = 15.0


class Asks(Protocol):
    """A consumer, joined or not."""

    def committed(self, partitions: list[KafkaPartition], timeout: float) -> list[KafkaPartition]:
        """What its group has committed."""
        ...


class Asking:
    """Of a group.

    *Trap*: behind a silence librdkafka may go on asking a broker that it has dropped (`Transactions`): so the client is replaced.
    """

    def __init__(self, settings: Settings, group: str, patience: Patience) -> None:
        self._settings, self._group, self._patience = settings, group, patience
        self._begin()

    def _begin(self) -> None:
        settings = kafka_settings.consumer(self._settings, self._group)
        self._reader, self._heard_at = Consumer(settings, logger=_log, error_cb=kafka_errors.report), time.monotonic()

    def committed(self, partitions: list[KafkaPartition], timeout: float) -> list[KafkaPartition]:
        """What the group has committed, as the client says it."""
        try:
            found: list[KafkaPartition] = self._reader.committed(partitions, timeout=timeout)
        except KafkaException:
            if time.monotonic() - self._heard_at > UNHEARD_S:
                self.close()
                self._begin()
            raise
        self._heard_at = time.monotonic()
        return found

    def close(self) -> None:
        """Release the client."""
        close(f"group {self._group}", self._patience.closing_s, self._reader.close)


@contextmanager
def asking(settings: Settings, group: str, patience: Patience) -> Iterator[Asking]:
    """One until the end of the block."""
    one = Asking(settings, group, patience)
    try:
        yield one
    finally:
        one.close()
