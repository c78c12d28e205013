"""The watchdog sees through a change of leader: the client that it asks goes on asking the one that is gone. No broker: its answers."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from driftbus.consumers.bus import kafka_admin
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.kafka_admin import Cluster
from driftbus.consumers.bus.kafka_flow import Flow, Stall

from .worlds import wait_until

_SOURCE = TopicPartition("in", 0)
_STALLED_S = 0.02

Answer = Callable[["Future[Any]"], None]  # of an answer that has an offset


def _offset(offset: int) -> Answer:
    return lambda future: future.set_result(SimpleNamespace(offset=offset))


def _error(code: int) -> Answer:
    return lambda future: future.set_exception(KafkaException(KafkaError(code)))


def _never(_: "Future[Any]") -> None:
    return


#: What a client answers that asks a leader which is gone.
GONE = {
    "no offset": _offset(-1),
    "an invalid offset": _offset(-1001),
    "no leader": _error(KafkaError.NOT_LEADER_FOR_PARTITION),
    "a broker that is away": _error(KafkaError._TRANSPORT),
    "no answer in time": _error(KafkaError._TIMED_OUT),
    "nothing": _never,
}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """What the clients answer, one after the other; the last is asked ever after."""
    answers: list[Answer] = []

    class Client:
        def __init__(self, *_: object, **__: object) -> None:
            self._answer = answers.pop(0) if len(answers) > 1 else answers[0]

        def list_offsets(self, wanted: dict[KafkaPartition, object], **_: object) -> "dict[KafkaPartition, Future[Any]]":
            found = {partition: Future[Any]() for partition in wanted}
            for future in found.values():
                self._answer(future)
            return found

    monkeypatch.setattr(kafka_admin, "AdminClient", Client)
    return answers


def _found(flow: Flow, cluster: Cluster, until: Callable[[], bool] = lambda: False) -> list[Stall]:
    """What the watchdog finds, once it finds something, or the claim holds."""
    found: list[Stall] = []

    def looked() -> bool:
        time.sleep(_STALLED_S / 10)  # it goes by the time that passes between two reads
        flow.listened(drained=True)
        found.extend(flow.stalls(cluster))
        return bool(found) or until()

    wait_until(looked)
    return found


def _flow() -> Flow:
    flow = Flow(_STALLED_S)
    flow.begin(Consumer({"group.id": "g", "bootstrap.servers": "127.0.0.1:1"}), {_SOURCE: 3})
    return flow


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_a_stall_is_found_though_the_leader_that_was_asked_is_gone(clients: list[Answer], gone: Answer) -> None:
    clients += [gone, gone, _offset(7)]
    assert _found(_flow(), Cluster({})) == [Stall(_SOURCE, 3, 7, 1)]


def test_what_has_nothing_to_read_is_left_alone_and_asked_for_by_the_same_client(clients: list[Answer]) -> None:
    asked: list[object] = []

    def end(future: "Future[Any]") -> None:
        asked.append(future)
        future.set_result(SimpleNamespace(offset=3))

    clients += [end, _offset(7)]
    assert _found(_flow(), Cluster({}), lambda: len(asked) == 3) == []
