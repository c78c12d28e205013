"""A transaction that is decided while a partition has no leader: Kafka 4 leaves it open there (KAFKA-20734).

Whatever its producer commits next would publish it too. Three brokers; the topic that is written to is on one of them, which dies.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # exported

from driftbus.consumers.bus import kafka_transactions
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.kafka_errors import Ended
from driftbus.consumers.bus.kafka_patience import Patience
from driftbus.consumers.bus.kafka_transactions import Aborted, Transactions
from driftbus.consumers.bus.kafka_unsettled import Positions

from .cluster import coordinator

pytestmark = pytest.mark.kafka

_ABORTED, _COMMITTED = [b"a", b"b", b"c"], [b"d", b"e"]
_LOOK_S, _PATIENCE_S, _AWAY_S = 0.05, 60.0, 1.0
_DYING = 3

ENDINGS = ("by itself", "by a successor")
PLACES: dict[str, Callable[[str, int, bytes], Output]] = {
    "by partition": lambda topic, number, value: Output(topic, number % 2, None, value),
    "compacted": lambda topic, number, value: Output(topic, number % 2, value, value),
    "by key": lambda topic, _, value: Output(topic, None, value, value),
    "by neither": lambda topic, _, value: Output(topic, None, None, value),
}
_COMPACTED = {"compacted": {"cleanup.policy": "compact"}}


class World:
    """Three brokers; the topics are on one of them, which decides no transaction."""

    def __init__(self, brokers: Any) -> None:  # the script's Cluster
        self._cluster = brokers
        self.settings: dict[str, str | int | float | bool] = {"bootstrap.servers": brokers.address}
        self._admin = AdminClient(self.settings, logger=logging.getLogger(__name__))
        self.bus = KafkaBus(self.settings, "open", "reader")
        self.dead = threading.Event()

    def transactional(self, ending: str, place: str) -> str:
        """A name whose transactions a broker decides that stays alive; and a topic of that name on the one that dies."""
        Transactions(self.settings, "first", Patience()).close()  # makes the brokers' own topic
        names = (f"{ending}-{place}-{n}".replace(" ", "-") for n in count())
        name = next(name for name in names if coordinator(self._admin, "__transaction_state", name) != _DYING)
        new = NewTopic(name, 2, replica_assignment=[[_DYING]] * 2, config={"min.insync.replicas": "1", **_COMPACTED.get(place, {})})
        self._admin.create_topics([new])[name].result()
        _await(lambda: name in self.bus.describe([name]))
        return name

    def written(self, name: str) -> int:
        """How many records a topic has, whatever becomes of them."""
        return sum(self.bus.watermarks(TopicPartition(name, number), committed=False)[1] for number in range(2))

    def lose(self, names: Sequence[str]) -> None:
        """Kill the broker, and wait until the topics have no leader."""
        self._cluster.kill(_DYING)
        _await(lambda: not any(self._led(name) for name in names))
        self.dead.set()

    def _led(self, name: str) -> bool:
        return any(p.leader >= 0 for p in self._admin.list_topics(name, timeout=10).topics[name].partitions.values())

    def bring_back(self) -> None:
        """As it was."""
        self._cluster.start()

    def read(self, name: str) -> list[bytes | None]:
        """What readers of committed records see."""
        sources = [TopicPartition(name, number) for number in range(2)]
        batches = [batch for s in sources for batch in self.bus.read(s, *self.bus.watermarks(s, committed=False))]
        return sorted((value for batch in batches for value in batch.values), key=lambda value: value or b"")

    def close(self) -> None:
        """Leave the brokers as they were."""
        self.bus.close()
        self._cluster.start()


def _await(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(_LOOK_S)


def _fail_and_commit(world: World, name: str, ending: str, outputs: Sequence[Output]) -> None:
    """A transaction that comes to nothing while there is no leader; then another one."""
    transactions = Transactions(world.settings, name, Patience(None))

    def failing() -> Positions:
        assert world.dead.wait(_PATIENCE_S)
        if ending == "by a successor":
            Transactions(world.settings, name, Patience()).close()
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_MEMBER_ID, "by the group", False, False, True))

    try:
        transactions.run(outputs, failing)
    except Aborted:
        assert ending == "by itself"
    except Ended:
        transactions = Transactions(world.settings, name, Patience(None), transactions.unsettled)
    transactions.run([Output(name, n % 2, value, value) for n, value in enumerate(_COMMITTED)])
    transactions.close()


class _Heard(logging.Handler):
    """What is logged: that a transaction waits for leaders, and so was decided without them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = list[str]()
        logging.getLogger(kafka_transactions.__name__).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def close(self) -> None:
        logging.getLogger(kafka_transactions.__name__).removeHandler(self)
        super().close()


@pytest.fixture(scope="module")
def published(three_brokers: Any) -> Iterator[dict[tuple[str, str], list[bytes | None]]]:
    """By how it ended, and by how its partitions were chosen; all at once."""
    every = len(ENDINGS) * len(PLACES)
    with closing(World(three_brokers)) as world, closing(_Heard()) as heard, ThreadPoolExecutor(every) as pool:
        names = {(ending, place): world.transactional(ending, place) for ending in ENDINGS for place in PLACES}
        done = [
            pool.submit(_fail_and_commit, world, name, ending, [PLACES[place](name, n, value) for n, value in enumerate(_ABORTED)])
            for (ending, place), name in names.items()
        ]
        _await(lambda: all(world.written(name) == len(_ABORTED) for name in names.values()))
        world.lose(list(names.values()))
        _await(lambda: all(any(name in line and "have leaders" in line for line in heard.lines) for name in names.values()))
        world.bring_back()
        for one in done:
            one.result(_PATIENCE_S)
        yield {case: world.read(name) for case, name in names.items()}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("place", PLACES)
def test_what_was_aborted_is_never_published(published: dict[tuple[str, str], list[bytes | None]], ending: str, place: str) -> None:
    """By its client; or by whoever takes its name, as a coordinator does that has waited for too long: the client's next one settles it."""
    assert published[ending, place] == _COMMITTED
