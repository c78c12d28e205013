"""What a minute costs the diagnoser, at 1, 100 and 1,000 models of 20 numeric features, quiet and where one fault is in all; its snapshot.

The product's own fold of one summaries partition, without a bus: panes and progress as they travel, decoded, aligned, summed, looked at.
Every model has a pane of 1,000 rows a minute, so that a window closes every minute; all models are in one partition. Command:
``python -m tests.benchmarks.diagnoser``.
"""

import gc
import json
import os
import statistics
import time
from collections.abc import Sequence

import numpy as np

from driftbus.consumers.bus import snapshots
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.diagnoser.fold import Fold
from driftbus.consumers.streams.lanes import Lane
from driftbus.detectors.counting.layout import layout
from driftbus.detectors.diagnosis.reading import Reading, Whose
from driftbus.detectors.diagnosis.windows import BASELINE
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.episode import EPISODE
from driftbus.schemas.messages.pane import PREDICTIONS, Pane
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.reference import Reference

from .detector import resident_mb
from .messages import NUMERIC, reference
from .world import RESULTS, STREAM, Result, machine, settings, table

#: Models, quiet minutes that are measured once all windows are there, and minutes of a fault.
SIZES = ((1, 40, 20), (100, 12, 8), (1_000, 4, 5))
ROWS, MINUTE, DISTINCT = 1_000, 60_000, 64
#: Of the rows of a fault, that have no value of one feature.
LOST = 0.4


class World:
    """Panes of so many models, and the fold that they are fed to."""

    def __init__(self, models: int) -> None:
        self.names = [f"m{number:04}" for number in range(models)]
        self.chosen = Configuration.model_validate(settings("-", "-", "scored", stream={"pane": "1m"}, topics={"partitions": 1}))
        whole = reference()
        fields = tuple(field for field in whole.fields if field.name in NUMERIC)
        self._known = whole.model_copy(update={"fields": fields, "first": 0, "last": whole.rows * 60})
        self._reading = Reading(self._known, None, lambda _: Whose())
        self._plan = layout(self._known)
        self._counts = self._drawn(np.random.default_rng(1))
        self.fold = Fold(self.chosen, self._read)
        self._offset = 0

    def _read(self, model: str, reference_: str) -> tuple[Reference, Reading]:
        return self._known, self._reading

    def _drawn(self, draw: np.random.Generator) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Counts of quiet panes: draws from the reference."""
        counts = np.zeros((DISTINCT, self._plan.size), dtype=np.int64)
        for signal in self._plan.signals:
            weights = signal.reference_counts / signal.reference_counts.sum()
            counts[:, signal.span] = draw.multinomial(ROWS, weights, size=DISTINCT)
        return list(counts)

    def minute(self, number: int, *, lost: bool) -> list[bytes]:
        """What is written of a minute: a pane of every model, and how far all is complete."""
        end, values = (number + 1) * MINUTE, list[bytes]()
        for place, name in enumerate(self.names):
            counts = self._counts[(number * 7 + place) % DISTINCT]
            if lost:
                counts = self._without(counts)
            pane = Pane(
                stream=STREAM,
                topic="scored",
                topic_id="scored-1",
                partition=0,
                first=number * ROWS,
                last=(number + 1) * ROWS - 1,
                bucket=end,
                about=end,
                model=name,
                version="1",
                reference=f"sha256:{name}",
                since=0,
                rows=ROWS,
                counts=counts,
                sums=np.zeros(self._plan.wide, dtype=np.int64),
            )
            values.append(pane.encoded())
        lane = Lane(STREAM, PREDICTIONS).source
        for of, source in (
            (PREDICTIONS, InputPartition(topic="scored", topic_id="scored-1", partition=0)),
            ("model", InputPartition(topic=self.chosen.topics.models, topic_id="m", partition=0)),
            ("feedback", InputPartition(topic=self.chosen.topics.feedback, topic_id="f", partition=0)),
            (EPISODE, lane),
        ):
            topics = () if of == EPISODE else (InputTopic(topic=source.topic, topic_id=source.topic_id, partitions=1),)
            values.append(Progress(stream=STREAM, source=source, through=end, topics=topics, of=of).encoded())
        return values

    def _without(self, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        signal = self._plan.find(NUMERIC[0], "values")
        present = self._plan.find(NUMERIC[0], "availability")
        assert signal is not None
        assert present is not None
        found = counts.copy()
        found[signal.span] = (found[signal.span] * (1 - LOST)).astype(np.int64)
        found[present.span] = (ROWS - int(ROWS * LOST), int(ROWS * LOST), 0, 0)
        return found

    def feed(self, values: Sequence[bytes]) -> int:
        """As the diagnoser does; the number of events."""
        events = 0
        for place, value in enumerate(values):
            fact = Pane.decoded(value) if place < len(self.names) else Progress.decoded(value)
            events += len(self.fold.feed(self._offset, self._offset, fact))
            self._offset += 1
        return events

    def spent(self, first: int, minutes: int, *, lost: bool = False) -> tuple[list[float], int]:
        """Milliseconds of one core for each minute, and the events of them."""
        spent, events = [], 0
        for number in range(first, first + minutes):
            values = self.minute(number, lost=lost)
            began = time.thread_time()
            events += self.feed(values)
            spent.append((time.thread_time() - began) * 1e3)
        return spent, events


def measure() -> Result:
    """Milliseconds of one core a minute, and sizes, for every number of models."""
    found = []
    for models, quiet, faulty in SIZES:
        gc.collect()
        before = resident_mb()
        world = World(models)
        warm = BASELINE + 6
        world.spent(0, warm)
        calm, calm_events = world.spent(warm, quiet)
        bad, bad_events = world.spent(warm + quiet, faulty, lost=True)
        state, parts = world.fold.snapshot(1)
        began = time.thread_time()
        first = snapshots.written(world.chosen, "diagnoser", 0, state, parts, lasting=True)
        first_ms = (time.thread_time() - began) * 1e3
        world.spent(warm + quiet + faulty, 1, lost=True)
        began = time.thread_time()
        state, parts = world.fold.snapshot(2)
        second = snapshots.written(world.chosen, "diagnoser", 0, state, parts, first.stands, lasting=True)
        second_ms = (time.thread_time() - began) * 1e3
        found.append(
            {
                "models": models,
                "quiet_ms": statistics.median(calm),
                "quiet_events": calm_events,
                "fault_ms": statistics.median(bad),
                "fault_most_ms": max(bad),
                "fault_events": bad_events,
                "resident_mb": resident_mb() - before,
                "snapshot_bytes": _size(first.records),
                "snapshot_ms": first_ms,
                "again_bytes": _size(second.records),
                "again_ms": second_ms,
            }
        )
    return {"features": len(NUMERIC), "rows_per_pane": ROWS, "sizes": found}


def _size(records: Sequence[Output]) -> int:
    return sum(len(one.value or b"") for one in records)


def shown(result: Result) -> str:
    """Costs and sizes as a table."""
    rows = [
        (
            f"{one['models']:,}",
            f"{one['quiet_ms']:,.1f}",
            f"{one['quiet_ms'] / one['models']:,.2f}",
            f"{one['fault_ms']:,.1f}",
            f"{one['fault_ms'] / one['models']:,.2f}",
            f"{one['fault_ms'] / MINUTE:.1%}",
            f"{one['resident_mb'] / one['models']:,.2f}",
            f"{one['snapshot_bytes'] / 1e6:,.1f} in {one['snapshot_ms']:,.0f}",
            f"{one['again_bytes'] / 1e6:,.1f} in {one['again_ms']:,.0f}",
        )
        for one in result["sizes"]
    ]
    head = ("models", "quiet, ms a minute", "a model", "fault in all, ms a minute", "a model", "of a core", "MB a model")
    return table((*head, "snapshot, MB in ms", "one minute later"), rows)


if __name__ == "__main__":
    load, began = os.getloadavg()[0], time.time()
    result_ = measure()
    about = {**machine(), "load_before": round(load, 2), "seconds": round(time.time() - began)}
    (RESULTS / "diagnoser.json").write_text(json.dumps({"machine": about, **result_}, indent=1) + "\n")
    print(shown(result_))
