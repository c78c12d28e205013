"""Errors that people find: how often the lane of answers cries wolf, and after how many answers more errors are told.

``python -m tests.benchmarks.reviewed_lane [BASELINE ...]``. Each run gathers a baseline of its own by the product's fold, then steps slots
of answers into the product's tests. The budget is one false alarm in 30 days at so many answers an hour; the lane may raise
`REVIEWED_WEIGHT` of it. Quiet runs start anew after each alarm. Raw figures: ``results/reviewed_lane.json``.
"""

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from driftbus.consumers.detector.answers import BASELINE
from driftbus.detectors.betting.mixture import REVIEWED_WEIGHT
from driftbus.detectors.concept import Arrivals, Gathering, OutcomeSettings, OutcomeSuite

from .quiet_concept import Folded

RESULTS = Path(__file__).parent / "results" / "reviewed_lane.json"
#: Uniform answers a slot of an hour; the budget, in hours.
ANSWERS, HOUR, MONTH = 20, 3_600_000, 30 * 24
RATE, WORSE = 0.1, (0.15, 0.2, 0.3)
#: Of each baseline: quiet runs, and budgets each is watched; runs in which errors become more, and answers waited for.
QUIET, BUDGETS, RUNS, MOST = 40, 10, 40, 5_000


def steps(draw: np.random.Generator, rate: float) -> Iterator[Arrivals]:
    """Slots of answers, without end."""
    for hour in itertools.count():
        rows, errors = np.array([[ANSWERS], [draw.binomial(ANSWERS, rate)]], dtype=np.int64)
        yield Arrivals(hour * HOUR, (hour + 1) * HOUR, rows, errors)


def gathered(draw: np.random.Generator, wanted: int) -> OutcomeSuite:
    """The tests against a baseline as it is in the end."""
    gathering = Gathering("m", "1", 1, wanted=wanted)
    for one in steps(draw, RATE):
        gathering.add(one)
        if gathering.complete:
            break
    settings = OutcomeSettings(budget_seconds=MONTH * 3_600, by="reviews")
    return OutcomeSuite(gathering.baseline(), settings, application="a", stream="s", configuration_hash="c", reference_hash="r")


def told_after(tests: OutcomeSuite, draw: np.random.Generator, rate: float) -> float:
    """Answers until more errors are told; infinity: not among `MOST`."""
    folded, seen = Folded(tests), 0
    for one in steps(draw, RATE):  # quiet at first, as most streams are
        folded.alarms(one.rows[None], one.errors[None], 3_600)
        seen += ANSWERS
        if seen >= 1_000:
            break
    for number, one in enumerate(steps(draw, rate), 1):
        if folded.alarms(one.rows[None], one.errors[None], 3_600):
            return number * ANSWERS
        if number * ANSWERS >= MOST:
            return np.inf
    return np.inf


def measured(wanted: int) -> dict[str, Any]:
    """Of one size of baseline."""
    alarms, of = [], []
    for seed in range(QUIET):
        draw = np.random.default_rng([wanted, seed])
        tests = gathered(draw, wanted)
        of.append(tests.baseline.labelled)
        errors = draw.binomial(ANSWERS, RATE, (MONTH * BUDGETS, 1)).astype(np.int64)
        alarms.append(int(Folded(tests).alarms(np.full_like(errors, ANSWERS), errors, 3_600)))
    found: dict[str, Any] = {
        "wanted": wanted,
        "baseline": float(np.median(of)),
        "alarms": sum(alarms),
        "budgets": QUIET * BUDGETS,
        "of allowed": sum(alarms) / (QUIET * BUDGETS) / REVIEWED_WEIGHT,
        "worst": max(alarms) / BUDGETS / REVIEWED_WEIGHT,
    }
    for rate in WORSE:
        delays = []
        for seed in range(RUNS):
            draw = np.random.default_rng([wanted, seed, round(100 * rate)])
            delays.append(told_after(gathered(draw, wanted), draw, rate))
        lower, median, upper = np.quantile(delays, (0.1, 0.5, 0.9), method="higher")
        within = {name: float(one) if np.isfinite(one) else None for name, one in (("tenth", lower), ("median", median), ("ninth", upper))}
        found[f"{rate:.2f}"] = {"told": int(np.isfinite(delays).sum()), "of": RUNS} | within
    return found


def main() -> None:
    """Print a row for each size of baseline, and keep them."""
    rows = [measured(wanted) for wanted in map(int, sys.argv[1:] or (str(BASELINE),))]
    for row in rows:
        print(json.dumps(row))
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
