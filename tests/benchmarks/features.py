"""What a feature log costs, alone: ``python -m tests.benchmarks.features [ROUNDS]``.

Of 20,000 messages of 23 features: a served row that is read, and handed to the joiner, at a tenth of the entities and at all; a row of the
log; what the joiner does with both, and with pairs of which none, and a twentieth of the values, differ. Counted is the processor time of
the fastest round, so that a busy machine shows less. Raw figures: ``results/features.json``.
"""

import json
import sys
import time
from collections.abc import Callable

import msgspec
import numpy as np

from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.profiler.awaiting import Of
from driftbus.consumers.profiler.features import FeatureTally
from driftbus.consumers.profiler.readings import Readings
from driftbus.consumers.profiler.served import served
from driftbus.consumers.profiler.waiting import Named, Waiting
from driftbus.consumers.reference.holding import Holding, Monitored, prepared
from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.cut import AcceptedRows
from driftbus.consumers.streams.records import Records
from driftbus.detectors.agreement import Comparison, Counting
from driftbus.detectors.joining import label, prediction
from driftbus.detectors.joining.matching import Matching
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import Whose
from driftbus.schemas.messages.progress import InputPartition

from .messages import messages, reference
from .world import RESULTS, Result, machine, table

ROUNDS, ROWS, AT_ONCE, PANE = 15, 20_000, 5_000, 10_000
PLACE = InputPartition(topic="scored", topic_id="-", partition=0)
WHOLE = reference()
WIDTH = 23


def configured(sample: float) -> Configuration:
    """One model with a feature log."""
    mapping = {"features": "features", "prediction": "prediction", "score": "score", "entity": "entity", "as_of": "time"}
    return Configuration.model_validate(
        {
            "application": "bench",
            "streams": {"scored": {"topics": ["scored"], "mapping": mapping}},
            "features": {"log": {"topics": ["offline"], "sample": sample}},
            "models": {"fraud": {"agreement": {"log": "log", "features": WIDTH}}},
        }
    )


class OneReference:
    """It holds for all rows."""

    def holding(self, model: str, version: str, bucket: int) -> Holding:
        return Holding(WHOLE.name, 0)

    def holding_of(self, model: str, bucket: int) -> tuple[str, ...]:
        return (WHOLE.name,)

    def announced(self, model: str) -> bool:
        return True

    def monitored(self, name: str) -> Monitored:
        return PREPARED

    def subjects(self, name: str) -> tuple[()]:
        return ()

    def retired(self, stream: str) -> dict[str, int]:
        return {}

    def keep_up(self) -> None:
        pass


PREPARED = prepared(WHOLE)


def fastest(rounds: int, once: Callable[[], object]) -> int:
    """Nanoseconds a row."""
    best = 1 << 62
    for _ in range(rounds):
        began = time.thread_time_ns()
        once()
        best = min(best, time.thread_time_ns() - began)
    return round(best / ROWS)


def of_served(sample: float, rounds: int) -> Result:
    """Decoded rows to blocks."""
    payloads = list(messages(ROWS))
    columns, nothing = (
        JSONDecoder(configured(1.0).streams["scored"].mapping).columns(WHOLE.fields, payloads, entities=True),
        np.zeros(ROWS, dtype=np.int64),
    )
    records = Records(np.arange(ROWS), nothing, nothing > 0, payloads, lambda: [None] * ROWS, lambda: [()] * ROWS)
    join, of, sizes = served(configured(sample), "scored")["fraud"], Of(Whose("fraud", "3.2.1", WHOLE.name, 0), PREPARED), [0, 0]

    def once() -> None:
        waiting = Waiting()
        for start in range(0, ROWS, AT_ONCE):
            places = np.arange(start, start + AT_ONCE)
            some, _ = join.rows(columns, records, places, places, of, waiting.code)
            some["bucket"], some["water"] = PANE, PANE - 1
            waiting.add(some)
        blocks = waiting.blocks(Named("log", "scored", "served", PLACE), 0, ROWS, Every(PANE), 8)
        sizes[:] = sum(len(block.encoded()) for block in blocks), sum(block.rows for block in blocks)

    return {"what": f"a served row, sample {sample}", "ns a row": fastest(rounds, once), "bytes a row": round(sizes[0] / sizes[1], 1)}


def of_log(sample: float, rounds: int) -> Result:
    """Rows of the log to what waits for its block."""
    found = (msgspec.json.decode(payload) for payload in messages(ROWS))
    payloads = [msgspec.json.encode({"entity": one["entity"], "as_of": one["time"], "values": one["features"]}) for one in found]
    nothing, configuration = np.zeros(ROWS, dtype=np.int64), configured(sample)
    records = Records(np.arange(ROWS), nothing, nothing > 0, payloads, lambda: [None] * ROWS, lambda: [()] * ROWS)
    readings, log = Readings(configuration, "log", OneReference()), configuration.features["log"]

    def once() -> None:
        tally = FeatureTally(Named("log", "log", "offline", PLACE), log, readings, Every(PANE), 8)
        for start in range(0, ROWS, AT_ONCE):
            rows = AcceptedRows(0, AT_ONCE, np.full(AT_ONCE, PANE), nothing[:AT_ONCE] > 0, np.full(AT_ONCE, PANE - 1))
            tally.add(records.since(start).before(AT_ONCE), [rows])

    return {"what": f"a row of the log, sample {sample}", "ns a row": fastest(rounds, once), "bytes a row": "-"}


def of_joiner(rounds: int) -> list[Result]:
    """To enter, and to be met; and what a prediction takes that waits."""
    draw = np.random.default_rng(7)
    made, rows = np.zeros(ROWS, prediction(0, WIDTH)), np.zeros(ROWS, label(WIDTH))
    made["hi"] = rows["hi"] = draw.integers(1 << 62, size=ROWS)
    made["lo"] = rows["lo"] = draw.integers(1 << 62, size=ROWS)
    made["about"], rows["about"], rows["value"] = PANE, 2 * PANE, 1
    spent: dict[str, list[int]] = {"enter": [], "meet": []}
    sizes = dict[str, float]()
    for _ in range(rounds):
        join = Matching(1_000 * PANE, 0, Every(PANE), 0, carried=WIDTH)
        for what, step, new, labels in (("enter", PANE, made, rows[:0]), ("meet", 2 * PANE, made[:0], rows)):
            began = time.thread_time_ns()
            join.step(step, new, labels)
            spent[what].append(time.thread_time_ns() - began)
            sizes[what] = round(join.nbytes / ROWS, 1)
    return [
        {"what": f"to {what}, in the joiner", "ns a row": round(min(own) / ROWS), "bytes a row": sizes[what]} for what, own in spent.items()
    ]


def of_pairs(differing: float, rounds: int) -> Result:
    """Pairs to sums."""
    draw, comparison = np.random.default_rng(7), Comparison(WHOLE.fields, WIDTH)
    offline = np.zeros((ROWS, WIDTH), dtype=np.int64)
    for place, one in enumerate(comparison.features):
        offline[:, place] = draw.normal(size=ROWS).view(np.int64) if one.numeric else draw.integers(1 << 62, size=ROWS)
    apart = draw.random(offline.shape) < differing
    values = np.where(apart, np.roll(offline, 1, axis=0), offline)
    counting, owner = Counting(comparison.features), np.zeros(ROWS, dtype=np.int64)

    def once() -> None:
        table_ = np.zeros((1, counting.layout.size), dtype=np.int64)
        for start in range(0, ROWS, AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            counting.add(table_, owner[rows], values[rows], offline[rows], 1)

    return {"what": f"a pair's {WIDTH} values, {differing:.0%} differ", "ns a row": fastest(rounds, once), "bytes a row": "-"}


def main(rounds: int = ROUNDS) -> None:
    """Measure, print and write down."""
    found = [of_served(sample, rounds) for sample in (0.1, 1.0)] + [of_log(sample, rounds) for sample in (0.1, 1.0)]
    found += [*of_joiner(rounds), *(of_pairs(share, rounds) for share in (0.0, 0.05))]
    print(table(list(found[0]), (list(one.values()) for one in found)))
    whole = {"rounds": rounds, "rows": ROWS, "features": WIDTH, "found": found, "machine": machine()}
    (RESULTS / "features.json").write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
