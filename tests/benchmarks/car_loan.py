"""NannyML's car loans through the bus: 50,000 predictions, a row a second, and their labels 2,000 rows later: what is told, and by what.

``python -m tests.benchmarks.car_loan``, a minute on two busy cores; raw figures in `results/car_loan.json`. The inputs move at row 25,000:
loans that are harder to judge come more often. What a score means stays as it was. ``python -m tests.benchmarks.car_loan turned`` turns the
labels of 5 % of the right answers round from there on instead, in rows drawn from the first half.

The tables beside the tests hold scores, predictions and labels (`tests.real.reduce`), so of inputs their outputs stand for them.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.tail import DriftTopic
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.replay.event_line import event_line
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.cloud_events import microseconds
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.messages.performance import Performance

from ..streaming import BEGINNING, prepare

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

DATA, RESULTS = Path(__file__).parents[1] / "data", Path(__file__).parent / "results"
#: Rows: when the inputs move; how long labels take; of which estimates are compared.
MOVED, LATE, PART = 25_000, 2_000, 5_000


class Loans(NamedTuple):
    """Rows in their order."""

    score: Floats
    prediction: Truths
    repaid: Truths


def loans(name: str) -> Loans:
    """NannyML's (Apache-2.0)."""
    with duckdb.connect() as sql:
        table = sql.execute(f"select score, prediction, repaid from '{DATA}/car_loan_{name}.parquet'").fetchnumpy()
    score: Floats = np.asarray(table["score"], dtype=np.float64) / 100
    prediction: Truths = np.asarray(table["prediction"], dtype=np.bool_)
    repaid: Truths = np.asarray(table["repaid"], dtype=np.bool_)
    return Loans(score, prediction, repaid)


def turned(whole: Loans, share: float = 0.05) -> Loans:
    """The first half twice; in the second so many right answers are wrong."""
    draw = np.random.default_rng(1)
    rows = np.concatenate((np.arange(MOVED), draw.integers(0, MOVED, len(whole.score) - MOVED)))
    score, prediction, repaid = whole.score[rows], whole.prediction[rows], whole.repaid[rows]
    wrong = (np.arange(len(rows)) >= MOVED) & (prediction == repaid) & (draw.random(len(rows)) < share)
    return Loans(score, prediction, repaid != wrong)


def settings(reference: Path) -> Configuration:
    """One false alarm in 100,000 rows."""
    return Configuration.model_validate(
        {
            **{"application": "loans", "bus": "embedded", "embedded": ":memory:", "artifacts": "memory://", "topics": {"partitions": 1}},
            "streams": {"loans": {"topics": ["scored"], "pane": "100s", "clock": "record"}},
            "labels": {"repaid": {"topics": ["repaid"], "wait": "1h", "early": "1m", "about": "1000s"}},
            "models": {
                "loan": {
                    "labels": "repaid",
                    "false_alarms": "1 per 100000 rows",
                    "rate": 1,
                    "reference": {"file": str(reference), "score": "score", "prediction": "prediction"},
                }
            },
        }
    )


def records(of: Loans) -> Iterator[Output]:
    """Predictions and labels, by time."""
    for i in range(len(of.score) + LATE):
        at = BEGINNING + 1000 * i
        if i < len(of.score):
            value = {
                "model": "loan",
                "version": "-",
                "id": i,
                "prediction": int(of.prediction[i]),
                "score": float(of.score[i]),
                "features": {},
            }
            yield Output("scored", i % 2, None, msgspec.json.encode(value), (), at)
        if i >= LATE:
            yield Output("repaid", i % 2, None, msgspec.json.encode({"id": i - LATE, "label": bool(of.repaid[i - LATE])}), (), at)


class Found(NamedTuple):
    """What was told."""

    events: list[DriftEvent]
    performance: list[Performance]

    def by_part(self) -> Iterator[dict[str, float]]:
        """Of every 5,000 rows of which there is an estimate, what was realised, and what was estimated."""
        for start in range(0, 1000 * len(self.performance), PART):
            own = [one for one in self.performance if start < (one.about - BEGINNING) / 1000 <= start + PART]
            realised, estimated = (sum(_accuracy(one, name) * one.predicted for one in own) for name in ("realised", "estimated"))
            rows = sum(one.predicted for one in own)
            if rows and np.isfinite(estimated):
                yield {"row": start, "realised": round(realised / rows, 4), "estimated": round(estimated / rows, 4)}


def _accuracy(one: Performance, name: str) -> float:
    return float(getattr(one, name).get("accuracy") or np.nan)


def told(of: Loans) -> Found:
    """All of it through the roles of a process, on a bus in memory."""
    with tempfile.TemporaryDirectory() as folder, closing(EmbeddedBus(":memory:", "loans", "one")) as bus:
        known, table = loans("reference"), Path(folder) / "reference.jsonl"
        rows = zip(known.score.tolist(), known.prediction.tolist(), strict=True)
        table.write_bytes(b"\n".join(msgspec.json.encode({"score": score, "prediction": int(prediction)}) for score, prediction in rows))
        chosen = settings(table).model_copy(update={"artifacts": f"{folder}/artifacts"})
        prepare(bus, chosen, [reference_of(chosen, "loan", "-")], partitions=2)
        bus.create("repaid", 2, settings={"retention.ms": "-1"})
        bus.publish(list(records(of)))
        for topic in ("scored", "repaid"):
            bus.publish(end_records("loans", topic, 2, BEGINNING + 1000 * (len(of.score) + 3 * LATE)))
        with closing(Pipeline(bus, chosen)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        events = [event for event in DriftTopic(bus, chosen, from_start=True).new() if isinstance(event, DriftEvent)]
        return Found(events, list(performance_of(bus, chosen)))


def row_of(time_: str) -> int:
    """The row at an event's time."""
    return (microseconds(time_) // 1000 - BEGINNING) // 1000


def summary(found: Found) -> dict[str, Any]:  # plain data
    """In rows."""
    events = [
        {
            "status": event.status,
            "kind": event.kind,
            "severity": event.severity,
            "row": row_of(event.bucket[1]),
            "onset": row_of(event.onset),
            "signals": [signal.name for signal in event.signals],
            "performance": None if event.performance is None else event.performance.model_dump(),
            "made since row": None if event.performance is None or event.performance.onset is None else row_of(event.performance.onset),
        }
        for event in found.events
    ]
    return {"events": events, "parts": list(found.by_part())}


def main() -> None:
    """Print what is told, and keep the figures."""
    began, whole = time.perf_counter(), loans("analysis")
    raw = {}
    for name in sys.argv[1:] or ["moved", "turned"]:
        found = told(turned(whole) if name == "turned" else whole)
        raw[name] = summary(found)
        print(f"{name}, {time.perf_counter() - began:.0f} s")
        for event in found.events:
            print(row_of(event.bucket[1]), event_line(event))
        for part in found.by_part():
            print(part)
    (RESULTS / "car_loan.json").write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
