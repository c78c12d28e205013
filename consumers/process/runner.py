"""Some of the consumers, or all, in one process: each reads, works and commits in turn."""

import gc
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from ...detectors.episodes.step import Suite
from ...schemas.configuration import Configuration
from ..bus.interface import Bus
from ..decode.json import JSONDecoder
from ..detector.detector import ROLE as DETECTOR
from ..detector.detector import Detector, DetectorStats
from ..detector.fold import StateKey
from ..profiler.profiler import ROLE as PROFILER
from ..profiler.profiler import Profiler, ProfilerStats
from ..reference.artifacts import ArtifactStore
from ..reference.holding import HeldReferences
from .plugins import found_for
from .topology import ROLES

#: How long a consumer waits for records when there is nothing else to do: the larger part of an event's way through.
PATIENCE_S = 0.05
#: Of the garbage collector: batches are many objects and no cycles (2 to 4 % of the profiler's time).
_RARELY = (50_000, 20, 20)
#: Announcements are looked for so often, live.
REFRESH_EVERY_S = 1.0


def wall_ms() -> int:
    """The wall clock, in ms."""
    return time.time_ns() // 1_000_000


class Pipeline:
    """The consumers of some roles, for every stream, on one bus."""

    def __init__(self, bus: Bus, configuration: Configuration, roles: Sequence[str] = ROLES, *, until_end: bool = False) -> None:
        self._until_end = until_end
        self._store = ArtifactStore(configuration.artifacts)
        self._configuration = configuration
        self._kinds = found_for(configuration.models.values())
        self._compiled: dict[StateKey, Suite] = {}
        self.profilers: list[Profiler] = []
        self.detector: Detector | None = None
        self._live_references: list[HeldReferences] = []
        if PROFILER in roles:
            references = HeldReferences(bus, configuration, self._store)
            if any(stream.clock == "live" for stream in configuration.streams.values()):
                self._live_references.append(references)
            for name, stream in configuration.streams.items():
                decoder = JSONDecoder(stream.mapping)
                self.profilers.append(Profiler(bus, configuration, name, decoder, references, wall_ms, until_end=until_end))
        if DETECTOR in roles:
            self.detector = Detector(bus, configuration, self.suite_of, wall_ms)
        self._refreshed = time.monotonic()
        self._idle = False

    def turn(self) -> bool:
        """Let every consumer read and commit once; whether any had something to do."""
        if time.monotonic() - self._refreshed >= REFRESH_EVERY_S:
            for references in self._live_references:
                references.refresh()
            self._refreshed = time.monotonic()
        timeout = PATIENCE_S if self._idle else 0.0
        worked = [consumer.turn(timeout) for consumer in self._consumers]
        self._idle = not any(worked)
        return any(worked)

    def run_until_end(self) -> Iterator[bool]:
        """Turns until the input has been read to where it ended at the start, and everything that follows from it is published."""
        while not all(profiler.done for profiler in self.profilers):
            yield self.turn()
        if self.detector is not None:
            self.detector.finish_at_end()
            while not self.detector.done:
                yield self.turn()

    @property
    def profiled(self) -> ProfilerStats:
        """Totals over the streams."""
        total = ProfilerStats()
        for stats in (profiler.stats for profiler in self.profilers):
            total.rows += stats.rows
            total.panes += stats.panes
            total.dead_letters += stats.dead_letters
            total.late += stats.late
        return total

    @property
    def detected(self) -> DetectorStats:
        """Totals of the detector."""
        return self.detector.stats if self.detector else DetectorStats()

    def close(self) -> None:
        """Leave the groups."""
        for consumer in self._consumers:
            consumer.close()

    @property
    def _consumers(self) -> list[Profiler | Detector]:
        detectors = [] if self.detector is None else [self.detector]
        return [*self.profilers, *detectors]

    def suite_of(self, key: StateKey) -> Suite:
        """The tests of a model version, compiled once."""
        if key not in self._compiled:
            self._compiled[key] = Suite(
                self._store.reference(key.reference),
                self._configuration.model(key.model),
                application=self._configuration.application,
                stream=key.stream,
                configuration_hash=self._configuration.hash,
                reference_hash=key.reference,
                kinds=self._kinds,
            )
        return self._compiled[key]


def run(bus: Bus, configuration: Configuration, roles: Sequence[str] = ROLES, *, until_end: bool = False) -> Pipeline:
    """Run until told to stop (SIGINT, SIGTERM), or until the end of the input; returns the closed pipeline with its totals."""
    pipeline = Pipeline(bus, configuration, roles, until_end=until_end)
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked at again
    thresholds = gc.get_threshold()
    gc.set_threshold(*_RARELY)
    with _stopped_by_signals() as stopped:
        try:
            turns = pipeline.run_until_end() if until_end else iter(pipeline.turn, None)
            for _ in turns:
                if stopped:
                    break
        finally:
            pipeline.close()
            gc.set_threshold(*thresholds)
            gc.unfreeze()
    return pipeline


@contextmanager
def _stopped_by_signals() -> Iterator[list[int]]:
    """A list that is empty until the process is asked to stop."""
    received: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
