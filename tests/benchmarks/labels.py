"""What labels cost the profiler: ``python -m tests.benchmarks.labels [ROUNDS] [ROWS]``.

The full profiler reads the same topic of a real Kafka, in turn without labels and with labels configured at several samples. Counted is
the processor time of the working thread. Raw figures: ``results/labels.json``.
"""

import json
import statistics
import sys
import tempfile

from driftbus.schemas.configuration import Configuration

from .ladder import DISTINCT, Rung
from .messages import messages, reference
from .world import RESULTS, fill, input_topic, kafka, machine

ROUNDS, ROWS = 5, 300_000
#: 0: no labels are configured.
SAMPLES = (0.0, 0.1, 1.0)


class Labelled(Rung):
    """With labels at some sample."""

    sample = 0.0

    def chosen(self) -> Configuration:
        """A new group each time."""
        plain = super().chosen()
        if not self.sample:
            return plain
        labels = {"outcomes": {"topics": ["labels"], "positive": "accepted", "sample": self.sample}}
        models = {"fraud": {"labels": "outcomes"}}
        return Configuration.model_validate(plain.model_dump(exclude_unset=True) | {"labels": labels, "models": models})


def main(rounds: int = ROUNDS, rows: int = ROWS) -> None:
    """Measure, print and write down."""
    found: dict[float, list[float]] = {sample: [] for sample in SAMPLES}
    payloads = list(messages(DISTINCT))
    with kafka() as address, input_topic(address) as topic, tempfile.TemporaryDirectory() as folder:
        fill(address, topic, rows, lambda row: payloads[row % DISTINCT])
        rung = Labelled(address, folder, [reference()], topic)
        for _ in range(rounds):
            for sample in SAMPLES:
                rung.sample = sample
                found[sample].append(rung.profiled(rows).processor / rows * 1e9)
    plain = statistics.median(found[0.0])
    for sample, each in found.items():
        print(f"sample {sample:4.0%}  {statistics.median(each):8,.0f} ns a row  {statistics.median(each) / plain:.3f}")
    told = {"rounds": rounds, "rows": rows, "ns_a_row": {str(sample): list(map(round, each)) for sample, each in found.items()}}
    (RESULTS / "labels.json").write_text(json.dumps({**told, "machine": machine()}, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
