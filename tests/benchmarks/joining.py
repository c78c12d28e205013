"""The join's store and rules, without a bus: ``python -m tests.benchmarks.joining [ROWS]``, 10 million pending rows unless said.

Hourly steps of a month: predictions with 20 bins enter, then each gets its label, in another order, then follows a day in which as many
leave as enter and are labelled. Prints a table, and keeps the raw figures in ``tests/benchmarks/results/joining.json``.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from driftbus.consumers.streams.buckets import Every
from driftbus.detectors.joining import ANY, LABEL, prediction
from driftbus.detectors.joining.matching import Matching

from .trimmed import resident
from .world import RESULTS, Result, machine, table

ROWS, BINS = 10_000_000, 20
HOUR = 3_600_000
#: Steps in which the rows enter, and as many in which they are labelled; none leaves before.
STEPS, DAY = 720, 24
#: Of a sample of a tenth, in one of eight partitions: neither half of an id is uniform.
RATE, PARTITIONS = 10, 8
#: Prime to any number of rows in use: a row's label comes after those of rows far from it.
_STRIDE = 6_700_417


def ids(numbers: np.ndarray, made: np.ndarray) -> None:
    """Give rows the ids of these numbers."""
    for half, salt in (("hi", 0), ("lo", 1)):
        x = (2 * numbers.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        made[half] = x ^ (x >> np.uint64(31))
    made["hi"] //= np.uint64(RATE)
    made["lo"] -= made["lo"] % np.uint64(PARTITIONS)


def predictions(numbers: np.ndarray, step: int) -> np.ndarray:
    """A step's, all of its own bucket."""
    made = np.zeros(len(numbers), prediction(BINS))
    ids(numbers, made)
    made["about"], made["value"], made["score"] = step, numbers % 2, numbers % 1_000
    made["bins"] = (numbers % 5)[:, None]
    return made


def labels(numbers: np.ndarray, step: int) -> np.ndarray:
    """Of the predictions with these numbers, for any model."""
    made = np.zeros(len(numbers), LABEL)
    ids(numbers, made)
    made["value"], made["about"], made["model"] = numbers % 3 == 0, step, ANY
    return made


class Timed:
    """Steps of one kind, and what they took."""

    def __init__(self) -> None:
        self.rows = self.wall = self.processor = 0

    def of(self, rows: int, act: Callable[[], int]) -> None:
        """Do it; it says how many rows it was about."""
        wall, processor = time.perf_counter_ns(), time.thread_time_ns()
        done = act()
        self.processor += time.thread_time_ns() - processor
        self.wall += time.perf_counter_ns() - wall
        if done != rows:
            msg = f"{done:,} rows came to what {rows:,} should have"
            raise AssertionError(msg)
        self.rows += rows

    def figures(self) -> Result:
        """A row of all steps."""
        return {"rows": self.rows, "wall_ns": round(self.wall / self.rows), "processor_ns": round(self.processor / self.rows)}


class Hours:
    """A join, hour by hour."""

    def __init__(self) -> None:
        self.join, self.now = Matching(2 * STEPS * HOUR, HOUR, Every(HOUR), BINS), 0
        self.entering, self.matching, self.leaving = Timed(), Timed(), Timed()

    def next(self, leave: int = 0) -> None:
        """The next hour begins: so many predictions leave, or none and the labels alone."""
        self.now += HOUR
        (self.leaving if leave else self.matching).of(leave, self._leave)

    def enter(self, numbers: np.ndarray) -> None:
        """Predictions of these numbers."""
        new, no_labels = predictions(numbers, self.now), np.zeros(0, LABEL)
        self.entering.of(len(new), lambda: self._count("predicted", new, no_labels))

    def label(self, numbers: np.ndarray) -> None:
        """Their first labels."""
        new, no_predictions = labels(numbers, self.now), np.zeros(0, prediction(BINS))
        self.matching.of(len(new), lambda: self._count("first", no_predictions, new))

    def _count(self, what: str, new: np.ndarray, labelled: np.ndarray) -> int:
        return sum(len(happening.rows) for happening in self.join.step(self.now, new, labelled) if happening.what == what)

    def _leave(self) -> int:
        waiting = self.join.waiting
        self.join.expire(self.now)
        return waiting - self.join.waiting


def measure(rows: int) -> Result:
    """All phases, one after the other, in one store."""
    before, hours = resident(), Hours()
    portions = [range(rows * step // STEPS, rows * (step + 1) // STEPS) for step in range(STEPS)]
    for portion in portions:
        hours.next()
        hours.enter(np.arange(portion.start, portion.stop))
    waiting = {"rows": rows, "bytes": round(hours.join.nbytes / rows, 2), "resident": resident() - before, "peak": peak() - before}
    for portion in portions:
        hours.next()
        hours.label(np.arange(portion.start, portion.stop) * _STRIDE % rows)
    hours.next()
    for portion in portions[:DAY]:
        hours.next(leave=len(portion))
        hours.enter(np.arange(rows + portion.start, rows + portion.stop))
        hours.label(np.arange(rows + portion.start, rows + portion.stop))
    waiting |= {"bytes_after_a_day": round(hours.join.nbytes / hours.join.waiting, 2), "peak_after_a_day": peak() - before}
    steps = {"enter": hours.entering, "match": hours.matching, "leave": hours.leaving}
    return {"bins": BINS, "waiting": waiting, "steps": {name: timed.figures() for name, timed in steps.items()}}


def peak() -> int:
    """Bytes of memory that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def shown(result: Result) -> str:
    """Both as text."""
    rows = [
        (name, f"{figures['rows']:,}", f"{1e9 / figures['wall_ns']:,.0f}", f"{figures['wall_ns']:,}", f"{figures['processor_ns']:,}")
        for name, figures in result["steps"].items()
    ]
    waiting = result["waiting"]
    return (
        table(("what", "rows", "rows/s", "ns a row", "of them its thread's"), rows)
        + f"\n\n{waiting['rows']:,} pending rows: {waiting['bytes']} bytes each with the index, {waiting['resident'] / 1e6:,.0f} MB; "
        + f"at most {waiting['peak'] / 1e6:,.0f} MB while they entered, {waiting['peak_after_a_day'] / 1e6:,.0f} MB in the end"
    )


def main(arguments: list[str]) -> None:
    """Measure, keep, and print."""
    rows, load, began = int(arguments[0]) if arguments else ROWS, os.getloadavg()[0], time.time()
    result = measure(rows)
    about = {**machine(), "load_before": round(load, 2), "seconds": round(time.time() - began)}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "joining.json").write_text(json.dumps({"machine": about, **result}, indent=1) + "\n")
    print(f"{about}\n\n{shown(result)}")


if __name__ == "__main__":
    main(sys.argv[1:])
