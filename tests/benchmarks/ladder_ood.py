"""What it costs on a real Kafka to compare rows with the training data: rungs upon the ladder's last, which is the product.

Messages are the ladder's, with a question of some 50 characters; one in twenty asks what nobody asked before. Each rung is a profiler of
its own over the same topic; rounds are interleaved, medians count. ``python -m tests.benchmarks.run ladder_ood``
"""

import json
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.messages import json_lines
from driftbus.consumers.reference.familiar import FOLDER
from driftbus.schemas.configuration import Configuration, Model
from driftbus.schemas.stored.reference import Reference

from ..consumers.unlike_world import asked
from .ladder import Rung, interleaved
from .messages import MAPPING, messages
from .world import Result, fill, input_topic, settings, table

ROWS, REFERENCE_ROWS, ROUNDS, NEW = 20_000, 13_000, 3, 0.05
MODEL, VERSION = "fraud", "3.2.1"
#: By rung, what is configured.
RUNGS: Mapping[str, dict[str, Any] | None] = {
    "panes in transactions": None,
    "+ rows": {"of": "row"},
    "+ texts by the sketch": {"of": "question", "embedder": "sketch"},
    "+ texts by the sketch, one in 8": {"of": "question", "embedder": "sketch", "sample": 8},
    "+ texts by tokens": {"of": "question", "embedder": "tokens"},
}


def payloads(rows: int, seed: int, new: float = 0.0) -> Iterator[bytes]:
    """The ladder's, with a question."""
    questions = asked(np.random.default_rng(seed), rows, new)
    for payload, row in zip(messages(rows, seed=seed), questions, strict=True):
        plain = json.loads(payload)
        plain["features"]["question"] = row["question"]
        yield msgspec.json.encode(plain)


class Compared(Rung):
    """The product, with what is configured."""

    def __init__(self, address: str, folder: str, topic: str, ood: dict[str, Any] | None) -> None:
        self._ood = ood
        super().__init__(address, folder, [self._reference(folder)], topic)

    def chosen(self) -> Configuration:
        """A new group each time."""
        return Configuration.model_validate(settings(self.address, self.folder, self.topic, models={MODEL: {"ood": self._ood}}))

    def _reference(self, folder: str) -> Reference:
        file, keep = Path(folder) / "train.jsonl", ArtifactStore(folder).beside(FOLDER).put
        file.write_bytes(b"\n".join(payloads(REFERENCE_ROWS, 3)))
        return build_reference(
            json_lines(file, MAPPING, MODEL, VERSION), MODEL, VERSION, Model.model_validate({"ood": self._ood}), keep=keep
        )


def measure(address: str) -> Result:
    """Microseconds a row of every rung, round by round."""
    sent = list(payloads(ROWS, 5, NEW))
    with tempfile.TemporaryDirectory() as folder, input_topic(address) as topic:
        fill(address, topic, ROWS, sent.__getitem__)
        rungs = {name: Compared(address, folder, topic, ood) for name, ood in RUNGS.items()}
        figures = interleaved({name: (partial(rung.profiled, ROWS), ROWS) for name, rung in rungs.items()}, ROUNDS)
    return {"rows": ROWS, "bytes": round(sum(map(len, sent)) / ROWS), "rungs": figures}


def shown(result: Result) -> str:
    """The rungs as a table."""
    rungs: dict[str, Result] = result["rungs"]
    first = rungs["panes in transactions"]["processor_ns"]
    rows = [
        (
            name,
            f"{1e9 / statistics.median(rung['wall_ns']):,.0f}",
            f"{statistics.median(rung['processor_ns']) / 1e3:.1f}",
            f"{statistics.median(np.array(rung['processor_ns']) / first):.1f}",
        )
        for name, rung in rungs.items()
    ]
    return table(("rung", "rows/s", "of its thread, us a row", "times the first's"), rows)
