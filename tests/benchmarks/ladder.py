"""What each layer costs on a real Kafka: rows a second, and the share of a bare consume, side by side in one run.

All rungs read one topic of 4 partitions; rounds are interleaved, medians count. The last rung is the product: the profiler, with a pane
per 50,000 rows of a partition in transactions. Beside it: what a user would write, json.loads and river's ADWIN for 20 features.
"""

import gc
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, Message
from river.drift import ADWIN

from driftbus.consumers.bus import kafka_settings
from driftbus.consumers.bus.interface import Batch, Bus, Position, TopicPartition
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.pipeline.runner import wall_ms
from driftbus.consumers.profiler.profiler import Profiler
from driftbus.consumers.profiler.reader import MOST_RECORDS
from driftbus.consumers.profiler.tally import Tally
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.consumers.streams.cut import CutState, Rules, cut
from driftbus.consumers.streams.records import records_of
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.stored.reference import Reference

from .messages import MAPPING, NUMERIC, messages, reference
from .world import STREAM, Result, fill, input_topic, open_kafka, prepare, settings, table

ROWS = 1_000_000
ROUNDS = 5
DISTINCT = 20_000
#: The loop with river does a tenth of it in the time of all others together.
RIVER_ROWS = 40_000


class Took(NamedTuple):
    """Seconds from the first records to the last: on the wall, and of the processor in the thread that works on them."""

    wall: float
    processor: float


class Rung:
    """How long a layer takes: the clock starts at the first records, when the group has been joined."""

    def __init__(self, address: str, folder: str, references: Sequence[Reference], topic: str) -> None:
        self.address, self.folder, self.references, self.topic = address, folder, references, topic

    def chosen(self) -> Configuration:
        """A new group each time."""
        return Configuration.model_validate(settings(self.address, self.folder, self.topic))

    def bare(self, rows: int = ROWS) -> Took:
        """Seconds to consume and take the values, with the product's settings."""
        return timed(self._polled(rows), rows)

    def river(self, rows: int = RIVER_ROWS) -> Took:
        """The user's loop."""
        watched = {name: ADWIN() for name in NUMERIC}  # type: ignore[no-untyped-call]  # river has no types

        def loop() -> Iterator[int]:
            for values in self._polled_values(rows):
                for value in values:
                    features = json.loads(value or b"")["features"]
                    for name, detector in watched.items():
                        detector.update(features[name])  # type: ignore[no-untyped-call]
                yield len(values)

        return timed(loop(), rows)

    def session(self, rows: int = ROWS) -> Took:
        """The bus: values, offsets, timestamps, partitions."""
        return timed(map(len, self._batches(rows)), rows)

    def decoded(self, rows: int = ROWS) -> Took:
        """Whose rows they are, and their columns."""
        decoder, fields = JSONDecoder(MAPPING), self.references[0].fields

        def decode(batch: Batch) -> int:
            decoder.identities(batch.values, None, None)
            return len(decoder.columns(fields, batch.values).numeric)

        return timed(map(decode, self._batches(rows)), rows)

    def counted(self, rows: int = ROWS) -> Took:
        """Cut, decoded and counted in runs, without publishing them."""
        chosen = self.chosen()
        bus = open_kafka(chosen)
        references = self._held(bus, chosen)
        bus.close()
        decoder, rules = JSONDecoder(MAPPING), Rules.of(chosen.streams[STREAM])
        states: dict[TopicPartition, tuple[CutState, Tally]] = {}

        def count(batch: Batch) -> int:
            place = InputPartition(topic=batch.source.topic, topic_id="-", partition=batch.source.partition)
            state, tally = states.get(batch.source) or (CutState(), Tally(STREAM, place, decoder, references, rules.buckets))
            records = records_of(batch, None)
            state, items, taken = cut(rules, state, records.offsets, records.timestamps, records.ends)
            tally.add(records, items)
            states[batch.source] = state, tally
            return taken

        return timed(map(count, self._batches(rows)), rows)

    def profiled(self, rows: int = ROWS) -> Took:
        """The product: panes and progress in transactions."""
        chosen = self.chosen()
        bus = open_kafka(chosen)
        references = self._held(bus, chosen)
        profiler = Profiler(bus, chosen, STREAM, JSONDecoder(MAPPING), references, wall_ms)
        profiler.finish()

        def turns() -> Iterator[int]:
            while not profiler.done:
                yield int(profiler.turn(0.05))

        took = timed(turns())
        if profiler.totals()["rows"] != rows:
            msg = f"{rows} rows were sent to {self.topic}, {profiler.totals()['rows']} were counted"
            raise AssertionError(msg)
        profiler.close()
        bus.close()
        return took

    def _held(self, bus: Bus, chosen: Configuration) -> HeldReferences:
        """All references, announced and read: that is the price of a start, not of a row."""
        prepare(bus, chosen, self.references)
        held = HeldReferences(bus, chosen, ArtifactStore(chosen.artifacts))
        for one in self.references:
            held.monitored(one.name)
        return held

    def _polled(self, rows: int) -> Iterator[int]:
        return map(len, self._polled_values(rows))

    def _polled_values(self, rows: int) -> Iterator[list[bytes | None]]:
        """As a fast loop on the client alone does it."""
        consumer = Consumer(
            {
                **kafka_settings.consumer({"bootstrap.servers": self.address}, f"bare-{uuid.uuid4().hex}"),
                "auto.offset.reset": "earliest",
                "enable.partition.eof": False,
            }
        )
        consumer.subscribe([self.topic])
        seen = 0
        while seen < rows:
            values = list(map(Message.value, consumer.consume(min(MOST_RECORDS, rows - seen), 0.1)))
            seen += len(values)
            yield values
        consumer.close()

    def _batches(self, rows: int) -> Iterator[Batch]:
        bus = open_kafka(self.chosen())
        session = bus.session("bench", [self.topic], _FromTheBeginning())
        seen = 0
        while seen < rows:
            for batch in session.consume(MOST_RECORDS, 0.1):
                seen += len(batch)
                yield batch
        session.close()
        bus.close()


class _FromTheBeginning:
    """Reads every partition from its first offset, and remembers nothing."""

    def assigned(self, partitions: Mapping[TopicPartition, Position | None]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        pass


def timed(steps: Iterator[int], rows: int | None = None) -> Took:
    """How long it takes, without joining the group and leaving it."""
    gc.collect()
    gc.freeze()
    seen, began = 0, Took(0.0, 0.0)
    for step in steps:
        if step and not seen:
            began = Took(time.perf_counter(), time.thread_time())
        seen += step
        if rows is not None and seen >= rows:
            break
    took = Took(time.perf_counter() - began.wall, time.thread_time() - began.processor)
    for _ in steps:
        pass
    gc.unfreeze()
    return took


def interleaved(rungs: Mapping[str, tuple[Callable[[], Took], int]], rounds: int = ROUNDS) -> dict[str, Result]:
    """Of every rung, in every round: nanoseconds a row, on the wall and of one core."""
    figures: dict[str, Result] = {name: {"wall_ns": [], "processor_ns": []} for name in rungs}
    for _ in range(rounds):
        for name, (run, rows) in rungs.items():
            took = run()
            figures[name]["wall_ns"].append(round(took.wall / rows * 1e9))
            figures[name]["processor_ns"].append(round(took.processor / rows * 1e9))
    return figures


def measure(address: str) -> Result:
    """Rows a second of every rung, round by round."""
    payloads = list(messages(DISTINCT))
    with tempfile.TemporaryDirectory() as folder, input_topic(address) as topic:
        fill(address, topic, ROWS, lambda row: payloads[row % DISTINCT])
        rung = Rung(address, folder, [reference()], topic)
        figures = interleaved(
            {
                "bare consume": (rung.bare, ROWS),
                "session": (rung.session, ROWS),
                "+ decode": (rung.decoded, ROWS),
                "+ count": (rung.counted, ROWS),
                "+ panes in transactions": (rung.profiled, ROWS),
                "json.loads + river ADWIN": (rung.river, RIVER_ROWS),
            }
        )
    return {"rows": ROWS, "bytes": round(sum(map(len, payloads)) / DISTINCT), "rungs": figures}


def shown(result: Result) -> str:
    """The ladder as a table."""
    rungs: dict[str, Result] = result["rungs"]
    bare, river = rungs["bare consume"]["wall_ns"], rungs["json.loads + river ADWIN"]["wall_ns"]
    rows = [
        (
            name,
            f"{1e9 / statistics.median(rung['wall_ns']):,.0f}",
            f"{statistics.median(rung['wall_ns']):,.0f}",
            f"{statistics.median(rung['processor_ns']):,.0f}",
            f"{ratio(bare, rung['wall_ns']):.2f}",
            f"{ratio(river, rung['wall_ns']):.1f}",
        )
        for name, rung in rungs.items()
    ]
    return table(("rung", "rows/s", "ns a row", "of them its thread's", "share of bare consume", "times river's loop"), rows)


def ratio(figures: Sequence[float], to: Sequence[float]) -> float:
    """The median over the rounds of a ratio within a round."""
    return statistics.median(figure / other for figure, other in zip(figures, to, strict=True))
