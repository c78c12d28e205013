"""A group's coordinator is asked for its members only when it has answered: a refusal is an answer, silence is none."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from driftbus.consumers.bus.kafka_admin import _heard


class Reader:
    """A consumer that answers so."""

    def __init__(self, code: int) -> None:
        self._code = code

    def committed(self, *_: object, **__: object) -> None:
        raise KafkaException(KafkaError(self._code))


@pytest.mark.parametrize("name", ["TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED"])
def test_a_refusal_is_an_answer(name: str) -> None:
    reader: Any = Reader(getattr(KafkaError, name))
    _heard(reader)


@pytest.mark.parametrize("name", ["_TIMED_OUT", "_TRANSPORT", "_WAIT_COORD", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR"])
def test_silence_is_none(name: str) -> None:
    reader: Any = Reader(getattr(KafkaError, name))
    with pytest.raises(KafkaException):
        _heard(reader)
