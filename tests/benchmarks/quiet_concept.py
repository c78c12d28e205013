"""How often the lane of outcomes cries wolf while nothing changes: ``python -m tests.benchmarks.quiet_concept [year]``.

A false alarm of a model is one of any of its lanes; this one has .15 of the budget, so .15 alarms per budget are allowed. Every reference
has a baseline of its own, gathered by the product from its first labels, and grown. Then steps of the same law are folded in by the
product's bets, with a restart after each alarm. Labels are cut into steps as they come, late ones too. Raw figures:
``results/quiet_concept*.json``.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtri

from driftbus.detectors.concept import OutcomeSuite

from .concept import CELLS, DELAYS, RESULTS, Baselines, Counts, arrivals_of, drawn

REFERENCES, LANE = 24, 0.15
#: Labels a step, the budget in labels, and budgets that each reference is watched.
TABLE = ((200, 10_000, 20), (1_000, 1_000_000, 1), (50, 10_000, 10), (1_000, 10_000, 40))
BLOCK = 20_000
#: Late labels are looked at when the version is so many seconds old: before they are no fair sample, and the detector waits too.
SETTLED = 2 * BLOCK
#: Of the quiet year: references, seconds a step (a label a second), and the budget.
YEARS, YEAR, SECONDS, MONTH = 5, 365 * 86_400, 100, 30 * 86_400
_LARGEST_STEP = 600.0


@dataclass(frozen=True)
class World:
    """Labels whose share of errors is .07 in sixteen kinds of scores; rates move by ``sd`` over ``length`` labels, or labels are late."""

    name: str
    length: int = 1
    sd: float = 0.0
    bursts: bool = False  #: errors themselves come in bursts so long
    late: str = "none"

    def steps(self, rng: np.random.Generator, size: int) -> Iterator[tuple[Counts, Counts]]:
        """Blocks of rows and errors by step, without end."""
        if self.late != "none":
            yield from self._late(rng, size)
        keep, state = np.exp(-1 / self.length), rng.normal(size=1)
        while self.late == "none":
            if self.length == 1:
                yield drawn(rng, CELLS, [size] * (BLOCK // size))
                continue
            moves, state = lfilter([(1 - keep**2) ** 0.5], [1, -keep], rng.standard_normal(BLOCK), zi=keep * state)
            state = state / keep if keep else state
            cells = rng.choice(len(CELLS[0]), BLOCK, p=CELLS[0])
            mean = float(CELLS[0] @ CELLS[1])
            rates = CELLS[1][cells] * np.maximum(1 + self.sd / mean * moves, 0.02)
            yield _counted(cells, moves > ndtri(1 - mean) if self.bursts else rng.random(BLOCK) < rates, size)

    def _late(self, rng: np.random.Generator, size: int) -> Iterator[tuple[Counts, Counts]]:
        """Of predictions one a second, in the order in which labels come; those of which some are still to come are kept."""
        waiting, first = [np.zeros(0, dtype=np.int64)] * 3, 0
        while True:
            cells = rng.choice(len(CELLS[0]), BLOCK, p=CELLS[0])
            wrong = rng.random(BLOCK) < CELLS[1][cells]
            known = first + np.arange(BLOCK) + np.rint(DELAYS[self.late](rng, wrong)).astype(np.int64)
            both = [np.concatenate(pair) for pair in zip(waiting, (known, cells, wrong.astype(np.int64)), strict=True)]
            order = np.argsort(both[0], kind="stable")
            first += BLOCK
            ready = int(np.searchsorted(both[0][order], first)) // size * size
            waiting = [one[order[ready:]] for one in both]
            if ready and first > SETTLED:
                yield _counted(both[1][order[:ready]], both[2][order[:ready]] > 0, size)


def _counted(cells: Counts, wrong: NDArray[np.bool_], size: int) -> tuple[Counts, Counts]:
    kinds = len(CELLS[0])
    places = cells + kinds * (np.arange(len(cells)) // size)
    shape = len(cells) // size, kinds
    rows, errors = (np.bincount(each, minlength=shape[0] * kinds).astype(np.int64).reshape(shape) for each in (places, places[wrong]))
    return rows, errors


WORLDS = (
    World("independent"),
    World("rates that move by .04 over 20 labels", 20, 0.04),
    World("over 100", 100, 0.04),
    World("over 400", 400, 0.04),
    World("over 1,000", 1_000, 0.04),
    World("bursts of 20 errors", 20, bursts=True),
    World("bursts of 400 errors", 400, bursts=True),
    World("late: exponential, mean 2,000", late="exponential, mean 2,000"),
    World("late: batches of 4,000", late="batches of 4,000"),
    World("late: errors 500, right ones 2,000", late="errors 500, right ones 2,000"),
    World("late: errors 2,000, right ones 500", late="errors 2,000, right ones 500"),
)


class Folded:
    """One reference's lane, restarted at once after each alarm."""

    def __init__(self, tests: OutcomeSuite) -> None:
        self._tests, self._r = tests, np.zeros(len(tests.bets.owner))

    def alarms(self, rows: Counts, errors: Counts, seconds: float) -> int:
        """Of these steps."""
        found, bets, none = 0, self._tests.bets, np.zeros(0, dtype=np.int64)
        for vector in np.concatenate((rows, errors), axis=1):
            ratios, _ = bets.log_ratios(self._tests.space.vector(vector, none, (), None))
            self._r = (self._r + seconds) * np.exp(np.minimum(ratios, _LARGEST_STEP))
            if float((bets.joint_weight * self._r).sum()) >= self._tests.budget_seconds:
                found, self._r = found + 1, np.zeros_like(self._r)
        return found


def gathered(world: Iterator[tuple[Counts, Counts]], size: int, budget: float) -> tuple[OutcomeSuite, int]:
    """The product's tests of the first labels, and how many these were."""
    baselines, number = Baselines(len(CELLS[0]), budget_seconds=budget), 0
    for rows, errors in world:
        for n, wrong in zip(rows, errors, strict=True):
            baselines.add(arrivals_of(number, size, n, wrong))
            number += 1
        if baselines.gathering.complete and baselines.suite is not None:
            return baselines.suite, baselines.suite.baseline.labelled
    raise AssertionError(world)


def measured(world: World, size: int, budget: int, budgets: int) -> dict[str, Any]:
    """False alarms per budget, over all references, and by reference."""
    began, alarms, taus, labels = time.perf_counter(), list[int](), list[float](), list[int]()
    for number in range(REFERENCES):
        stream = world.steps(np.random.default_rng([WORLDS.index(world), size, budget, number]), size)
        tests, taken = gathered(stream, size, float(budget))
        folded, found, seen = Folded(tests), 0, 0
        while seen < budget * budgets:
            rows, errors = next(stream)
            found, seen = found + folded.alarms(rows, errors, float(size)), seen + len(rows) * size
        alarms.append(found)
        taus.append(tests.baseline.dependence)
        labels.append(taken)
    per = np.array(alarms) / (seen / budget) / LANE
    return {
        "labels": world.name,
        "step": size,
        "budget": budget,
        "budgets": round(REFERENCES * seen / budget),
        "alarms": alarms,
        "of the lane's budget": round(float(per.mean()), 2),
        "error": round(float(per.std(ddof=1) / REFERENCES**0.5), 2),
        "tau": round(float(np.median(taus)), 2),
        "baseline": int(np.median(labels)),
        "seconds": round(time.perf_counter() - began, 1),
    }


def year() -> dict[str, Any]:
    """A quiet year at a label a second, delays of a mean of 2,000 s, one false alarm in 30 days."""
    began, alarms = time.perf_counter(), list[int]()
    for number in range(YEARS):
        stream = World("late", late="exponential, mean 2,000").steps(np.random.default_rng([365, number]), SECONDS)
        tests, seen, found = gathered(stream, SECONDS, float(MONTH))[0], 0, 0
        folded = Folded(tests)
        while seen < YEAR:
            rows, errors = next(stream)
            found, seen = found + folded.alarms(rows, errors, float(SECONDS)), seen + len(rows) * SECONDS
        alarms.append(found)
        print(f"{number + 1} of {YEARS}, {time.perf_counter() - began:.0f} s, {found} alarms", flush=True)
    return {"seconds": YEAR, "alarms": alarms, "took": round(time.perf_counter() - began)}


def main(what: str) -> None:
    """Print the table, and keep the raw figures."""
    if what == "year":
        (RESULTS / "quiet_concept_year.json").write_text(json.dumps(year()) + "\n")
        return
    found = list[dict[str, Any]]()
    for size, budget, budgets in TABLE:
        for world in WORLDS:
            found.append(measured(world, size, budget, budgets))
            print(json.dumps({key: value for key, value in found[-1].items() if key != "alarms"}), flush=True)
        (RESULTS / "quiet_concept.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
