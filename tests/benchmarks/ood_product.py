"""Queries unlike the training data, through the product: rows on a topic, the profiler's stage, the detector's lane, events.

    python -m tests.benchmarks.ood_product [delays|known|mix|season|texts ...]

One false alarm is allowed in 100,000 queries. Every reference is of 9,000 other rows, of which 3,000 are held out: an unlucky one is among
them. Questions as embeddings of 16 numbers around the centres of 12 classes, some wider than others; each is drawn anew, none twice. New
topics lie as near as that .7 of them are flagged at .05. *mix*: the classes' shares move for good; *season*: they move by day, in the
reference too. *texts*: product reviews, spliced of halves of sentences, and others. Raw figures: ``results/ood_product.json``.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
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
from driftbus.detectors.familiarity import WIDTH
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.stored.reference import Reference

from ..consumers.test_joiner import run
from ..streaming import configuration, everything
from .familiarity import OTHERS, spliced
from .world import RESULTS

TOPIC, SIZE, CLASSES, NEW = "asked", 16, 12, 4
BUDGET, TRAINING, BLOCK = 100_000, 9_000, 100_000
#: Rows of a pane where delays are told, and where false alarms are counted: each pane costs extra.
SHORT, LONG = 20, 200
QUIET, DAY = 2_000, 2_000
#: Of a new topic's centre, the part of one of the known classes' that it has.
NEAR = 0.66
REFERENCES = 20
Floats = NDArray[np.float64]
Row = dict[str, Any]  # JSON
Rows = Callable[[np.random.Generator, int, float], list[Row]]


def moved(_: NDArray[np.int64]) -> Floats:
    """Shares of the classes that grow from the narrowest to the widest, for good."""
    grow = np.arange(1, CLASSES + 1, dtype=np.float64)
    return np.asarray(grow / grow.sum())


def by_day(rows: NDArray[np.int64]) -> Floats:
    """Shares of the classes by the time of the day, between nothing and twice what they are in the mean [rows, classes]."""
    of_day = rows[:, None] / DAY + np.arange(CLASSES) / CLASSES
    return np.asarray((1 + np.sin(2 * np.pi * of_day)) / CLASSES)


def questions(draw: np.random.Generator, rows: int, new: float, mix: Callable[[NDArray[np.int64]], Floats] | None = None) -> list[Row]:
    """Rows of which a part is new; ``mix``: of the known classes, by the rows' numbers."""
    fixed = np.random.default_rng(5)
    centres = fixed.normal(0, 1, (CLASSES + NEW, SIZE))
    centres[CLASSES:] = NEAR * centres[CLASSES - NEW : CLASSES] + (1 - NEAR**2) ** 0.5 * centres[CLASSES:]
    width = np.concatenate((np.linspace(0.35, 0.8, CLASSES), np.full(NEW, 0.5)))
    known = draw.integers(CLASSES, size=rows)
    if mix is not None:
        shares = np.broadcast_to(mix(np.arange(rows)), (rows, CLASSES)).cumsum(axis=1)
        known = np.minimum((draw.random(rows)[:, None] >= shares).sum(axis=1), CLASSES - 1)
    place = np.where(draw.random(rows) < new, CLASSES + draw.integers(NEW, size=rows), known)
    vectors = centres[place] + draw.normal(0, 1, (rows, SIZE)) * width[place, None]
    nearest = np.argmax(vectors @ centres[:CLASSES].T - (centres[:CLASSES] ** 2).sum(axis=1) / 2, axis=1)
    named = np.where(place < CLASSES, place, nearest)  # of what is new the model says what is nearest
    return [{"asked": vector, "prediction": f"c{one}"} for vector, one in zip(vectors.round(4).tolist(), named.tolist(), strict=True)]


def texts(draw: np.random.Generator, rows: int, new: float) -> list[Row]:
    """Texts of which a part is of another kind than product reviews."""
    seed, others = int(draw.integers(2**31)), draw.random(rows) < new
    known = spliced(rows, seed, kinds=("product reviews",))
    strange = spliced(int(others.sum()), seed, kinds=OTHERS) if others.any() else []
    return [{"asked": strange.pop() if other else known.pop()} for other in others.tolist()]


class World:
    """A model of 9,000 rows of one kind, and what its episodes of this kind are."""

    def __init__(self, drawn: list[Row], folder: Path, pane: int) -> None:
        timed = [{**row, "at": number} for number, row in enumerate(drawn)]
        (folder / "train.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, timed)))
        reference = {"file": str(folder / "train.jsonl"), "time": "at"} | ({"prediction": "prediction"} if "prediction" in drawn[0] else {})
        model = {"false_alarms": f"1 per {BUDGET} rows", "reference": reference, "ood": {}}
        self.chosen: Configuration = configuration(
            stream={"topics": [TOPIC], "pane": f"{pane} rows"},
            models={"m0": model},
            artifacts=str(folder / "artifacts"),
            topics={"partitions": 1},
        )
        self.store = ArtifactStore(self.chosen.artifacts)
        self.reference: Reference = reference_of(self.chosen, "m0", "1", store=self.store)

    def opened(self, rows: list[Row]) -> tuple[list[int], NDArray[np.int64]]:
        """After how many rows each episode opened; and the counts of all panes, those of the levels first."""
        with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
            bus.create(TOPIC, 1, settings={"retention.ms": "-1"})
            create_topics(bus, self.chosen)
            announce(bus, self.chosen, from_start("m0", "1", self.store.put(self.reference.encoded()), self.reference.rows))
            for first in range(0, len(rows), 20_000):
                sent = (
                    {"model": "m0", "version": "1", "features": {"asked": row["asked"]}, "prediction": row.get("prediction")}
                    for row in rows[first : first + 20_000]
                )
                numbered = enumerate(map(msgspec.json.encode, sent), 1_000_000 + first)
                bus.publish([Output(TOPIC, 0, None, value, (), number) for number, value in numbered])
            bus.publish(end_records("test", TOPIC, 1, 1_000_000 + len(rows)))
            run(bus.as_instance("one"), self.chosen, *ROLES)
            events = [one.content for part in everything(bus, self.chosen.topics.drift).values() for one in part]
            records = [one for part in everything(bus, self.chosen.topics.summaries).values() for one in part]
        panes = [Pane.decoded(one.value) for one in records if dict(one.headers)["ce_type"] == b"io.driftbus.pane"]
        counts = sum((np.asarray(one.counts) for one in panes if one.of == "ood"), np.zeros(WIDTH, dtype=np.int64))
        return [int(event["bucket"][1][4:]) for event in events if event.get("kind") == "ood" and event["status"] == "opened"], counts


def flagged(counts: NDArray[np.int64]) -> list[float]:
    """Shares of the scored rows at .005 and at .05."""
    shares: Floats = np.cumsum(counts[:2]) / max(int(counts[:3].sum()), 1)
    return [round(share, 4) for share in shares.tolist()]


def delays(rows: Rows, streams: int, references: int) -> dict[str, object]:
    """Behind 2,000 quiet rows a part is new; one that is never told of counts as the longest."""
    draw, found = np.random.default_rng(1), dict[str, object]()
    told: dict[float, list[int]] = {0.2: [], 0.05: []}
    for _ in range(references):
        with tempfile.TemporaryDirectory() as name:
            world = World(rows(draw, TRAINING, 0.0), Path(name), SHORT)
            found["calibration rows"] = world.reference.familiarity[0].calibration
            found["of what is new, flagged at .005 and .05"] = flagged(world.opened(rows(draw, 2_000, 1.0))[1])
            for share, longest in ((0.2, 2_000), (0.05, 6_000)):
                for _ in range(streams // references):
                    opened, _ = world.opened(rows(draw, QUIET, 0.0) + rows(draw, longest, share))
                    told[share].append(min((one - QUIET for one in opened if one > QUIET), default=longest))
    for share, of in told.items():
        found[f"{share:.0%} new, median delay"] = float(np.median(of))
        found[f"{share:.0%} new, delays"] = sorted(of)
    return found


def quiet(rows: Rows, behind: Rows, references: int, each: int) -> dict[str, object]:
    """Episodes of known rows, of which each reference sees so many; ``rows``: that references are built from."""
    draw, began, alarms, taus = np.random.default_rng(2), time.perf_counter(), list[int](), list[tuple[float, float]]()
    counts: NDArray[np.int64] = np.zeros(WIDTH, dtype=np.int64)
    for number in range(references):
        with tempfile.TemporaryDirectory() as name:
            world = World(rows(draw, TRAINING, 0.0), Path(name), LONG)
            opened, seen = world.opened(behind(draw, each, 0.0))
            alarms.append(len(opened))
            taus.append(world.reference.familiarity[0].tau)
            counts = counts + seen
        print(number + 1, alarms[-1], flagged(seen), round(time.perf_counter() - began), flush=True)
    return {
        "rows": references * each,
        "alarms": alarms,
        "alarms per 100,000": round(sum(alarms) * 1e5 / (references * each), 3),
        "flagged at .005 and .05": flagged(counts),
        "tau": np.median(taus, axis=0).round(2).tolist(),
        "rows a second": round(references * each / (time.perf_counter() - began)),
    }


def _mixed(mix: Callable[[NDArray[np.int64]], Floats]) -> Rows:
    return lambda draw, rows, new: questions(draw, rows, new, mix)


PARTS: dict[str, Callable[[], object]] = {
    "delays": lambda: delays(questions, 20, 10),
    "known": lambda: quiet(questions, questions, REFERENCES, BLOCK),
    "mix": lambda: quiet(questions, _mixed(moved), 10, BLOCK),
    "season": lambda: quiet(_mixed(by_day), _mixed(by_day), 10, BLOCK),
    "texts": lambda: {"delays": delays(texts, 10, 5), "known": quiet(texts, texts, 5, 20_000)},
}


def main(parts: list[str]) -> None:
    """Print, and keep the raw figures of each part as soon as they are there."""
    file = RESULTS / "ood_product.json"
    for part in parts or PARTS:
        began = time.perf_counter()
        found = PARTS[part]()
        print(part, json.dumps(found, indent=1), f"{time.perf_counter() - began:.0f} s", flush=True)
        file.write_text(json.dumps({**json.loads(file.read_text()), part: found}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
