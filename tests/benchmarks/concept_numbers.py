"""Concept drift of numbers: false alarms of the lane over quiet losses, and labels until a loss that grows by a quarter is told.

``python -m tests.benchmarks.concept_numbers``, two minutes on two quiet cores; raw figures in `results/concept_numbers.json`. Predictions
lie in four cells, in the last of which losses are four times as large. Baselines are of 5,000 labels, drawn anew for every reference. A
label a second, so a budget in labels is one in seconds.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from driftbus.consumers.reference.outcomes import LOSSES
from driftbus.detectors.concept import Arrivals, Gathering, OutcomeSuite
from driftbus.detectors.concept.losses import middles
from driftbus.detectors.concept.space import ERRORS, RELATION
from driftbus.detectors.episodes.step import start, step

from .concept import LABELS, RESULTS, suite_of

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

REFERENCES, RUNS = 24, 8
#: Quiet labels of a run; and labels behind a change.
QUIET, CHANGED, WARM = 30_000, 12_000, 2_000
BUDGET, GROWN = 100_000, 1.25
#: Shares of the cells, and how large losses are in each.
SHARES, SIZES = np.array([0.4, 0.3, 0.2, 0.1]), np.array([1.0, 1.0, 2.0, 4.0])
LAWS: dict[str, Callable[[Floats], Floats]] = {
    "normal residuals": stats.halfnorm().cdf,
    "double exponential": stats.expon().cdf,
    "t of 3 degrees": lambda x: 2 * stats.t(3).cdf(x) - 1,
}


def law_of(name: str, grown: float = 1.0) -> Floats:
    """Shares of cells and bins of the loss."""
    edges = np.array(LOSSES) / 2.0**20
    behind = LAWS[name](edges[None, :] / (grown * SIZES[:, None]))
    return np.asarray(SHARES[:, None] * np.diff(behind, prepend=0.0, append=1.0, axis=1))


def arrivals(number: int, size: int, counts: Counts) -> Arrivals:
    """A step."""
    bins, rows = counts.reshape(len(SIZES), -1), counts.reshape(len(SIZES), -1).sum(axis=1)
    total = int((bins.sum(axis=0) * middles(LOSSES)).sum())
    return Arrivals(number * size * 1000, (number + 1) * size * 1000, rows, np.zeros_like(rows), bins, total)


def reference(draw: np.random.Generator, law: Floats) -> OutcomeSuite:
    """A baseline of labels that are independent."""
    gathering = Gathering("numbers", "1", len(SIZES), LOSSES, 2.0**-20)
    gathering.add(arrivals(0, LABELS, draw.multinomial(LABELS, law.ravel())))
    return suite_of(gathering.baseline(), budget_seconds=float(BUDGET))


def folded(
    tests: OutcomeSuite, draw: np.random.Generator, laws: list[tuple[Floats, int]], size: int
) -> Iterator[tuple[int, str, set[str]]]:
    """The product's step, as it is: labels until each event, its status, and its signals; with all resolved behind each, to count on."""
    state, number = start(tests, 0), 0
    for law, labels in laws:
        for counts in draw.multinomial(size, law.ravel(), labels // size):
            state, events = step(tests, state, arrivals(number, size, counts).bucket(tests.baseline.large))
            number += 1
            for event in events:
                yield number * size, event.status, {one.name for one in event.signals}
                if event.status == "opened":
                    state = start(tests, number * size * 1000)


def measured(name: str, size: int) -> dict[str, Any]:  # numbers, by what they are
    """Of one law and one length of a step."""
    draw, quiet, early = np.random.default_rng([size, len(name)]), 0, 0
    told: dict[str, list[int]] = {ERRORS: [], RELATION: [], "first": []}
    usual, grown = law_of(name), law_of(name, GROWN)
    for _ in range(REFERENCES):
        tests = reference(draw, usual)
        for _ in range(RUNS):
            quiet += sum(status == "opened" for _, status, _ in folded(tests, draw, [(usual, QUIET)], size))
            at: dict[str, int] = {}
            for labels, _, names in folded(tests, draw, [(usual, WARM), (grown, CHANGED)], size):
                early += labels <= WARM
                at |= {one: labels - WARM for one in (*names, "first") if one not in at and labels > WARM}
            for one, labels in at.items():
                told[one].append(labels)
    runs, labels = REFERENCES * RUNS, REFERENCES * RUNS * QUIET
    first = np.array(told["first"])
    return {
        "law": name,
        "step": size,
        "quiet labels": labels,
        "alarms": quiet,
        "alarms per budget": round(quiet / (labels / BUDGET), 3),
        "runs": runs,
        "told": len(first),
        "early": early,
        "labels": round(float(first.mean())),
        "error": round(float(first.std() / len(first) ** 0.5), 1),
        "with errors": len(told[ERRORS]),
        "with relation": len(told[RELATION]),
    }


def main() -> None:
    """Print what is measured, and keep the raw figures."""
    began, found = time.perf_counter(), list[dict[str, Any]]()
    for name in LAWS:
        for size in (50, 200) if name == "normal residuals" else (200,):
            found.append(measured(name, size))
            print(f"{time.perf_counter() - began:5.0f} s  {json.dumps(found[-1])}", flush=True)
    (Path(RESULTS) / "concept_numbers.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
