"""One run: a broker on a copy of the prepared data, the input at its pace, the product's processes, and what they leave."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.familiar import FOLDER
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.stored.reference import Reference

from .broker import Broker
from .feeder import Feeder
from .kinds import Keep
from .outcome import Completion, Outcome, outcome
from .supervisor import Supervisor, Worker
from .world import PARTITIONS, TOPIC, Chunk

#: Seconds from the last record of the input until everything that follows from it must be published.
PATIENCE_S = 500
_LOOK_S = 0.02
_ASK_S = 1.0
#: Of an input topic that holds wrong clocks, and old times for ever.
TOPIC_SETTINGS = {"retention.ms": "-1", "message.timestamp.after.max.ms": str(2**63 - 1)}

Settings = dict[str, Any]  # a configuration as its user writes it
#: Each with the time from which it holds.
References = Sequence[tuple[Reference, int]]


@dataclass(frozen=True)
class Run:
    """How it went, and what it left."""

    outcome: Outcome
    seconds: float
    hits: Counter[str]  #: of crash switches
    kills: int
    folder: Path


def announce_all(bus: KafkaBus, configuration: Configuration, references: Callable[[Keep], References]) -> None:
    """Store them, and what lies beside them, and say from when they hold."""
    store = ArtifactStore(configuration.artifacts)
    for one, since in references(store.beside(FOLDER).put):
        name = store.put(one.encoded())
        announce(bus, configuration, Announcement(model=one.model, version=one.version, reference=name, since=since))


@dataclass(frozen=True)
class Base:
    """A stopped broker that holds topics and announcements, and the settings to be used on its copies, by address."""

    broker: Broker
    settings: Callable[[str], Settings]

    @classmethod
    def prepared(cls, folder: Path, settings: Callable[[str], Settings], references: Callable[[Keep], References]) -> "Base":
        """Make topics, artifacts and announcements, and stop the broker."""
        broker = Broker(folder / "base")
        address = broker.start()
        try:
            configuration = Configuration.model_validate(settings(address))
            bus = KafkaBus(configuration.kafka, configuration.application, "maker")
            bus.create(TOPIC, PARTITIONS, settings=TOPIC_SETTINGS)
            create_topics(bus, configuration)
            announce_all(bus, configuration, references)
            bus.close()
        finally:
            broker.stop()
        return cls(broker, settings)

    @contextmanager
    def copy(self, folder: Path) -> Iterator[tuple[str, Settings, Configuration, KafkaBus]]:
        """A running copy: its address, the settings there, and a bus on it."""
        folder.mkdir()
        broker = self.broker.copy(folder / "broker")
        try:
            address = broker.start()
            settings = self.settings(address)
            configuration = Configuration.model_validate(settings)
            bus = KafkaBus(configuration.kafka, configuration.application, "reader")
            try:
                yield address, settings, configuration, bus
            finally:
                bus.close()
        finally:
            broker.remove()


def play(
    base: Base,
    folder: Path,
    chunks: Iterator[Chunk],
    final: Callable[[], int],
    workers: list[Worker],
    *,
    pace_s: float = 1.0,
    kill_every_s: float = 0.0,
    kills: int = 0,
    seed: int = 0,
    afterwards: Callable[[KafkaBus, Configuration], None] = lambda bus, configuration: None,
) -> Run:
    """Feed the chunks at their pace while the workers run, die and come back; return when all they lead to is published."""
    draw, began = random.Random(seed), time.monotonic()
    with base.copy(folder) as (address, settings, configuration, bus):
        supervisor = Supervisor(folder, settings, workers)
        try:
            fed_at = killed_at = time.monotonic()
            with closing(Feeder(address)) as feeder:
                for chunk in chunks:
                    feeder.write(chunk)
                    fed_at = max(fed_at + pace_s, time.monotonic() - pace_s)
                    while time.monotonic() < fed_at:
                        supervisor.restart_dead()
                        if supervisor.kills < kills and time.monotonic() - killed_at >= kill_every_s:
                            supervisor.kill_one(draw)
                            killed_at = time.monotonic() - draw.uniform(0, kill_every_s / 2)
                        time.sleep(_LOOK_S)  # the pace of the input is what a run is about
            diagnosed = any(not worker.roles or "diagnoser" in worker.roles for worker in workers)
            _await(supervisor, Completion(bus, configuration, final(), diagnosed=diagnosed).reached)
            supervisor.stop()
        finally:
            supervisor.end()
        left = outcome(bus, configuration)
        afterwards(bus, configuration)
        return Run(left, time.monotonic() - began, Counter(supervisor.hits()), supervisor.kills, folder)


def _await(supervisor: Supervisor, complete: Callable[[], bool]) -> None:
    deadline, asked = time.monotonic() + PATIENCE_S, 0.0
    while True:
        supervisor.restart_dead()
        if time.monotonic() - asked >= _ASK_S:
            if not supervisor.switches_left and complete():
                return
            assert time.monotonic() < deadline, _stuck(supervisor)
            asked = time.monotonic()
        time.sleep(_LOOK_S)


def _stuck(supervisor: Supervisor) -> str:
    return f"not complete in {PATIENCE_S} s; switches left: {supervisor.switches_left}\n{supervisor.last_words()}"
