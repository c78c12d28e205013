"""Brokers fall silent while profilers, detectors and reviewers run: all stay alive, and what is published is what a clean run publishes.

    python -m tests.kafka.silence                   # 10, 60 and 300 s of one broker, of the coordinator, of all: 25 minutes
    python -m tests.kafka.silence --seconds 10 20

A silent broker takes connections and requests and answers nothing (SIGSTOP), until it goes on where it was (SIGCONT). Three brokers, every
topic on all of them. The clean run is the embedded bus, given what then lies in the input topic, offset by offset.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import TopicPartition
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration

from .brokers import silent
from .cluster import cluster, coordinator
from .determinism import world
from .determinism.feeder import Feeder
from .determinism.outcome import Completion, Outcome, outcome
from .determinism.run import announce_all
from .determinism.supervisor import Supervisor, Worker

#: Seconds from the end of a silence until everything is answered again, and from the end of the input until all of it is published.
_HEALS_S, _PUBLISHED_S = 120, 300
_TOPIC_SETTINGS = {"retention.ms": "-1", "message.timestamp.after.max.ms": str(2**63 - 1)}
_FOLLOWING_S = 1.0


class Silence(NamedTuple):
    """Who falls silent, and for how long."""

    who: str  #: one, coordinator, all
    seconds: float


class Ran(NamedTuple):
    """What was published under silence, and what a clean run publishes; seconds until all was published after each silence ended."""

    left: Outcome
    clean: Outcome
    starts: dict[str, int]  #: of each process; 1: it never ended


def run(folder: Path, silences: Sequence[Silence], say: Callable[[str], object] = lambda _: None) -> Ran:
    """Three brokers and six processes through these silences, between them an hour of traffic."""
    brokers = cluster(folder / "cluster")
    try:
        brokers.start(brokers=3)
        text = world.settings(brokers.address, str(folder / "artifacts"))
        text["topics"] = {"replication": 3}
        settings = Configuration.model_validate(text)
        with closing(KafkaBus(settings.kafka, settings.application, "maker", None)) as bus:
            _prepare(bus, settings)
            workers = [Worker(f"{role}-{name}", (role,)) for role in ("profiler", "detector", "reviewer") for name in "ab"]
            supervisor = Supervisor(folder, text, workers)
            try:
                _through(brokers, bus, settings, supervisor, silences, say)
                starts = {worker.name: worker.starts for worker in workers}
                supervisor.stop()
            finally:
                supervisor.end()
            left = outcome(bus, settings)
            write_recording(bus, [world.TOPIC, settings.topics.models], folder / "recording.jsonl")
        return Ran(left, _clean(folder / "recording.jsonl", settings), starts)
    finally:
        brokers.stop()


def _prepare(bus: KafkaBus, settings: Configuration) -> None:
    bus.create(world.TOPIC, world.PARTITIONS, replication=3, settings=_TOPIC_SETTINGS)
    create_topics(bus, settings)
    announce_all(bus, settings, world.references)


def _through(
    brokers: Any,  # the script's Cluster
    bus: KafkaBus,
    settings: Configuration,
    supervisor: Supervisor,
    silences: Sequence[Silence],
    say: Callable[[str], object],
) -> None:
    """Feed a part of the traffic, let brokers fall silent while it is worked on, and see that what is fed behind that is read."""
    chunks = list(world.traffic().chunks)
    each = len(chunks) // (2 * len(silences) + 1)
    first = len(chunks) - 2 * len(silences) * each
    parts = [chunks[start : start + each] for start in range(first, len(chunks), each)]
    _feed(brokers.address, chunks[:first])
    _until(lambda: bool(_committed(bus, settings)), supervisor, _HEALS_S, "the first commit")
    for silence, meanwhile, behind in zip(silences, parts[::2], parts[1::2], strict=True):
        _feed(brokers.address, meanwhile)
        nodes = _nodes(brokers, settings, silence.who)
        with silent(brokers, *nodes):
            _watch(supervisor, silence.seconds)
        began, before = time.monotonic(), _committed(bus, settings)
        _feed(brokers.address, behind)
        fed = {TopicPartition(world.TOPIC, record.partition) for chunk in behind for record in chunk.kept}
        _until(partial(_further, bus, settings, before, fed), supervisor, _HEALS_S, f"all partitions read on after {silence}")
        say(f"{silence.who} (nodes {nodes or 'all'}) silent for {silence.seconds:g} s; read on after {time.monotonic() - began:.1f} s")
    _until(Completion(bus, settings, world.FINAL).reached, supervisor, _PUBLISHED_S, "everything published")


def _committed(bus: KafkaBus, settings: Configuration) -> dict[TopicPartition, int]:
    """How far the profilers are."""
    sources = [TopicPartition(world.TOPIC, number) for number in range(world.PARTITIONS)]
    return {source: position.offset for source, position in bus.committed(f"{settings.application}-profiler-predictions", sources).items()}


def _further(bus: KafkaBus, settings: Configuration, before: Mapping[TopicPartition, int], fed: Set[TopicPartition]) -> bool:
    """Whether they have committed more in every partition that has been fed: one of them is empty at first."""
    now = _committed(bus, settings)
    return all(now.get(source, -1) > before.get(source, -1) for source in fed)


def _feed(address: str, chunks: Sequence[world.Chunk]) -> None:
    """What fails is written again: a chunk that lies there twice is what the clean run reads, too."""
    for chunk in chunks:
        for _ in range(20):
            with suppress(KafkaException), closing(Feeder(address)) as feeder:
                feeder.write(chunk)
                break


def _nodes(brokers: Any, settings: Configuration, who: str) -> list[int]:
    if who == "all":
        return []
    admin = AdminClient({"bootstrap.servers": brokers.address})
    node = coordinator(admin, "__consumer_offsets", f"{settings.application}-detector")
    return [node] if who == "coordinator" else [next(other for other in brokers.ports if other != node)]


def _watch(supervisor: Supervisor, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        supervisor.restart_dead()  # none may have ended
        time.sleep(0.1)


def _until(claim: Callable[[], bool], supervisor: Supervisor, patience_s: float, what: str) -> None:
    deadline = time.monotonic() + patience_s
    while not claim():
        supervisor.restart_dead()
        assert time.monotonic() < deadline, f"{what}: not in {patience_s} s\n{supervisor.last_words()}"
        time.sleep(_FOLLOWING_S / 5)


def _clean(recording: Path, settings: Configuration) -> Outcome:
    """The same input, read by one process without a broker."""
    with closing(EmbeddedBus(":memory:", settings.application, "clean")) as bus:
        load_recording(bus, recording)
        create_topics(bus, settings)
        pipeline = Pipeline(bus, settings)
        for _ in pipeline.run_until_end():
            pass
        pipeline.close()
        return outcome(bus, settings)


def differences(ran: Ran) -> list[str]:
    """What differs, and which processes ended; empty if nothing."""
    found = [f"{name} was started {starts} times" for name, starts in ran.starts.items() if starts != 1]
    for what in ("panes", "events", "letters"):
        left, clean = getattr(ran.left, what), getattr(ran.clean, what)
        if left != clean:
            found.append(f"{what}: {len(left)} for {len(clean)}")
    if ran.left.again != ran.left.events:
        found.append("the summaries lead to other events than were published")
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60, 300])
    parser.add_argument("--who", nargs="+", choices=["one", "coordinator", "all"], default=["one", "coordinator", "all"])
    parser.add_argument("--folder", type=Path, help="keep data and logs here")
    given = parser.parse_args()
    silences = [Silence(who, seconds) for seconds in given.seconds for who in given.who]
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        ran = run(folder, silences, lambda text: print(f"{time.strftime('%H:%M:%S')} {text}", flush=True))
        found = differences(ran)
    print(f"{len(ran.left.input):,} records, {len(ran.left.panes):,} panes, {sum(map(len, ran.left.events.values())):,} events")
    print("\n".join(found) or f"{len(ran.starts)} processes, none ended; panes, events and dead letters as in a clean run")
    sys.exit(bool(found))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
