"""Pages with a configuration and a program that has nothing of ours, run as they stand: on a real Kafka, beside intake and decider."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from driftbus.consumers.bus.addressing import addressed, partition_of
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.decider import decider
from driftbus.consumers.intake import intake
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.process.consumer import Consumer, Making
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.job import JobStatus
from driftbus.schemas.messages.retrain import RetrainRequest
from driftbus.schemas.messages.root_cause import RootCauseEvent

ROOT = Path(__file__).parents[2]
#: Of the pages.
MODEL = "eta"
_LONG_S = 120


def blocks(page: str, language: str) -> list[str]:
    """Of a page in `docs/`."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)


@dataclass
class Running:
    """An application of its own, its intake and decider, and programs beside them."""

    kafka: str
    folder: Path
    settings: Configuration
    bus: KafkaBus
    ahead: int = 0  #: ms by which the wall clock of the intake goes before
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)
    consumers: list[Consumer] = field(default_factory=list)

    def starts(self, script: str) -> subprocess.Popen[bytes]:
        """A program, beside the published schemas."""
        (self.folder / "program.py").write_text(script)
        environment = {**os.environ, "APPLICATION": self.settings.application, "BROKERS": self.kafka}
        self.programs.append(subprocess.Popen([sys.executable, "program.py"], cwd=self.folder, env=environment))
        return self.programs[-1]

    def begins(self) -> None:
        """Until the ledger has begun: what comes now is news to it."""
        until = time.monotonic() + _LONG_S
        while not self.bus.watermarks(self.place(self.settings.topics.actions))[1]:
            assert time.monotonic() < until
            self.turn()

    def place(self, topic: str) -> TopicPartition:
        """Where all of the model lies."""
        return TopicPartition(topic, partition_of(MODEL, self.settings.topics.partitions))

    def says(self, said: DriftEvent | RootCauseEvent) -> None:
        """As detector and diagnoser do."""
        topics = self.settings.topics
        ours = said.model_copy(update={"model": MODEL, "version": "7"})
        topic = topics.drift
        if isinstance(ours, RootCauseEvent):
            ours, topic = ours.model_copy(update={"application": self.settings.application}), topics.root_causes
        self.bus.publish([addressed(self.settings, topic, ours, self.place(topic).partition)])

    def turn(self) -> None:
        """One of each; the programs live."""
        for consumer in self.consumers:
            consumer.turn(0.05)
        assert [one.poll() for one in self.programs] == [None] * len(self.programs)

    def turns_until(self, *states: str) -> list[JobStatus]:
        """Let them turn until so many statuses are these."""
        until = time.monotonic() + _LONG_S
        while sorted(one.state for one in self.statuses()) != sorted(states):
            assert time.monotonic() < until, [one.state for one in self.statuses()]
            self.turn()
        return self.statuses()

    def told(self) -> Iterator[RetrainRequest | JobStatus]:
        """All that was asked for, and became of it."""
        for number in range(self.settings.topics.partitions):
            place = TopicPartition(self.settings.topics.retrain, number)
            for batch in self.bus.read(place, *self.bus.watermarks(place)):
                for key, value, headers in zip(batch.keys(), batch.values, batch.headers(), strict=True):
                    one = ledger.read_retrain(self.settings.application, key, value, headers)
                    if isinstance(one, RetrainRequest | JobStatus):
                        yield one

    def statuses(self) -> list[JobStatus]:
        return [one for one in self.told() if isinstance(one, JobStatus)]

    def requests(self) -> list[RetrainRequest]:
        return [one for one in self.told() if isinstance(one, RetrainRequest)]


@contextmanager
def running(kafka: str, folder: Path, written: str, fit: str = "") -> Iterator[Running]:
    """With what a page says of models; ``fit``: what its job does."""
    application = f"strategy-{uuid.uuid4().hex[:8]}"
    own = {
        "application": application,
        "kafka": {"bootstrap.servers": kafka},
        "artifacts": str(folder / "artifacts"),
        "topics": {"partitions": 2},
        "streams": {"predictions": {"topics": [f"{application}.scored"], "mapping": {"id": "id"}}},
        "labels": {"arrivals": {"topics": [f"{application}.known"]}} if "labels: arrivals" in written else {},
    }
    settings = Configuration.model_validate(own | yaml.safe_load(written))
    (folder / "fit.py").write_text(fit or "import json, sys; open(json.load(sys.stdin)['job'], 'x')")
    for schema in (ROOT / "schemas/published").glob("*.json"):
        shutil.copy(schema, folder)
    with ExitStack() as stack:
        bus = stack.enter_context(closing(KafkaBus(settings.kafka, application, "one")))
        create_topics(bus, settings)
        one = Running(kafka, folder, settings, bus)
        making = Making(bus, settings, ArtifactStore(settings.artifacts), lambda: wall_ms() + one.ahead)
        one.consumers = [*intake.make(making), *decider.make(making)]
        for each in one.consumers:
            stack.enter_context(closing(each))
        stack.callback(_ended, one)
        yield one


def _ended(one: Running) -> None:
    for program in one.programs:
        program.send_signal(signal.SIGKILL)
        program.wait()
