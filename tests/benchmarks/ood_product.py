"""Queries unlike the training data, through the product: rows on a topic, the profiler's stage, the detector's lane, events.

    python -m tests.benchmarks.ood_product [--known 200000] [--streams 8] [--out FILE]

Questions as embeddings of 24 numbers around the centres of 12 classes, some classes wider than others; new topics around other centres,
near enough that not all are flagged. 10,000 reference rows, 3,000 to 5,000 held out, panes of 20 rows, one false alarm allowed in 100,000.
"""

import argparse
import json
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import Reference

from ..consumers.test_joiner import run
from ..streaming import configuration, everything

TOPIC, SIZE, CLASSES, NEW = "asked", 24, 12, 4
QUIET = 2_000
Floats = NDArray[np.float64]


def drawn(draw: np.random.Generator, rows: int, new: float, mix: Floats | None = None) -> list[dict[str, Any]]:
    """Rows of which a part is new; ``mix``: of the known classes."""
    fixed = np.random.default_rng(5)
    centres = fixed.normal(0, 1, (CLASSES + NEW, SIZE))
    width = np.concatenate((np.linspace(0.35, 0.8, CLASSES), np.full(NEW, 0.6)))
    known = draw.choice(CLASSES, rows, p=mix)
    place = np.where(draw.random(rows) < new, CLASSES + draw.integers(NEW, size=rows), known)
    vectors = centres[place] + draw.normal(0, 1, (rows, SIZE)) * width[place, None]
    nearest = np.argmax(vectors @ centres[:CLASSES].T - (centres[:CLASSES] ** 2).sum(axis=1) / 2, axis=1)
    named = np.where(place < CLASSES, place, nearest)  # of what is new the model says what is nearest
    return [{"vector": vector, "prediction": f"c{one}"} for vector, one in zip(vectors.round(4).tolist(), named.tolist(), strict=True)]


def settings(folder: Path, budget: int) -> Configuration:
    """Of one model."""
    model = {
        "false_alarms": f"1 per {budget} rows",
        "reference": {"file": str(folder / "train.jsonl"), "prediction": "prediction"},
        "ood": {},
    }
    return configuration(
        stream={"topics": [TOPIC], "pane": "20 rows"}, models={"m0": model}, artifacts=str(folder / "artifacts"), topics={"partitions": 1}
    )


def opened(chosen: Configuration, reference: Reference, rows: list[dict[str, Any]]) -> list[int]:
    """After how many rows each episode of this kind opened."""
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        bus.create(TOPIC, 1, settings={"retention.ms": "-1"})
        create_topics(bus, chosen)
        announce(bus, chosen, from_start("m0", "1", ArtifactStore(chosen.artifacts).put(reference.encoded()), reference.rows))
        for first in range(0, len(rows), 20_000):
            sent = [
                {"model": "m0", "version": "1", "features": {"vector": row["vector"]}, "prediction": row["prediction"]}
                for row in rows[first : first + 20_000]
            ]
            numbered = enumerate(map(msgspec.json.encode, sent), 1_000_000 + first)
            bus.publish([Output(TOPIC, 0, None, value, (), number) for number, value in numbered])
        bus.publish(end_records("test", TOPIC, 1, 1_000_000 + len(rows)))
        run(bus.as_instance("one"), chosen, *ROLES)
        events = [one.content for part in everything(bus, chosen.topics.drift).values() for one in part]
    return [int(event["bucket"][1][4:]) for event in events if event.get("kind") == "ood" and event["status"] == "opened"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--known", type=int, default=200_000)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--out", type=Path)
    asked, draw, began = parser.parse_args(), np.random.default_rng(1), time.perf_counter()
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.jsonl").write_bytes(b"\n".join(msgspec.json.encode(row) for row in drawn(draw, 16_000, 0.0)))
        chosen = settings(folder, 100_000)
        reference = reference_of(chosen, "m0", "1", store=ArtifactStore(chosen.artifacts))
        found["calibration rows"] = reference.familiarity[0].calibration
        for share, behind in ((0.2, 1_000), (0.05, 6_000)):
            delays = []
            for _ in range(asked.streams):
                told = opened(chosen, reference, drawn(draw, QUIET, 0.0) + drawn(draw, behind, share))
                delays.append(min((one - QUIET for one in told if one > QUIET), default=behind))
            found[f"{share:.0%} new, median delay"] = float(np.median(delays))
            found[f"{share:.0%} new, delays"] = sorted(delays)
        for label, mix in (("known", None), ("another mix of classes", np.arange(1, CLASSES + 1) / np.arange(1, CLASSES + 1).sum())):
            alarms, at = 0, time.perf_counter()
            for _ in range(0, asked.known, 50_000):
                alarms += len(opened(chosen, reference, drawn(draw, 50_000, 0.0, mix)))
            found[f"alarms in {asked.known:,} rows, {label}"] = alarms
            found[f"rows per second, {label}"] = round(asked.known / (time.perf_counter() - at))
    for label, value in found.items():
        print(f"{label:<50} {value}")
    print(f"{time.perf_counter() - began:.0f} s")
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
