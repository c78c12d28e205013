"""Clients are closed in bounded time: a broker that hangs lets librdkafka wait for ever."""

import logging
import threading
from collections.abc import Callable

from confluent_kafka import KafkaException

from . import kafka_errors

_log = logging.getLogger(__name__)


def close(what: str, within_s: float, *steps: Callable[[], object]) -> None:
    """Take the steps in a thread of their own (within: `Patience.closing_s`).

    One that does not come back is left behind: whatever it still does, its successor fences.
    """

    def take() -> None:
        for step in steps:
            try:
                step()
            except KafkaException as exception:
                kafka_errors.report(kafka_errors.error_of(exception))

    thread = threading.Thread(target=take, name=f"closing {what}", daemon=True)
    thread.start()
    thread.join(within_s)
    if thread.is_alive():
        _log.warning("%s: the brokers do not let it close within %g s: left behind", what, within_s)
