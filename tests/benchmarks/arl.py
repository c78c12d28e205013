"""The scoreboard of eSR: rows per false alarm (ARL), and rows from a change to its alarm (delay).

A delay means nothing without its ARL, so both stand in one table, from one command: ``python -m tests.benchmarks.arl``.
References of 10,000 rows of N(0, 1); a budget of one false alarm in 10,000 rows; a minute or two.
"""

import itertools
import json
import platform
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.episodes.step import Bucket, Suite, start, step
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import AvailabilityProfile, NumericProfile, ProfiledField, Reference

REFERENCE_ROWS = BUDGET_ROWS = 10_000
SETTINGS = Model.model_validate({"false_alarms": f"1 per {BUDGET_ROWS} rows", "rate": 1})
#: Mean and standard deviation behind the change.
CHANGES = {".25 sd": (0.25, 1.0), ".5 sd": (0.5, 1.0), "1 sd": (1.0, 1.0), "variance x1.5": (0.0, 1.5**0.5)}
LEAST_QUIET_ROWS = 2_000
LONGEST_RUN = 2_000_000
BLOCK = 64


def compiled(rng: np.random.Generator, features: int, settings: Model = SETTINGS) -> Suite:
    """Tests of a fresh reference."""
    states = AvailabilityProfile(counts=(REFERENCE_ROWS, 0, 0, 0))
    fields = tuple(
        ProfiledField(name=f"f{place}", type="numeric", values=profile_of(rng.normal(size=REFERENCE_ROWS)), availability=states)
        for place in range(features)
    )
    reference = Reference(model="normal", version="1", rows=REFERENCE_ROWS, fields=fields)
    return Suite(reference, settings, application="arl", stream="-", configuration_hash="-", reference_hash="-")


def law(tests: Suite, mean: float = 0.0, sd: float = 1.0) -> list[tuple[slice, NDArray[np.float64]]]:
    """The probability of every bin, by signal; the first feature has this mean and sd."""
    laws = []
    for signal in tests.layout.signals:
        profile, probabilities = signal.profile, np.array([1.0, 0.0, 0.0, 0.0])
        if signal.of == "values" and isinstance(profile, NumericProfile):
            m, s = (mean, sd) if signal.name == "f0" else (0.0, 1.0)
            ends = np.concatenate(([-np.inf], profile.edges, [np.inf]))
            probabilities = np.bincount(profile.bin_of, weights=np.diff(special.ndtr((ends - m) / s)), minlength=signal.size)
        laws.append((signal.span, probabilities))
    return laws


def first_alarm(tests: Suite, rng: np.random.Generator, pane: int, change: tuple[float, float] | None, quiet_rows: int) -> int:
    """Rows to the first alarm; from row ``quiet_rows`` on, which may lie within a pane, the change holds."""
    before = law(tests)
    behind = before if change is None else law(tests, *change)
    state, number = start(tests, 0), 0
    while number * pane < LONGEST_RUN:
        old = np.clip(quiet_rows - pane * np.arange(number, number + BLOCK), 0, pane)
        counts = np.zeros((BLOCK, tests.layout.size), dtype=np.int64)
        for (span, p), (_, q) in zip(before, behind, strict=True):
            counts[:, span] = rng.multinomial(old, p) + rng.multinomial(pane - old, q)
        for row in counts:
            ends = (number * pane * 1000, (number + 1) * pane * 1000)
            state, events = step(tests, state, Bucket(*ends, pane, 0, row, np.zeros(0, dtype=np.int64), True, False))
            number += 1
            if events:
                return number * pane
    return number * pane


def arl(features: int, pane: int, references: int, runs: int) -> dict[str, float]:
    """Rows per false alarm, with the standard error over references."""
    rng = np.random.default_rng([features, pane])
    means = [
        np.mean([first_alarm(tests, rng, pane, None, 0) for _ in range(runs)])
        for tests in (compiled(rng, features) for _ in range(references))
    ]
    return {"features": features, "pane": pane, "arl": float(np.mean(means)), "error": float(np.std(means) / references**0.5)}


def delays(pane: int, name: str, references: int, runs: int) -> dict[str, float]:
    """Median and mean rows from a change to the alarm; runs with an alarm before the change are drawn anew."""
    rng = np.random.default_rng([pane, len(name)])
    found: list[int] = []
    for _ in range(references):
        tests = compiled(rng, 1)
        kept = 0
        while kept < runs:
            quiet = int(rng.integers(LEAST_QUIET_ROWS, LEAST_QUIET_ROWS + 5 * pane))
            delay = first_alarm(tests, rng, pane, CHANGES[name], quiet) - quiet
            if delay > 0:
                found.append(delay)
                kept += 1
    return {"median": float(np.median(found)), "mean": float(np.mean(found))}


def main() -> None:
    """Print both tables, and keep the raw figures beside this file."""
    began = time.perf_counter()
    quiet = [arl(features, pane, 12, 20 if features == 1 else 3) for features in (1, 20) for pane in (50, 200, 1000)]
    print("| features | rows a pane | ARL (budget 10,000) | standard error |\n|---|---|---|---|")
    for one in quiet:
        print(f"| {one['features']} | {one['pane']} | {one['arl']:,.0f} | {one['error']:,.0f} |")
    print("\n| change | rows a pane | median delay | mean delay |\n|---|---|---|---|")
    changed = []
    for name, pane in itertools.product(CHANGES, (50, 200, 1000)):
        rows = delays(pane, name, 12, 20)
        changed.append({"change": name, "pane": pane, **rows})
        print(f"| {name} | {pane} | {rows['median']:.0f} | {rows['mean']:.0f} |")
    machine = {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__}
    raw = {**machine, "seconds": round(time.perf_counter() - began), "arl": quiet, "delay": changed}
    Path(__file__).with_suffix(".json").write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
