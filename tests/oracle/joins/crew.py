"""Processes of the product that read a world in any order, at any speed, and die anywhere."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

from driftbus.consumers.bus.interface import Assignment, Batch, Bus, Position, Session, TopicPartition, Work
from driftbus.consumers.pipeline.topology import TOPOLOGY
from driftbus.consumers.process.consumer import Consumer, Making
from driftbus.consumers.reference.artifacts import ArtifactStore

from .product import ROLES, Log

#: Turns until every partition has whoever is to read it.
_SETTLED = 3


class Died(BaseException):
    """The process is gone: nothing of it is closed."""


class _Half(Position):
    """One that is written when its outputs are, and kills the process then: the transaction ends in the middle."""

    def __iter__(self) -> Iterator[object]:  # type: ignore[override]  # it yields nothing
        raise Died


@dataclass
class Fate:
    """How a process reads, and where it dies."""

    draw: random.Random
    deadly: float = 0.0  #: the chance of dying in a turn of a consumer that commits
    most: int = 12  #: records at once
    seen: Counter[str] = field(default_factory=Counter)  #: what happened

    def dies(self, point: str, share: float) -> bool:
        died = self.draw.random() < self.deadly * share
        self.seen[point] += died
        return died


@dataclass
class _Fated:
    """A session."""

    session: Session
    fate: Fate

    def consume(self, most: int, timeout_s: float) -> list[Batch]:
        return self.session.consume(min(most, self.fate.draw.randint(1, self.fate.most)), timeout_s)

    def commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        if self.fate.dies("before a commit", 0.3):
            raise Died
        if self.fate.dies("in a commit", 0.3):
            work = [replace(one, position=_Half(*one.position)) for one in work]
        done = self.session.commit(work)
        if self.fate.dies("behind a commit", 0.4):
            raise Died
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self.session, name)


class _FatedBus:
    """A bus, as a process has it that may die."""

    def __init__(self, bus: Bus, fate: Fate, joins: str) -> None:
        self._bus, self._fate, self._joins = bus, fate, joins

    def session(self, role: str, topics: Sequence[str], assignment: Assignment) -> Session:
        return cast(Session, _Fated(self._bus.session(role, topics, assignment), self._fate))

    def read(self, source: TopicPartition, start: int, end: int) -> Iterator[Batch]:
        """A joiner that comes back reads what it had read, from a mark on or from the beginning."""
        if source.topic == self._joins and end > start + 1:
            self._fate.seen["from a mark" if start else "from the beginning"] += 1
        return self._bus.read(source, start, end)

    def __getattr__(self, name: str) -> object:
        return getattr(self._bus, name)


class Process:
    """The roles of one process, turned one by one."""

    def __init__(self, log: Log, name: str, fate: Fate, wall: Callable[[], int]) -> None:
        self._bus = log.bus.as_instance(name)
        bus = cast(Bus, _FatedBus(self._bus, fate, log.settings.topics.joins))
        making = Making(bus, log.settings, ArtifactStore(log.settings.artifacts), wall)
        nodes = {node.role: node for node in TOPOLOGY}
        self.consumers: dict[str, list[Consumer]] = {role: list(nodes[role].make(making)) for role in ROLES}

    @property
    def all(self) -> list[Consumer]:
        return [consumer for consumers in self.consumers.values() for consumer in consumers]

    def die(self) -> None:
        """Its place in the groups is free, and nothing of it is committed."""
        self._bus.close()

    def leave(self) -> None:
        for consumer in self.all:
            consumer.close()
        self._bus.close()


class Wall:
    """A wall clock that goes on when it is told to."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Crew:
    """Up to two processes. Who dies is followed by another, at once or later; one may leave, and come back."""

    def __init__(self, log: Log, fate: Fate, wall: Wall) -> None:
        self.log, self.fate, self.wall = log, fate, wall
        self.there: dict[str, Process] = {}
        self._pace = {role: fate.draw.choice((1, 3, 9)) for role in ("predictions", "labels", "joiner")}

    def turns(self, most: int, each: Callable[[], None] = lambda: None) -> None:
        """So many moments."""
        for _ in range(most):
            each()
            self.wall.now += self.fate.draw.choice((1, 40, 700, 3_000))
            self.moment()

    def moment(self) -> None:
        """One of the processes begins, leaves, or lets some of its consumers turn, each at its own speed."""
        name = self.fate.draw.choice(("one", "one", "two"))
        process = self.there.get(name)
        if process is None:
            self.begin(name)
        elif name == "two" and self.fate.draw.random() < 0.05:
            self.fate.seen["left"] += 1
            self._doing(name, process.leave)
            self.there.pop(name, None)
        else:
            chosen = [one for one in process.all if self.fate.draw.randrange(self._pace[_kind(one)]) == 0]
            for consumer in chosen:
                if name in self.there:
                    self._doing(name, partial(consumer.turn, 0))

    def finish(self) -> None:
        """All that is there is read, and all that follows from it published, whoever dies meanwhile."""
        while True:
            if "one" not in self.there:
                self.begin("one")
            died = self.fate.seen["died"]
            for _ in range(_SETTLED):
                self.all_turn(100)
            for role in ROLES:
                waited = [consumer for process in self.there.values() for consumer in process.consumers[role]]
                for consumer in waited:
                    consumer.finish()
                while self.fate.seen["died"] == died and not all(consumer.done for consumer in waited):
                    self.all_turn(100)
            if self.fate.seen["died"] == died:
                return

    def all_turn(self, later: int) -> None:
        """Every consumer once, so many ms later."""
        self.wall.now += later
        for name, process in list(self.there.items()):
            for consumer in process.all:
                if name in self.there:
                    self._doing(name, partial(consumer.turn, 0))

    def leave(self) -> None:
        """All of them end as they should."""
        for name, process in list(self.there.items()):
            self._doing(name, process.leave)
            self.there.pop(name, None)

    def begin(self, name: str) -> None:
        """A process of this name."""
        with suppress(Died):
            self.there[name] = Process(self.log, name, self.fate, self.wall)

    def _doing(self, name: str, what: Callable[[], object]) -> None:
        try:
            what()
        except Died:
            self.fate.seen["died"] += 1
            self.there.pop(name).die()


def _kind(consumer: Consumer) -> str:
    if consumer.role == "joiner":
        return "joiner"
    return "predictions" if "rows" in consumer.totals() else "labels"
