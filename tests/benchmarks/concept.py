"""Concept drift: labels per false alarm (ARL), and labels from a change to its alarm, of the signals `errors` and `relation`.

``python -m tests.benchmarks.concept``, some minutes on two cores; raw figures in `results/concept.json`. Every run has a baseline of its
own, gathered by the product from its first 5,000 labels, so that none's luck decides; it grows while the run goes on, as in use. A label a
second, so d is a step's labels. A budget in labels is one of the lane: a signal alone reaches it by its own weight.
"""

import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from driftbus.detectors.betting.mixture import GROUP_WEIGHTS
from driftbus.detectors.concept import Arrivals, Gathering, OutcomeSettings, OutcomeSuite
from driftbus.detectors.concept.space import ERRORS, RELATION
from driftbus.detectors.episodes.step import start, step
from driftbus.detectors.outcomes.delays import DELAY_BINS, bins_of
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.baseline import OutcomeBaseline

from .concept_peers import MADE, peer

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Law = tuple[Floats, Floats]  # shares of the cells, and of errors in each

LABELS, TARGET = 5_000, 10_000
REFERENCES, RUNS, HORIZON = 24, 16, 30_000
WARM, STEPS = 1_000, (50, 200)
RESULTS = Path(__file__).parent / "results"

ONE = (np.ones(1), np.array([0.1]))
WORSE = (np.ones(1), np.array([0.15]))
_MIDDLE = (np.arange(16) + 0.5) / 16
_SHARES = np.diff(stats.beta(0.08, 0.08).cdf(np.arange(17) / 16))
#: A calibrated score in 16 bins: .07 of the answers are wrong. The eight bins around a half have 50 rows of a baseline each.
CELLS = (_SHARES, np.minimum(_MIDDLE, 1 - _MIDDLE))


def harder(law: Law, times: float = 3.0) -> Law:
    """Rows whose score is near a half come so many times as often."""
    shares = law[0] * np.where(np.abs(_MIDDLE - 0.5) < 0.25, times, 1.0)
    return shares / shares.sum(), law[1]


def turned(law: Law, share: float = 0.05) -> Law:
    """Of the right answers so many are now wrong."""
    return law[0], law[1] + share * (1 - law[1])


def drawn(draw: np.random.Generator, law: Law, rows: Iterable[int]) -> tuple[Counts, Counts]:
    """Rows and errors per cell, of steps of so many rows."""
    counts = np.stack([draw.multinomial(n, law[0]) for n in rows])
    return counts, draw.binomial(counts, law[1])


def suite_of(baseline: OutcomeBaseline, **settings: Any) -> OutcomeSuite:  # of differing types, by name
    """The product's tests."""
    chosen = OutcomeSettings(**{"budget_seconds": 10_000.0, **settings})
    return OutcomeSuite(baseline, chosen, application="concept", stream="-", configuration_hash="-", reference_hash="-")


def reference(draw: np.random.Generator, law: Law, **settings: Any) -> OutcomeSuite:  # of differing types, by name
    """Of a baseline of the first labels."""
    baselines, number = Baselines(len(law[0]), **settings), 0
    while baselines.suite is None:
        rows, errors = drawn(draw, law, [50])
        baselines.add(arrivals_of(number, 50, rows[0], errors[0]))
        number += 1
    return baselines.suite


class Baselines:
    """What the product makes of labels as they come: its tests, and when longer ones take their place."""

    def __init__(self, cells: int, **settings: Any) -> None:  # of differing types, by name
        self.gathering, self._settings = Gathering("concept", "1", cells), settings
        self.suite: OutcomeSuite | None = None

    def add(self, arrivals: Arrivals) -> bool:
        """Whether there are other tests now."""
        gathering = self.gathering
        if gathering.complete:
            return False
        gathering.add(arrivals)
        if gathering.complete or (self.suite is None and gathering.enough):
            self.suite = suite_of(gathering.baseline(), **self._settings)
            return True
        return False


def arrivals_of(number: int, size: int, rows: Counts, errors: Counts) -> Arrivals:
    """The step of that number, of so many seconds."""
    return Arrivals(number * size * 1000, (number + 1) * size * 1000, rows, errors)


def _gained(tests: OutcomeSuite, name: str, rows: Counts, errors: Counts) -> Iterator[Floats]:
    """The log ratios of all bets, step by step; those on errors are the same for every right answer, and for every wrong one."""

    def of(n: Counts, wrong: Counts) -> Floats:
        vector = tests.space.vector(np.concatenate((n, wrong)), np.zeros(0, dtype=np.int64), (), None)
        return tests.bets.log_ratios(vector)[0]

    if name != ERRORS:
        yield from (of(n, wrong) for n, wrong in zip(rows, errors, strict=True))
        return
    one, none = np.eye(rows.shape[1], dtype=np.int64)[0], np.zeros(rows.shape[1], dtype=np.int64)
    right, wrong = of(one, none), of(one, one)
    for n, e in zip(rows.sum(axis=1).tolist(), errors.sum(axis=1).tolist(), strict=True):
        yield (n - e) * right + e * wrong


def means(tests: OutcomeSuite, name: str, rows: Counts, errors: Counts) -> Floats:
    """Behind every step, the weighted mean of the R of one signal's bets, which nothing resets."""
    signal = next(place for place, one in enumerate(tests.bets.signals) if one.name == name)
    own, r, found = tests.bets.of(signal), 0.0, np.zeros(len(rows))
    for place, (n, gained) in enumerate(zip(rows.sum(axis=1).tolist(), _gained(tests, name, rows, errors), strict=True)):
        r = (r + n) * np.exp(np.minimum(gained[own], 600.0))
        found[place] = float((tests.bets.weight[own] * r).sum())
        if found[place] > 1e9:
            found[place:] = found[place]
            break
    return found


def path(name: str, rows: Counts, errors: Counts, size: int, **settings: Any) -> Floats:  # of differing types, by name
    """`means` of one signal behind the first 5,000 labels, with all baselines as they follow each other."""
    baselines, begins = Baselines(rows.shape[1], **settings), list[tuple[int, OutcomeSuite]]()
    for number, (n, wrong) in enumerate(zip(rows, errors, strict=True)):
        if baselines.add(arrivals_of(number, size, n, wrong)):
            assert baselines.suite is not None
            begins.append((number + 1, baselines.suite))
        if baselines.gathering.complete:
            break
    ends = [begin for begin, _ in begins[1:]] + [len(rows)]
    return np.concatenate([means(suite, name, rows[a:b], errors[a:b]) for (a, suite), b in zip(begins, ends, strict=True)])


def first(paths: Floats, threshold: float) -> Counts:
    """Of every path the first step that reaches it, else the number of steps."""
    reached = paths >= threshold
    return np.asarray(np.where(reached.any(axis=1), reached.argmax(axis=1), paths.shape[1]), dtype=np.int64)


def tuned(paths: Floats, size: int) -> tuple[float, float]:
    """The threshold at which the mean run to an alarm has `TARGET` labels, and that mean."""
    low, high = 10.0, 1e7
    for _ in range(50):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if np.minimum(first(paths, middle) + 1, paths.shape[1]).mean() * size < TARGET else (low, middle)
    return high, float(np.minimum(first(paths, high) + 1, paths.shape[1]).mean() * size)


def summary(found: Sequence[int]) -> dict[str, Any]:  # a mean, its error, what they are of
    """The mean, with its standard error."""
    each = np.array(found)
    error = float(each.std(ddof=1) / len(each) ** 0.5)
    return {"mean": round(float(each.mean()), 1), "error": round(error, 1), "median": float(np.median(each)), "runs": len(each)}


def alone(name: str, law: Law, behind: Law, size: int, references: int = REFERENCES, runs: int = RUNS, **settings: Any) -> dict[str, Any]:
    """One signal by itself: tuned to the ARL, then how soon it sees a change that falls anywhere in a step, warm and from R = 0."""
    runs *= references
    draw = np.random.default_rng([size, len(name), runs, len(settings)])
    gathered, steps = LABELS // size, HORIZON // size
    quiet = np.stack([path(name, *drawn(draw, law, [size] * (gathered + steps)), size, **settings) for _ in range(runs)])
    threshold, arl = tuned(quiet, size)
    error = float((first(quiet, threshold) + 1).std() * size / runs**0.5)
    weight = {ERRORS: GROUP_WEIGHTS["errors"], RELATION: GROUP_WEIGHTS["relation"]}[name]
    found = {"signal": name, "step": size, **settings, "arl": round(arl), "arl error": round(error), "threshold": round(threshold, 1)}
    found["budget"] = round(threshold * weight, 1)
    for warm in (WARM, 0):
        delays, early = list[int](), 0
        for _ in range(runs):
            before = warm + int(draw.integers(0, size)) if warm else 0
            old = np.clip(LABELS + before - size * np.arange(gathered + steps // 2), 0, size)
            rows, errors = (a + b for a, b in zip(drawn(draw, law, old), drawn(draw, behind, size - old), strict=True))
            at = (int(first(path(name, rows, errors, size, **settings)[None], threshold)[0]) + 1) * size - before
            early += at <= 0
            delays += [at] if at > 0 else []
        found["warm" if warm else "cold"] = {**summary(delays), "early": early}
    return found


def _settled(made: Counts, arrived: Counts, wrong: NDArray[np.bool_], size: int) -> tuple[OutcomeBaseline, int]:
    """The product's own baseline of labels as they come, and how many had come by then."""
    gathering = Gathering("concept", "1", 1)
    for at in range(0, len(made) - size, size):
        own = slice(at, at + size)
        delays = np.bincount(bins_of(1000 * (arrived[own] - made[own])), minlength=DELAY_BINS)
        begin, end = int(arrived[at]) * 1000, (int(arrived[at + size - 1]) + 1) * 1000
        gathering.add(Arrivals(begin, end, np.array([size]), np.array([int(wrong[own].sum())]), delays=delays))
        if gathering.enough:
            return gathering.baseline(), at + size
    msg = f"{len(made)} labels are too few"
    raise ValueError(msg)


Delay = Callable[[np.random.Generator, NDArray[np.bool_]], Floats]
DELAYS: dict[str, Delay] = {
    "none": lambda draw, wrong: np.zeros(len(wrong)),
    "constant 2,000": lambda draw, wrong: np.full(len(wrong), 2_000.0),
    "batches of 4,000": lambda draw, wrong: (3_999 - np.arange(len(wrong)) % 4_000).astype(np.float64),
    "exponential, mean 500": lambda draw, wrong: draw.exponential(500, len(wrong)),
    "exponential, mean 2,000": lambda draw, wrong: draw.exponential(2_000, len(wrong)),
    "lognormal, median 1,000, sigma 1.5": lambda draw, wrong: draw.lognormal(np.log(1_000), 1.5, len(wrong)),
    "errors 2,000, right ones 500": lambda draw, wrong: draw.exponential(np.where(wrong, 2_000, 500)),
    "errors 500, right ones 2,000": lambda draw, wrong: draw.exponential(np.where(wrong, 500, 2_000)),
}


def delayed(name: str, threshold: float, size: int = 50, runs: int = 40, predictions: int = 90_000) -> dict[str, Any]:
    """Predictions come one a tick, labels when they do; the baseline is the product's, and `WARM` labels come between it and the change."""
    labels, served, early, taus = list[int](), list[int](), 0, list[float]()
    for run in range(runs):
        uniform = np.random.default_rng([run, 1]).random(predictions)

        def world(change: int, run: int = run, uniform: Floats = uniform) -> tuple[Counts, Counts, NDArray[np.bool_]]:
            wrong = uniform < np.where(np.arange(predictions) < change, 0.1, 0.15)
            late = np.arange(predictions) + np.rint(DELAYS[name](np.random.default_rng([run, 2]), wrong)).astype(np.int64)
            order = np.argsort(late, kind="stable")
            return order, late[order], wrong[order]

        order, arrived, wrong = world(predictions)
        baseline, begin = _settled(order, arrived, wrong, size)
        change = int(arrived[begin + WARM]) + 1
        order, arrived, wrong = world(change)
        steps = (len(order) - begin) // size
        errors = wrong[begin : begin + steps * size].reshape(steps, size).sum(axis=1)
        path = means(suite_of(baseline), ERRORS, np.full((steps, 1), size), errors[:, None])
        at = begin + (int(first(path[None], threshold)[0]) + 1) * size - 1
        taus.append(baseline.dependence)
        if arrived[at] < change:
            early += 1
        else:
            labels.append(int((order[: at + 1] >= change).sum()))
            served.append(int(arrived[at]) - change)
    mean, error = float(np.mean(labels)), float(np.std(labels) / len(labels) ** 0.5)
    found = {"delay": name, "labels": round(mean), "error": round(error), "served": round(float(np.mean(served)))}
    return {**found, "early": early, "runs": runs, "largest tau": max(taus)}


def told(steps: Iterable[Arrivals], **settings: Any) -> Iterator[tuple[int, DriftEvent]]:  # of differing types
    """The lane as the detector keeps it: the events of a version's labels, from the first one on, with the ends of their steps."""
    baselines, state = None, None
    for arrivals in steps:
        baselines = baselines or Baselines(len(arrivals.rows), **settings)
        if (state is None or not state.episodes) and baselines.add(arrivals):
            assert baselines.suite is not None
            state = start(baselines.suite, arrivals.end)
        elif state is not None and baselines.suite is not None:
            state, events = step(baselines.suite, state, arrivals.bucket())
            yield from ((arrivals.end, event) for event in events)


def lane(behind: Law, quiet: int, changed: int, size: int, seed: int, budget: float = 100_000.0) -> Iterator[tuple[int, set[str]]]:
    """The product's step, as it is: labels from the change to each event, and the signals in it."""
    draw = np.random.default_rng([seed, size])

    def steps() -> Iterator[Arrivals]:
        for number in range((LABELS + quiet + changed) // size):
            rows, errors = drawn(draw, CELLS if number * size < LABELS + quiet else behind, [size])
            yield arrivals_of(number, size, rows[0], errors[0])

    for end, event in told(steps(), budget_seconds=budget):
        yield end // 1000 - LABELS - quiet, {one.name for one in event.signals}


def runs_of(behind: Law, quiet: int = 5_000, changed: int = 75_000, size: int = 200, runs: int = 30) -> dict[str, Any]:
    """In how many runs each signal is ever named, how soon, and what came before the change."""
    found: dict[str, Any] = {"runs": runs, "step": size, "labels behind the change": changed, "before the change": 0}
    told: dict[str, list[int]] = {ERRORS: [], RELATION: []}
    for seed in range(runs):
        at: dict[str, int] = {}
        for labels, names in lane(behind, quiet, changed, size, seed):
            found["before the change"] += labels <= 0
            at |= {name: labels for name in names if name not in at and labels > 0}
        for name, labels in at.items():
            told[name].append(labels)
    return {**found, **{name: {"told in": len(each), "after": sorted(each)} for name, each in told.items()}}


def measured() -> Iterator[tuple[str, dict[str, Any]]]:
    """All there is to measure, by section."""
    threshold = 0.0
    for direction in ("both", "up"):
        for size in STEPS:
            found = alone(ERRORS, ONE, WORSE, size, direction=direction)
            threshold = found["threshold"] if (direction, size) == ("both", 50) else threshold
            yield "errors .10 to .15", found
    for name in DELAYS:
        yield "labels late, steps of 50", delayed(name, threshold)
    for name in (ERRORS, RELATION):
        yield "5 % of right answers wrong, each alone", alone(name, CELLS, turned(CELLS), 200, references=12, runs=12)
    for size, labels in zip(STEPS, (25_000, 75_000), strict=True):
        yield "5 % of right answers wrong, the lane, a budget of 100,000 labels", runs_of(turned(CELLS), changed=10_000, size=size)
        yield "hard rows three times as common, the lane, a budget of 100,000 labels", runs_of(harder(CELLS), changed=labels, size=size)
    for name in MADE:
        yield "errors .10 to .15, river row by row", peer(name, LABELS, WARM, HORIZON, 40)


def main() -> None:
    """Print what is measured, and keep the raw figures."""
    began, sections = time.perf_counter(), dict[str, list[dict[str, Any]]]()
    for section, found in measured():
        sections.setdefault(section, []).append(found)
        print(
            f"{time.perf_counter() - began:5.0f} s  {section}: {json.dumps(found)}",
            flush=True,
        )
    machine = {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__, "river": version("river")}
    raw = {**machine, "seconds": round(time.perf_counter() - began), **sections}
    (RESULTS / "concept.json").write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
