"""What a bucket costs the detector, at 1, 100 and 1,000 models of 20 numeric features; what it remembers, and its snapshot.

The product's own fold of one summaries partition, without a bus: panes and progress as they travel, decoded, aligned, summed, tested.
All models are in one partition, a pane of 1,000 rows each a second; of eight partitions this is the worst case.
"""

import gc
import resource
import statistics
import time
from pathlib import Path

import numpy as np

from driftbus.consumers.bus import snapshots
from driftbus.consumers.bus.addressing import addressed
from driftbus.consumers.bus.interface import Batch, Output, TopicPartition
from driftbus.consumers.detector.fold import Fold
from driftbus.consumers.detector.keys import StateKey
from driftbus.consumers.detector.settings import configuration_hash
from driftbus.consumers.streams.summaries import facts_of
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.episodes.step import Suite
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import FROM_START
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress

from .messages import NUMERIC, reference
from .world import STREAM, Result, settings, table

#: Models, and buckets measured: by then the windows of the single model have all their lengths.
SIZES = ((1, 20_000), (100, 100), (1_000, 10))
ROWS = 1_000
BUCKET_MS = 1_000
DISTINCT = 64
SOURCE = InputPartition(topic="scored", topic_id="scored-1", partition=0)
SUMMARIES = TopicPartition("summaries", 0)


class World:
    """Panes of so many models, and the fold that they are fed to."""

    def __init__(self, models: int) -> None:
        self.names = [f"m{number:04}" for number in range(models)]
        one_partition = {"partitions": 1}
        self.chosen = Configuration.model_validate(settings("-", "-", "scored", stream={"pane": f"{BUCKET_MS}ms"}, topics=one_partition))
        whole = reference()
        self._reference = whole.model_copy(update={"fields": tuple(field for field in whole.fields if field.name in NUMERIC)})
        self._counts = self._drawn(np.random.default_rng(1))
        self._tests: dict[StateKey, Suite] = {}
        self.fold = Fold(self.chosen, self._suite_of)

    def _drawn(self, rng: np.random.Generator) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Counts of quiet panes: draws from the reference."""
        plan = layout(self._reference)
        counts = np.zeros((DISTINCT, plan.size), dtype=np.int64)
        for signal in plan.signals:
            counts[:, signal.span] = rng.multinomial(ROWS, signal.reference_counts / signal.reference_counts.sum(), size=DISTINCT)
        return list(counts)

    def _suite_of(self, key: StateKey) -> Suite:
        if key not in self._tests:
            own = self._reference.model_copy(update={"model": key.model})
            self._tests[key] = Suite(
                own,
                self.chosen.model(key.model),
                application=self.chosen.application,
                stream=STREAM,
                configuration_hash=configuration_hash(self.chosen),
                reference_hash=key.reference,
            )
        return self._tests[key]

    def bucket(self, number: int) -> Batch:
        """What the profiler writes for a bucket: a pane of every model, then progress."""
        end = (number + 1) * BUCKET_MS
        outputs: list[Output] = []
        for place, name in enumerate(self.names):
            pane = Pane(
                stream=STREAM,
                **SOURCE.model_dump(),
                first=number * ROWS,
                last=(number + 1) * ROWS - 1,
                bucket=end,
                about=end,
                model=name,
                version="1",
                reference=f"sha256:{name}",
                since=FROM_START,
                rows=ROWS,
                counts=self._counts[(number * 7 + place) % DISTINCT],
                sums=np.zeros(2 * len(NUMERIC), dtype=np.int64),
            )
            outputs.append(addressed(self.chosen, self.chosen.topics.summaries, pane, 0))
        topic = InputTopic(topic=SOURCE.topic, topic_id=SOURCE.topic_id, partitions=1)
        progress = Progress(stream=STREAM, source=SOURCE, through=end, topics=(topic,))
        outputs.append(addressed(self.chosen, self.chosen.topics.summaries, progress, 0))
        offsets = np.arange(len(outputs)) + number * (len(self.names) + 1)
        values, heads = [output.value for output in outputs], [output.headers for output in outputs]
        return Batch(SUMMARIES, offsets, np.full(len(outputs), end), values, lambda: [None] * len(values), lambda: heads)

    def feed(self, batch: Batch) -> int:
        """As the detector does; the number of events."""
        return sum(len(self.fold.feed(*record)) for record in facts_of(self.chosen.application, batch))


def measure(_: str) -> Result:
    """Milliseconds of one core per bucket, and sizes, for every number of models."""
    found = []
    for models, buckets in SIZES:
        gc.collect()
        before = resident_mb()
        world = World(models)
        began = time.thread_time()
        events = world.feed(world.bucket(0))
        first_ms = (time.thread_time() - began) * 1e3
        spent = []
        for number in range(1, buckets + 1):
            batch = world.bucket(number)
            began = time.thread_time()
            events += world.feed(batch)
            spent.append((time.thread_time() - began) * 1e3)
        began = time.thread_time()
        state, states = world.fold.snapshot(buckets)
        records = snapshots.written(world.chosen, "detector", 0, state, states).records
        snapshot_ms = (time.thread_time() - began) * 1e3
        found.append(
            {
                "models": models,
                "buckets": buckets,
                "events": events,
                "first_ms": first_ms,
                "median_ms": statistics.median(spent),
                "p99_ms": float(np.percentile(spent, 99)),
                "resident_mb": resident_mb() - before,
                "pane_bytes": len(world.bucket(1).values[0] or b""),
                "state_bytes": statistics.mean(map(len, states.values())),
                "snapshot_bytes": sum(len(record.value or b"") for record in records),
                "snapshot_records": len(records),
                "snapshot_ms": snapshot_ms,
            }
        )
    return {"features": len(NUMERIC), "rows_per_pane": ROWS, "sizes": found}


def resident_mb() -> float:
    """Of this process, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def shown(result: Result) -> str:
    """Costs and sizes as a table."""
    rows = [
        (
            f"{one['models']:,}",
            f"{one['median_ms']:,.2f}",
            f"{one['p99_ms']:,.2f}",
            f"{1e3 * one['median_ms'] / one['models']:,.0f}",
            f"{one['first_ms']:,.0f}",
            f"{one['resident_mb'] / one['models']:,.2f}",
            f"{one['state_bytes'] / 1e3:,.1f}",
            f"{one['snapshot_bytes'] / 1e6:,.2f} in {one['snapshot_ms']:,.0f}",
        )
        for one in result["sizes"]
    ]
    head = ("models", "ms a bucket", "p99", "us a pane", "first bucket, ms", "MB a model", "KB a state", "snapshot, MB in ms")
    return table(head, rows)
