"""What the benchmarks on a real Kafka share: the broker, topics full of messages, references, and the machine's description."""

import os
import platform
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from confluent_kafka import Producer, libversion

from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import Reference

from .messages import MAPPING

ROOT = Path(__file__).parent.parent.parent
RESULTS = Path(__file__).parent / "results"
STREAM = "predictions"
PARTITIONS = 4
#: Record time of the first message; a millisecond passes between two.
BEGINNING = 1_700_000_000_000

Result = dict[str, Any]  # plain figures of a benchmark, as they are kept in JSON


@contextmanager
def kafka() -> Iterator[str]:
    """The address of a real Kafka: the one that DRIFTBUS_TEST_KAFKA gives, else one that is started for this run."""
    if given := os.environ.get("DRIFTBUS_TEST_KAFKA"):
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "deploy/kafka/kafka.py"), "--port", "0", "--directory", f"{folder}/cluster"]
        try:
            yield subprocess.run([*command, "start"], check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout.strip()
        finally:
            subprocess.run([*command, "stop"], check=True, timeout=60)


def machine() -> dict[str, str | int | None]:
    """Where and with what it was measured."""
    packages = ("confluent-kafka", "msgspec", "numpy", "river")
    model = next((line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "librdkafka": libversion()[0],
        **{name: version(name) for name in packages},
    }


def settings(address: str, folder: str, topic: str, *, stream: Result | None = None, **changes: object) -> Result:
    """As in ``driftbus.yaml``: one stream of one topic, under an application of its own, so that it is read from its beginning."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    read = {"topics": [topic], "pane": "30d", "clock": "record", "mapping": MAPPING.model_dump(mode="json"), **(stream or {})}
    return {
        "application": name,
        "instance": "one",
        "kafka": {"bootstrap.servers": address},
        "artifacts": folder,
        "topics": {"prefix": name},
        "streams": {STREAM: read},
        **changes,
    }


def open_kafka(chosen: Configuration) -> KafkaBus:
    """The bus of such a configuration."""
    return KafkaBus(chosen.kafka, chosen.application, chosen.instance or "one")


def prepare(bus: Bus, chosen: Configuration, references: Iterable[Reference]) -> None:
    """Topics of our own, and references that hold from the start."""
    create_topics(bus, chosen)
    store = ArtifactStore(chosen.artifacts)
    for one in references:
        announce(bus, chosen, from_start(one.model, one.version, store.put(one.encoded()), one.rows))


@contextmanager
def input_topic(address: str, **changes: str) -> Iterator[str]:
    """A new topic of old record times, and its end."""
    bus = KafkaBus({"bootstrap.servers": address}, "bench-topics", "one")
    name = f"bench-{uuid.uuid4().hex[:8]}"
    bus.create(name, PARTITIONS, settings={"retention.ms": "-1", **changes})
    try:
        yield name
    finally:
        bus.delete(name)
        bus.close()


def fill(address: str, topic: str, rows: int, payload: Callable[[int], bytes]) -> None:
    """So many messages, in turn on every partition, a millisecond apart, in lz4."""
    producer = Producer({"bootstrap.servers": address, "compression.type": "lz4", "linger.ms": 20, "enable.idempotence": True})
    for row in range(rows):
        while True:
            try:
                producer.produce(topic, payload(row), partition=row % PARTITIONS, timestamp=BEGINNING + row)
                break
            except BufferError:
                producer.poll(0.05)
    producer.flush()


def row_of(values: Sequence[object]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(map(str, values))} |"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    return "\n".join([row_of(head), "|" + "---|" * len(head), *map(row_of, rows)])
