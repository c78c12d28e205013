"""What a step costs the joiner, however few its rows: ``python -m tests.benchmarks.joiner [STEPS]``, of 10 s each, 2,000 unless said.

Predictions and labels of one partition of the joins topic, as the profiler writes them: a block a step and side, and progress behind each.
As many rows come in a step as are labelled in it, ten minutes behind. Prints a table, and keeps the raw figures in
``tests/benchmarks/results/joiner.json``.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Set

import numpy as np

from driftbus.consumers.joiner.blocks import MOST_BYTES, Blocks
from driftbus.consumers.joiner.fold import Fold
from driftbus.consumers.joiner.joiner import READERS
from driftbus.consumers.joiner.reads import of_stream
from driftbus.detectors.agreement.ledger import Basis
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.block import SCORE_ONE, Block, Whose
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..streaming import BEGINNING, configuration
from .joining import ids
from .world import RESULTS, Result, machine, table

STEPS, PANE = 2_000, 10_000
#: Steps that progress tells at once: live one, and many where much is read at once.
TOGETHER = (1, 100)
#: Rows of each side in a step.
ROWS = (0, 1, 5, 50, 500)
#: Steps from a prediction to its label.
BEHIND = 60
LABELS = "outcomes"
_WHOSE = {"predictions": Whose("m0", "1", "0" * 64, 0), "labels": Whose("")}
_TOPICS = {"predictions": of_stream("predictions", "scored"), "labels": of_stream(LABELS, "known")}


def settings() -> Configuration:
    """Labels that are waited for during two hours."""
    labels = {LABELS: {"topics": ["known"], "wait": "2h", "early": "1h", "about": "1h"}}
    return configuration(labels=labels, models={"m0": {"labels": LABELS}}, topics={"partitions": 1})


def block(side: str, step: int, rows: int) -> Block:
    """Of one step."""
    numbers = np.arange(rows) + (step - (BEHIND if side == "labels" else 0)) * rows  # negative: of predictions from before
    halves = np.zeros(rows, [("hi", "<u8"), ("lo", "<u8")])
    ids(numbers, halves)
    zero, bucket = np.zeros(rows, dtype=np.int64), BEGINNING + step * PANE
    beside = {"scores": zero + SCORE_ONE // 2} if side == "predictions" else {"revisions": zero}
    place = {"topic": _TOPICS[side], "topic_id": "id", "partition": 0, "first": step * 1_000, "last": step * 1_000 + 999}
    return Block(
        join=LABELS,
        stream="predictions" if side == "predictions" else LABELS,
        side="predictions" if side == "predictions" else "labels",
        **place,
        bucket=bucket,
        start=bucket - PANE,
        whose=(_WHOSE[side],),
        ids=np.stack((halves["hi"], halves["lo"]), axis=1).astype("<u8").tobytes(),
        of=zero,
        waters=zero - np.arange(rows)[::-1],
        offsets=np.arange(rows),
        values=(numbers + (step % 10 == 0)) % 2,
        **beside,
    )


def records(steps: int, rows: int, every: int) -> Iterator[bytes]:
    """What the profiler writes, with progress behind so many steps."""
    for step in range(1, steps + 1):
        for side, topic in _TOPICS.items():
            if rows:
                yield b"b" + block(side, step, rows).encoded()
            if step % every:
                continue
            place = InputPartition(topic=topic, topic_id="id", partition=0)
            stream = "predictions" if side == "predictions" else LABELS
            through, topics = BEGINNING + step * PANE, (InputTopic(topic=topic, topic_id="id", partitions=1),)
            yield b"p" + Progress(stream=stream, source=place, through=through, topics=topics).encoded()


def none(start: int, end: int, wanted: Set[int]) -> Iterator[tuple[int, Block]]:
    """Nothing is fetched: all of it is at hand."""
    return iter(())


class Plain:
    """Of two outcomes, with nothing of a user's own."""

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        return OutcomeBasis(task="binary")

    def interval(self, model: str, reference: str, labels: str) -> int:
        return 3_600_000

    def own(self, model: str, basis: OutcomeBasis) -> None:
        return None

    def compared(self, model: str, reference: str) -> Basis:
        raise LookupError(model)  # no feature log


def measure(steps: int, rows: int, every: int) -> Result:
    """One partition from its beginning."""
    fold = Fold(settings(), Plain(), lambda partition: Blocks(none, MOST_BYTES))
    fold.situated(InputPartition(topic="joins", topic_id="id", partition=0), append_time=True)
    written, said = list(records(steps, rows, every)), 0
    readers = {b"b": READERS[Block.TYPE], b"p": READERS[Progress.TYPE]}
    began = time.thread_time_ns()
    facts = [readers[record[:1]](record[1:]) for record in written]
    read = time.thread_time_ns()
    for offset, fact in enumerate(facts):
        said += len(fold.feed(offset, BEGINNING + offset, fact))
    done = time.thread_time_ns()
    return {
        "rows": rows,
        "steps": steps,
        "every": every,
        "said": said,
        "read_ns": (read - began) // steps,
        "fold_ns": (done - read) // steps,
    }


def shown(results: list[Result]) -> str:
    """As text."""
    rows = [(str(one["rows"]), str(one["every"]), f"{one['read_ns'] / 1000:,.0f}", f"{one['fold_ns'] / 1000:,.0f}") for one in results]
    return table(("rows a side and step", "steps said together", "us: records of a step read", "us: a step folded"), rows)


def main(arguments: list[str]) -> None:
    """Measure, keep, and print."""
    steps, load = int(arguments[0]) if arguments else STEPS, os.getloadavg()[0]
    results = [measure(steps, rows, every) for rows in ROWS for every in TOGETHER]
    about = {**machine(), "load_before": round(load, 2)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "joiner.json").write_text(json.dumps({"machine": about, "steps": results}, indent=1) + "\n")
    print(f"{about}\n\n{shown(results)}")


if __name__ == "__main__":
    main(sys.argv[1:])
