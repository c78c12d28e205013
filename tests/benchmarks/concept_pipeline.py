"""Concept drift through the whole pipeline: ``python -m tests.benchmarks.concept_pipeline [hard]``; `results/concept_pipeline.json`.

Messages on an embedded bus, then profiler, joiner and detector until their end. A version is a run: it makes a prediction a second, whose
label comes with it, a step is 200 s. The error rate goes from .10 to .15, somewhere in a step, behind 5,000 labels for the baseline and
1,000 more. The budget is the one at which the signal `errors` alone has a measured ARL of 10,000 labels (`concept.alone`): there labels
are folded in by the detector's own functions, and here it is compared, version by version, that these open the same in the same step.
(What becomes of it is judged by intervals, which they do not know.)
With ``hard`` scores are of sixteen kinds, and those near a half come three times as often from the change on: nobody may speak of
`relation`.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.pipeline.topology import ROLES
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.concept import Arrivals
from driftbus.detectors.concept.space import ERRORS, RELATION
from driftbus.schemas.cloud_events import iso

from ..streaming import BEGINNING, configuration, everything, prepare, reference
from .concept import CELLS, LABELS, ONE, RESULTS, WARM, WORSE, Law, alone, harder, summary, told

SIZE, SECOND, BEHIND = 200, 1_000, 1_400
VERSIONS = 24
PREDICTIONS, KNOWN = "scored", "known"
BEGIN = BEGINNING - BEGINNING % (SIZE * SECOND)

#: Scores of .1 and .9, both equally often, and equally often wrong.
PLAIN: tuple[Law, Law] = (np.full(2, 0.5), np.full(2, 0.1)), (np.full(2, 0.5), np.full(2, 0.15))
HARD: tuple[Law, Law] = CELLS, harder(CELLS)


#: The end of the step, what is told, and of which signals.
Told = tuple[str, str, tuple[str, ...]]


class Run:
    """One version's predictions: cells, and whether they are wrong."""

    def __init__(self, seed: int, laws: tuple[Law, Law], behind: int) -> None:
        draw = np.random.default_rng([seed, len(laws[0][0])])
        self.quiet = LABELS + WARM + int(draw.integers(0, SIZE))
        total = -(-(self.quiet + behind) // SIZE) * SIZE
        old = np.arange(total) < self.quiet
        self.cells: NDArray[np.int64] = np.where(old, *(draw.choice(len(law[0]), total, p=law[0]) for law in laws))
        self.wrong: NDArray[np.bool_] = draw.random(total) < np.where(old, *(law[1][self.cells] for law in laws))
        self.scores = (np.array([0.1, 0.9]) if laws is PLAIN else (np.arange(len(laws[0][0])) + 0.5) / len(laws[0][0]))[self.cells]

    def steps(self) -> Iterator[Arrivals]:
        """What the detector is given, cell by cell."""
        kinds = int(self.cells.max()) + 1
        for number, at in enumerate(range(0, len(self.cells), SIZE)):
            cells, wrong = self.cells[at : at + SIZE], self.wrong[at : at + SIZE]
            begin = BEGIN + number * SIZE * SECOND
            rows, errors = (np.bincount(each, minlength=kinds).astype(np.int64) for each in (cells, cells[wrong]))
            yield Arrivals(begin, begin + SIZE * SECOND, rows, errors)


def messages(version: str, run: Run) -> Iterator[Output]:
    """Predictions, and labels that say what they do not where they are wrong."""
    features = {"amount": 0.0, "age": 30, "colour": "red"}
    for i, (score, wrong) in enumerate(zip(run.scores.tolist(), run.wrong.tolist(), strict=True)):
        time_, name = BEGIN + i * SECOND, f"{version}-{i}"
        value = {"model": "m0", "version": version, "id": name, "features": features, "score": score}
        yield Output(PREDICTIONS, i % 4, None, msgspec.json.encode(value), (), time_)
        yield Output(KNOWN, i % 4, None, msgspec.json.encode({"id": name, "label": (score > 0.5) != wrong}), (), time_)


def piped(runs: list[Run], budget: float) -> dict[str, list[Told]]:
    """By version the events about outcomes."""
    model = {"labels": "outcomes", "false_alarms": f"1 per {round(budget)}s"}
    chosen = configuration(
        stream={"pane": f"{SIZE}s"}, labels={"outcomes": {"topics": [KNOWN], "wait": "10m", "early": "1m"}}, models={"m0": model}
    )
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, chosen, [reference("m0", str(number)) for number in range(len(runs))])
        bus.create(KNOWN, 4, settings={"retention.ms": "-1"})
        sent = [output for number, run in enumerate(runs) for output in messages(str(number), run)]
        bus.publish(sorted(sent, key=lambda one: one.timestamp or 0))
        end = BEGIN + (max(len(run.cells) for run in runs) + 3_600) * SECOND
        for topic in (PREDICTIONS, KNOWN):
            bus.publish(end_records("test", topic, 4, end))
        pipeline = Pipeline(bus, chosen, ROLES)
        for _ in pipeline.run_until_end():
            pass
        pipeline.close()
        found: dict[str, list[Told]] = {str(number): [] for number in range(len(runs))}
        for events in everything(bus, chosen.topics.drift).values():
            for event in events:
                said = event.content
                if said.get("kind") == "performance":
                    found[said["version"]].append((said["bucket"][1], said["status"], tuple(one["name"] for one in said["signals"])))
    return found


def same(runs: list[Run], budget: float) -> dict[str, list[Told]]:
    """The same, without a bus."""
    return {
        str(number): [
            (iso(end), event.status, tuple(one.name for one in event.signals))
            for end, event in told(run.steps(), budget_seconds=float(round(budget)))
        ]
        for number, run in enumerate(runs)
    }


def opened(events: list[Told]) -> list[Told]:
    """The first event of a version: what comes behind it, an episode decides."""
    return [event for event in events[:1] if event[1] == "opened"]


def measured(runs: list[Run], budget: float) -> dict[str, Any]:
    """Labels from the change to the first event behind it, of runs without one before it; and whether the bus changed anything."""
    began, labels, early = time.perf_counter(), list[int](), 0
    found = piped(runs, budget)
    for version, run in enumerate(runs):
        ends = [(end - BEGIN) // SECOND - run.quiet for end, _ in told(run.steps(), budget_seconds=float(round(budget)))]
        early += bool(ends) and ends[0] <= 0
        labels += ends[:1] if ends and ends[0] > 0 else []
        assert bool(ends) == bool(found[str(version)])
    alike = sum(opened(a) == opened(b) for a, b in zip(found.values(), same(runs, budget).values(), strict=True))
    names = [{name for _, _, signals in events for name in signals} for events in found.values()]
    return {
        "versions": len(runs),
        "step": SIZE,
        "budget": round(budget),
        "told in": sum(map(bool, found.values())),
        "relation told in": sum(RELATION in one for one in names),
        "errors told in": sum(ERRORS in one for one in names),
        "labels": summary(labels) if len(labels) > 1 else labels,
        "early": early,
        "equal to the step": alike,
        "seconds": round(time.perf_counter() - began),
    }


def main(what: str) -> None:
    """Measure, print, and keep."""
    path = RESULTS / "concept_pipeline.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    if what == "hard":
        kept["hard rows three times as common"] = measured([Run(seed, HARD, 8_000) for seed in range(3)], 100_000.0)
    else:
        single = alone(ERRORS, ONE, WORSE, SIZE)
        kept["errors alone, without a bus"] = single
        kept["errors .10 to .15"] = measured([Run(seed, PLAIN, BEHIND) for seed in range(VERSIONS)], single["budget"])
    print(json.dumps(kept, indent=1))
    path.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
