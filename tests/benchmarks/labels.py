"""What labels cost the profiler: ``python -m tests.benchmarks.labels [ROUNDS] [ROWS]``.

The full profiler reads the same topic of a real Kafka, in turn without labels and with labels configured at several samples, and with the
groups of 20 features beside each row that waits. Counted is the processor time of the working thread, each time against what it took
without labels just before or after: the machine is faster at one minute than at the next. Raw figures: ``results/labels.json``.
"""

import json
import statistics
import sys
import tempfile
from typing import NamedTuple

from driftbus.schemas.configuration import Configuration

from .ladder import DISTINCT, Rung
from .messages import messages, reference
from .world import RESULTS, fill, input_topic, kafka, machine

ROUNDS, ROWS = 12, 200_000


class Asked(NamedTuple):
    """What is configured; sample 0: no labels."""

    sample: float
    features: int = 0


ASKED = (Asked(0.0), Asked(0.1), Asked(0.1, 20), Asked(1.0), Asked(1.0, 20))


class Labelled(Rung):
    """With labels at some sample."""

    asked = ASKED[0]

    def chosen(self) -> Configuration:
        """A new group each time."""
        plain = super().chosen()
        if not self.asked.sample:
            return plain
        labels = {"outcomes": {"topics": ["labels"], "positive": "accepted", "sample": self.asked.sample}}
        models = {"fraud": {"labels": "outcomes", "outcomes": {"features": self.asked.features}}}
        return Configuration.model_validate(plain.model_dump(exclude_unset=True) | {"labels": labels, "models": models})


def main(rounds: int = ROUNDS, rows: int = ROWS) -> None:
    """Measure, print and write down."""
    found: dict[Asked, list[float]] = {asked: [] for asked in ASKED}
    payloads = list(messages(DISTINCT))
    with kafka() as address, input_topic(address) as topic, tempfile.TemporaryDirectory() as folder:
        fill(address, topic, rows, lambda row: payloads[row % DISTINCT])
        rung = Labelled(address, folder, [reference()], topic)
        for number in range(rounds):
            for asked in ASKED if number % 2 else reversed(ASKED):
                rung.asked = asked
                found[asked].append(rung.profiled(rows).processor / rows * 1e9)
    for asked, each in found.items():
        low, middle, high = statistics.quantiles([own / plain for own, plain in zip(each, found[ASKED[0]], strict=True)], n=4)
        took = f"sample {asked.sample:4.0%}, {asked.features:2} features  {statistics.median(each):8,.0f} ns a row"
        print(f"{took}  {middle:.3f} ({low:.3f} to {high:.3f})", flush=True)
    told = {
        "rounds": rounds,
        "rows": rows,
        "ns_a_row": {f"{one.sample}, {one.features}": list(map(round, each)) for one, each in found.items()},
    }
    (RESULTS / "labels.json").write_text(json.dumps({**told, "machine": machine()}, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
