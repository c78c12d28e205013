"""What travels with a prediction that waits, alone: ``python -m tests.benchmarks.columns [ROUNDS]``.

Of decoded rows those that are sampled are taken, with their segment and the groups of 20 features, or without, and written as blocks.
Counted is the processor time of the fastest round, so that a busy machine shows less. Raw figures: ``results/columns.json``.
"""

import json
import sys
import time

import numpy as np

from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.profiler.awaiting import Of, joins
from driftbus.consumers.profiler.waiting import Named, Waiting
from driftbus.consumers.reference.holding import prepared
from driftbus.consumers.streams.buckets import Every
from driftbus.consumers.streams.records import Records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import Whose
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.stored.segmentation import Segmentation

from .messages import MAPPING, messages, reference
from .world import RESULTS, Result, machine, table

ROUNDS, ROWS, AT_ONCE, PANE = 25, 20_000, 5_000, 10_000
DIVIDED = Segmentation(by="country", names=("DE", "FR", "IT", "JP", "(other)"))
NAMED = Named("outcomes", "scored", "predictions", InputPartition(topic="scored", topic_id="-", partition=0))


def configured(sample: float, features: int) -> Configuration:
    """One model with labels."""
    mapping = {"features": "features", "prediction": "prediction", "score": "score", "id": "id"}
    return Configuration.model_validate(
        {
            "application": "bench",
            "streams": {"scored": {"topics": ["scored"], "mapping": mapping}},
            "labels": {"outcomes": {"topics": ["labels"], "positive": "accepted", "sample": sample}},
            "models": {"fraud": {"labels": "outcomes", "outcomes": {"features": features}}},
        }
    )


def main(rounds: int = ROUNDS) -> None:
    """Measure, print and write down."""
    payloads, whole = list(messages(ROWS)), reference()
    columns = JSONDecoder(MAPPING).columns(whole.fields, payloads, ids=True)
    nothing = np.zeros(ROWS, dtype=np.int64)
    records = Records(np.arange(ROWS), nothing, nothing > 0, payloads, lambda: [None] * ROWS, lambda: [()] * ROWS)
    found: list[Result] = []
    for sample in (0.1, 1.0):
        for features, segmentation in ((0, None), (20, None), (0, DIVIDED), (20, DIVIDED)):
            join = joins(configured(sample, features), "scored")["fraud"]
            of = Of(Whose("fraud", "3.2.1", whole.name, 0), prepared(whole.model_copy(update={"segmentation": segmentation})))
            best, rows, size = 1 << 62, 0, 0
            for _ in range(rounds):
                waiting, began = Waiting(), time.thread_time_ns()
                for start in range(0, ROWS, AT_ONCE):
                    places = np.arange(start, start + AT_ONCE)
                    some, _ = join.rows(columns, records, places, places, of, waiting.code)
                    some["bucket"], some["water"] = PANE, PANE - 1
                    waiting.add(some)
                blocks = waiting.blocks(NAMED, 0, ROWS, Every(PANE), 8)
                size, rows = sum(len(block.encoded()) for block in blocks), sum(block.rows for block in blocks)
                best = min(best, time.thread_time_ns() - began)
            found.append(
                {
                    "sample": sample,
                    "features": features,
                    "segments": len(segmentation.names) if segmentation else 0,
                    "ns a row": round(best / ROWS),
                    "bytes a row that waits": round(size / rows, 1),
                }
            )
    print(table(list(found[0]), (list(one.values()) for one in found)))
    (RESULTS / "columns.json").write_text(
        json.dumps({"rounds": rounds, "rows": ROWS, "found": found, "machine": machine()}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
