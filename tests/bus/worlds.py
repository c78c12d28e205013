"""The same bus seen by several processes, for each implementation."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from driftbus.consumers.bus.interface import Batch, Bus, Output, Position, Session, TopicPartition, Work

#: Longer than anything here takes on a busy machine: Kafka's session timeout is 6 s.
PATIENCE_S = 60


class Opens(Protocol):
    """Makes a bus as the process with this instance name has it."""

    def __call__(self, instance: str, application: str) -> Bus: ...


@dataclass
class World:
    """One log and what is to be closed; every name in it is new."""

    opens: Opens
    application: str = field(default_factory=lambda: f"app-{uuid.uuid4().hex[:8]}")
    opened: list[Bus] = field(default_factory=list)

    def bus(self, instance: str = "one") -> Bus:
        bus = self.opens(instance, self.application)
        self.opened.append(bus)
        return bus

    def topic(self, partitions: int = 1, settings: Mapping[str, str] | None = None) -> str:
        name = f"topic-{uuid.uuid4().hex[:8]}"
        bus = self.bus("maker")
        bus.create(name, partitions, settings={"retention.ms": "-1"} | dict(settings or {}))
        return name

    def close(self) -> None:
        for bus in self.opened:
            bus.close()


@dataclass
class Followed:
    """An assignment that remembers what it was told, and starts where it is told to."""

    starts: dict[TopicPartition, int] = field(default_factory=dict)
    held: dict[TopicPartition, Position | None] = field(default_factory=dict)
    lost: list[TopicPartition] = field(default_factory=list)

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> Mapping[TopicPartition, int]:
        self.held |= partitions
        return {source: start for source, start in self.starts.items() if source in partitions}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.lost += partitions
        for source in partitions:
            del self.held[source]


def wait_until(claim: Callable[[], bool], *sessions: Session) -> list[Batch]:
    """Let the sessions consume, turn by turn, until the claim holds; what they read."""
    read: list[Batch] = []
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, f"not in {PATIENCE_S} s"
        for session in sessions:
            read += session.consume(1000, 0.05)
    return read


def read_values(session: Session, count: int) -> list[bytes | None]:
    """The next ``count`` values."""
    read: list[bytes | None] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(read) < count:
        assert time.monotonic() < deadline, f"{len(read)} of {count} records in {PATIENCE_S} s"
        for batch in session.consume(count - len(read), 0.2):
            read += batch.values
    return read


def everything(bus: Bus, topic: str) -> list[bytes | None]:
    """All committed values of a topic, partition by partition."""
    return [value for batch in all_batches(bus, topic) for value in batch.values]


def all_batches(bus: Bus, topic: str) -> Iterator[Batch]:
    """All committed records of a topic."""
    for partition in range(bus.describe([topic])[topic].partitions):
        source = TopicPartition(topic, partition)
        yield from bus.read(source, *bus.watermarks(source, committed=False))


def numbered(topic: str, count: int, partition: int | None = 0) -> list[Output]:
    """Records that say their number."""
    return [Output(topic, partition, None, b"%d" % i, (), 1_600_000_000_000 + i) for i in range(count)]


def work(source: TopicPartition, position: int, *outputs: Output, metadata: str = "") -> Work:
    """What a consumer of this partition hands in."""
    return Work(source, outputs, Position(position, metadata))
