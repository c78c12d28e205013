"""What comparing queries costs the profiler: ``python -m tests.benchmarks.ood_rate [ROWS]``, 20,000 unless said.

The same questions through the real profiler on an embedded bus, without and with ``ood:``, beside embedding them alone: microseconds of the
processor a row, interleaved in three rounds, medians. A twentieth is about new topics; 20,000 training rows.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.familiar import Familiar, Subject
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import Reference

from ..consumers.unlike_world import asked, built, prepare, send, settings, written

ROWS, TRAINING, NEW, ROUNDS = 20_000, 20_000, 0.05, 3
#: What a model's ``ood:`` says.
WAYS: dict[str, dict[str, Any] | None] = {
    "without": None,
    "sketch": {"of": "question", "embedder": "sketch"},
    "tokens": {"of": "question", "embedder": "tokens"},
    "sketch, one row in 8": {"of": "question", "embedder": "sketch", "sample": 8},
}


def profiled(chosen: Configuration, reference: Reference, rows: int) -> float:
    """Seconds of the processor."""
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, chosen, reference)
        send(bus, [(rows, NEW)])
        with closing(Pipeline(bus, chosen, ["profiler"])) as pipeline:
            began = time.process_time()
            for _ in pipeline.run_until_end():
                pass
            return time.process_time() - began


def embedded(chosen: Configuration, reference: Reference, texts: list[str]) -> float:
    """Of making their vectors, and nothing else."""
    (subject,) = Familiar(ArtifactStore(chosen.artifacts)).subjects(reference)
    assert isinstance(subject, Subject)
    subject.index.read(texts[:100])
    began = time.process_time()
    for first in range(0, len(texts), 1_000):
        subject.index.read(texts[first : first + 1_000])
    return time.process_time() - began


def main(arguments: list[str]) -> None:
    """Print the medians."""
    rows = int(arguments[0]) if arguments else ROWS
    texts = [row["question"] for row in asked(np.random.default_rng(2), rows, NEW)]
    runs: dict[str, Callable[[], float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for number, (way, ood) in enumerate(WAYS.items()):
            folder = Path(name) / str(number)
            folder.mkdir()
            written(folder, TRAINING)
            chosen = settings(folder, ood, stream={"pane": "1h"})
            reference = built(chosen)
            runs[way] = lambda chosen=chosen, reference=reference: profiled(chosen, reference, rows)  # type: ignore[misc]
            if ood is not None and "sample" not in ood:
                runs[f"{way}: embedding alone"] = lambda chosen=chosen, reference=reference: embedded(chosen, reference, texts)  # type: ignore[misc]
        found: dict[str, list[float]] = {way: [] for way in runs}
        for _ in range(ROUNDS):
            for way, run in runs.items():
                found[way].append(run() / rows * 1e6)
    print(msgspec.json.encode({way: [round(one, 1) for one in figures] for way, figures in found.items()}).decode())
    for way, figures in found.items():
        print(f"{way:<28} {statistics.median(figures):8.1f} us a row {1e6 / statistics.median(figures):12,.0f} rows/s of one core")


if __name__ == "__main__":
    main(sys.argv[1:])
