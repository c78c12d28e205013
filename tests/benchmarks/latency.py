"""From the append of the record that closes a bucket on its slowest partition to the readable event, all partitions busy.

Four processes: Kafka, a producer, `driftbus run` (profiler and detector), and this reader of committed records. Buckets of 1 s by the live
clock. The input topic has LogAppendTime, so that a record's timestamp *is* its append; a bucket is closed by the first record at or
behind its end + grace, on every partition. Each model shifts once, three of its features by 3 sd for 10 s, a second after the model
before: so every bucket has an event, and the event names its bucket.
"""

import json
import multiprocessing
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as KafkaPartition

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.schemas.configuration import Configuration

from .messages import NUMERIC, messages, reference
from .world import PARTITIONS, Result, input_topic, open_kafka, prepare, settings, table

BUCKET_MS = 1_000
GRACE_MS = 1_000
BUCKETS = 100
#: Seconds without a shift, and then of shifts that do not count yet: the warm-up.
WARM = 10
MODELS = BUCKETS + 2 * WARM
ROWS_PER_SECOND = 10_000
TICK_S = 0.01
DISTINCT = 20_000
SHIFT_SD = 3.0
SHIFT_S = 10
#: Until the first row: the producer makes its messages, the consumers join their groups.
START_S = 12


def shifted(payload: bytes) -> bytes:
    """The same message, three of its numbers so many sd up."""
    message = msgspec.json.decode(payload)
    for i, name in enumerate(NUMERIC[:3]):
        message["features"][name] += SHIFT_SD * 10.0 ** (i % 5 - 1)
    return msgspec.json.encode(message)


def produce(address: str, topic: str, seconds: int, began: float) -> None:
    """Steady traffic of all models on all partitions; model i is shifted from second WARM + i to WARM + i + SHIFT_S."""
    quiet = list(messages(DISTINCT))
    moved = [shifted(payload) for payload in quiet]
    names = [f'"m{model:04}"'.encode() for model in range(MODELS)]
    producer = Producer({"bootstrap.servers": address, "linger.ms": 5, "compression.type": "lz4"})
    time.sleep(max(0.0, began - time.time()))
    row = 0
    while (passed := time.time() - began) < seconds:
        shifts = int(passed) - WARM
        while row < passed * ROWS_PER_SECOND:
            model = row // PARTITIONS % MODELS
            payload = (moved if 0 <= shifts - model < SHIFT_S else quiet)[row % DISTINCT]
            producer.produce(topic, payload.replace(b'"fraud"', names[model], 1), partition=row % PARTITIONS)
            row += 1
        producer.poll(0)
        time.sleep(TICK_S)
    producer.flush()


def arrivals(address: str, chosen: Configuration, until: float) -> Iterator[tuple[float, dict[str, Any]]]:
    """The events of the drift topic, each with the moment (ms) at which a subscriber has it: a Kafka client and nothing of ours."""
    reader = Consumer({"bootstrap.servers": address, "group.id": "subscriber", "isolation.level": "read_committed"})
    reader.assign([KafkaPartition(chosen.topics.drift, number, 0) for number in range(chosen.topics.partitions)])
    while time.time() < until:
        message = reader.poll(0.1)
        if message is not None and message.error() is None:
            yield time.time() * 1e3, json.loads(message.value() or b"{}")
    reader.close()


def appended(bus: Bus, topic: str) -> list[list[int]]:
    """Append times of the input, by partition."""
    sources = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    return [[time for batch in bus.read(source, *bus.watermarks(source)) for time in batch.timestamps.tolist()] for source in sources]


def measure(address: str) -> Result:
    """Milliseconds from append to event, for every bucket the last of its events."""
    seconds = WARM + MODELS + SHIFT_S
    one = reference()
    by_append = {"message.timestamp.type": "LogAppendTime"}
    with tempfile.TemporaryDirectory() as folder, input_topic(address, **by_append) as topic:
        stream = {"pane": f"{BUCKET_MS}ms", "grace": f"{GRACE_MS}ms", "clock": "live"}
        written = settings(
            address, folder, topic, stream=stream, models={f"m{n:04}": {"rate": ROWS_PER_SECOND / MODELS} for n in range(MODELS)}
        )
        chosen = Configuration.model_validate(written)
        file = Path(folder) / "driftbus.yaml"
        file.write_text(json.dumps(written))
        bus = open_kafka(chosen)
        prepare(bus, chosen, (one.model_copy(update={"model": f"m{model:04}"}) for model in range(MODELS)))
        began = float(int(time.time()) + START_S)  # with a bucket, so that each has its own shift
        producer = multiprocessing.get_context("spawn").Process(target=produce, args=(address, topic, seconds, began))
        producer.start()
        running = subprocess.Popen([Path(sys.executable).with_name("driftbus"), "run", "-c", str(file)], stdout=subprocess.PIPE, text=True)
        try:
            events = list(arrivals(address, chosen, began + seconds + 1))
        finally:
            running.send_signal(signal.SIGTERM)
            said, _ = running.communicate(timeout=60)
            producer.join()
        partitions = appended(bus, topic)
        latencies: dict[int, float] = {}
        for arrived, event in events:
            bucket = int(datetime.fromisoformat(event["bucket"][1]).timestamp() * 1e3)
            if bucket > (began + 2 * WARM) * 1e3:
                closed_at = max(times[bisect_left(times, bucket + GRACE_MS)] for times in partitions)
                latencies[bucket] = max(latencies.get(bucket, 0.0), arrived - closed_at)
        bus.close()
    return {
        "load": {
            "rows_per_second": ROWS_PER_SECOND,
            "partitions": PARTITIONS,
            "models": MODELS,
            "bucket_ms": BUCKET_MS,
            "grace_ms": GRACE_MS,
        },
        "said": said.strip(),
        "milliseconds": [round(latencies[bucket]) for bucket in sorted(latencies)],
    }


def shown(result: Result) -> str:
    """The distribution as a table."""
    found: list[int] = result["milliseconds"]
    load = result["load"]
    about = f"{load['rows_per_second']:,} rows/s of {load['models']} models on {load['partitions']} partitions"
    rows = [
        (about, len(found), f"{np.median(found):.0f}", f"{np.percentile(found, 90):.0f}", f"{np.percentile(found, 99):.0f}", max(found))
    ]
    return table(("load", "buckets", "median, ms", "p90", "p99", "most"), rows)
