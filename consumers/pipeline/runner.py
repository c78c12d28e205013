"""Some of the roles, or all, in one process: each reads, works and commits in turn."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress

from ...schemas.configuration import Configuration
from ..bus.interface import Bus, Stopped
from ..process.consumer import Consumer, Making
from ..process.stopping import Stopping
from ..reference.artifacts import ArtifactStore
from .topology import ROLES, TOPOLOGY, Node

#: How long the process waits for records when there is nothing else to do: the larger part of an event's way through.
PATIENCE_S = 0.05
#: Of the garbage collector: batches are many objects and no cycles (2 to 4 % of the profiler's time).
_RARELY = (50_000, 20, 20)


def wall_ms() -> int:
    """The wall clock, in ms."""
    return time.time_ns() // 1_000_000


class Pipeline:
    """The consumers of some roles on one bus, in the order of the topology.

    Hands act on the world, and so on nothing that is over: where no stream has a live clock (or says `act`), only folds are made.
    """

    def __init__(
        self, bus: Bus, configuration: Configuration, roles: Sequence[str] = ROLES, *, topology: Sequence[Node] = TOPOLOGY
    ) -> None:
        making = Making(bus, configuration, ArtifactStore(configuration.artifacts), wall_ms)
        live = any(stream.acted_on for stream in configuration.streams.values())
        self._by_role: dict[str, Sequence[Consumer]] = {}
        made = [node for node in topology if node.role in roles and (node.kind == "fold" or live)]
        for node in made:
            self._by_role[node.role] = node.make(making)
        self._again = {node.again: node.role for node in made if node.again}
        self._next = 0  # whose turn to wait it is

    @property
    def by_role(self) -> Mapping[str, Sequence[Consumer]]:
        """Those of each, in the order of the topology."""
        return self._by_role

    @property
    def consumers(self) -> list[Consumer]:
        """All of them."""
        return [consumer for of_role in self._by_role.values() for consumer in of_role]

    def turn(self) -> bool:
        """Let every consumer read and commit once; whether any had something to do. Where none has, one of them waits for all."""
        return self._turn(self.consumers)

    def _turn(self, waiting: Sequence[Consumer]) -> bool:
        worked = [consumer.turn(0) for consumer in self.consumers]
        if any(worked):
            return True
        if not waiting:
            time.sleep(PATIENCE_S)
            return False
        self._next += 1
        return waiting[self._next % len(waiting)].turn(PATIENCE_S)

    def run_until_end(self) -> Iterator[bool]:
        """Turns until the input has been read to where it ended at the start, and everything that follows from it is published."""
        for role in [one for first in self._by_role for one in (first, self._again.get(first, "")) if one]:
            of_role = self._by_role[role]
            for consumer in of_role:
                consumer.finish()
            while left := [consumer for consumer in of_role if not consumer.done]:
                yield self._turn(left)

    @property
    def totals(self) -> Mapping[str, int]:
        """Numbers since the start, over all consumers, by what they count; 0 of what none does."""
        total = Counter[str]()
        for consumer in self.consumers:
            total.update(consumer.totals())
        return total

    def close(self) -> None:
        """Leave the groups."""
        for consumer in self.consumers:
            consumer.close()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """For as long as a pipeline turns: the garbage collector looks seldom, and no more at what was there before."""
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def run(
    bus: Bus,
    configuration: Configuration,
    roles: Sequence[str] = ROLES,
    *,
    stopping: Stopping,
    until_end: bool = False,
    observer: Callable[[Pipeline], None] = lambda _: None,
) -> Pipeline:
    """Run until told to stop, or until the end of the input; returns the closed pipeline with its totals.

    Raises `Stopped` where that was said before all consumers were made. The observer is called after every turn: they wait for it.
    """
    stopping.calls(bus.stop)
    pipeline = Pipeline(bus, configuration, roles)
    with seldom_collected(), suppress(Stopped), closing(pipeline):
        turns = pipeline.run_until_end() if until_end else iter(pipeline.turn, None)
        while not stopping.asked and next(turns, None) is not None:
            observer(pipeline)
    return pipeline
