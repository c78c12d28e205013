"""A bus on which a consumer dies at a point of its choice, and which knows what it has written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftbus.consumers.bus.interface import Assignment, Batch, Bus, Output, Session, TopicPartition, Work
from driftbus.consumers.pipeline.runner import Pipeline

#: Records that a consumer gets at once here, so that there are several commits.
MOST_AT_ONCE = 60


class Died(BaseException):
    """The process is gone: nothing of it is closed."""


@dataclass
class _Interrupted:
    """A session that stops the process at a point of its ``hits``-th commit."""

    session: Session
    role: str
    said: Callable[[str, Sequence[Output]], None]
    dies_at: str = ""
    hits: int = 0

    def consume(self, most: int, timeout_s: float) -> list[Batch]:
        if self.dies_at == "behind a commit" and self.hits < 0:
            raise Died
        return self.session.consume(min(most, MOST_AT_ONCE), timeout_s)

    def commit(self, work: Sequence[Work]) -> set[TopicPartition]:
        self.hits -= 1
        if self.dies_at == "in front of a commit" and self.hits < 0:
            raise Died
        done = self.session.commit(work)
        for one in work:
            if one.source in done:
                self.said(self.role, one.outputs)
        if self.dies_at == "between a commit and the memory of it" and self.hits < 0:
            raise Died
        return done

    def assignment(self) -> frozenset[TopicPartition]:
        return self.session.assignment()

    def joined(self) -> bool:
        return self.session.joined()

    def at_end(self) -> Mapping[TopicPartition, int]:
        return self.session.at_end()

    def uncommitted(self) -> Mapping[TopicPartition, int]:
        return self.session.uncommitted()

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        self.session.pause(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        self.session.resume(partitions)

    def paused(self) -> frozenset[TopicPartition]:
        return self.session.paused()

    def seek(self, source: TopicPartition, offset: int) -> None:
        self.session.seek(source, offset)

    def close(self) -> None:
        self.session.close()


#: Points at which a process may die; within a commit, the bus sees to it (`tests/bus`, `tests/kafka/determinism`).
POINTS = ("in front of a commit", "between a commit and the memory of it", "behind a commit")


class Interrupting:
    """A bus on which a role dies at a point of its n-th commit, and which knows what each role has written."""

    def __init__(self, bus: Bus, *, role: str = "", dies_at: str = "", hits: int = 0) -> None:
        self._bus, self._role, self._dies_at, self._hits = bus, role, dies_at, hits
        self.written: dict[str, set[str]] = {}

    def session(self, role: str, topics: Sequence[str], assignment: Assignment) -> Session:
        name = role.partition("-")[0]
        dies_at = self._dies_at if name == self._role else ""
        return _Interrupted(self._bus.session(role, topics, assignment), name, self._said, dies_at, self._hits)

    def _said(self, role: str, outputs: Sequence[Output]) -> None:
        self.written.setdefault(role, set()).update(output.topic for output in outputs)

    def __getattr__(self, name: str) -> object:
        return getattr(self._bus, name)


def turns(pipeline: Pipeline, most: int) -> Iterator[bool]:
    """So many turns at most."""
    for _ in range(most):
        yield pipeline.turn()
