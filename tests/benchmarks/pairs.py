"""Pairs of 20 features: no alarm while nothing changes, and how soon a new correlation is found.

    python -m tests.benchmarks.pairs            # rows drawn, counted and stepped by the product's functions
    python -m tests.benchmarks.pairs --replay   # bytes in, events out

190 pairs, panes of 100 rows, a budget of one false alarm in 100,000 rows. Raw figures: ``results/pairs.json``, ``pairs_replay.json``.
"""

import contextlib
import io
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.command.main import main as driftbus
from driftbus.consumers.replay.picture import moment
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.counting.joint import Distance, Moments
from driftbus.detectors.counting.ranks import Ranks
from driftbus.detectors.episodes.step import Bucket, Suite, start, step
from driftbus.detectors.profiling.pairs import PairProfiling
from driftbus.schemas.configuration import Model
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import AvailabilityProfile, JointProfile, ProfiledField, Reference

from .world import RESULTS, Result, machine

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]

FEATURES, PANE, BUDGET, REFERENCE_ROWS = 20, 100, 100_000, 10_000
#: By time, so that with no rate known the margin is the widest.
SETTINGS = Model.model_validate({"false_alarms": f"1 per {BUDGET}s"})
QUIET_ROWS, QUIET_REFERENCES = 2_400_000, 6
REFERENCES, RUNS = 5, 8
#: By the new correlation, the prototype's median delays.
PROTOTYPE = {0.15: 2_300, 0.3: 550, 0.6: 100}


def independent(rng: np.random.Generator, rows: int) -> Floats:
    """Features that have nothing to do with each other."""
    return rng.normal(size=(rows, FEATURES))


def grouped(correlation: float) -> Draw:
    """Correlations within five groups of four."""

    def draw(rng: np.random.Generator, rows: int) -> Floats:
        factors = np.repeat(rng.normal(size=(rows, 5)), FEATURES // 5, axis=1)
        return np.asarray(np.sqrt(1 - correlation) * rng.normal(size=(rows, FEATURES)) + np.sqrt(correlation) * factors)

    return draw


def linked(correlation: float) -> Draw:
    """As `independent`, but for the first two features."""

    def draw(rng: np.random.Generator, rows: int) -> Floats:
        x = independent(rng, rows)
        x[:, 1] = correlation * x[:, 0] + np.sqrt(1 - correlation**2) * x[:, 1]
        return x

    return draw


def volatile(rng: np.random.Generator, rows: int) -> Floats:
    """Student's t with 5 degrees of freedom, each feature by itself."""
    return rng.normal(size=(rows, FEATURES)) / np.sqrt(rng.chisquare(5, size=(rows, FEATURES)) / 5)


def volatile_together(rng: np.random.Generator, rows: int) -> Floats:
    """The same marginals, but when one is far out, others are."""
    return rng.normal(size=(rows, FEATURES)) / np.sqrt(rng.chisquare(5, size=(rows, 1)) / 5)


def squared(noise: float) -> Draw:
    """The second feature is the square of the first; or, with infinite noise, of a number that nobody sees."""

    def draw(rng: np.random.Generator, rows: int) -> Floats:
        x = independent(rng, rows)
        hidden = x[:, 0] if np.isfinite(noise) else rng.normal(size=rows)
        x[:, 1] = hidden**2 + 0.3 * x[:, 1]
        return x

    return draw


#: What only the joint distance sees: before and behind.
JOINT: dict[str, tuple[Draw, Draw]] = {
    "correlations within groups .5 -> .45": (grouped(0.5), grouped(0.45)),
    "volatility becomes common to all": (volatile, volatile_together),
    "y = x^2 + noise no longer": (squared(0.3), squared(np.inf)),
}


#: By name, how rows are drawn that never change, and of how many the reference is.
QUIET = (("independent", independent, 10_000), ("correlated in groups", grouped(0.5), 10_000), ("reference of 2,000", independent, 2_000))


def reference_of(x: Floats, sample: int = 1, *, joint: bool = False) -> Reference:
    """Of these rows, without a detour over files."""
    names = [f"f{place}" for place in range(x.shape[1])]
    profiles = [profile_of(column) for column in x.T]
    ranks, pairs = Ranks(profiles), PairProfiling(names, profiles)
    places = ranks.places(x)
    pairs.add(places)
    profile = None
    if joint:
        moments, scores = Moments(len(names)), ranks.at(places)
        moments.add(scores[::4])
        axes = moments.axes()
        distance = profile_of(Distance(axes).of(np.delete(scores, np.s_[::4], axis=0)))
        profile = JointProfile(fields=tuple(names), axes=tuple(map(tuple, axes.tolist())), distance=distance)
    there = AvailabilityProfile(counts=(len(x), 0, 0, 0))
    fields = tuple(ProfiledField(name=n, type="numeric", values=p, availability=there) for n, p in zip(names, profiles, strict=True))
    return Reference(model="m", version="1", rows=len(x), fields=fields, pairs=pairs.profiles(sample), sample=sample, joint=profile)


def compiled(reference: Reference, settings: Model = SETTINGS) -> Suite:
    """Its tests."""
    return Suite(reference, settings, application="pairs", stream="-", configuration_hash="-", reference_hash="-")


def bucket(counting: Counting, number: int, rows: Floats) -> Bucket:
    """The bucket of that number, a second for each row."""
    first, last = number * len(rows), (number + 1) * len(rows)
    counts, sums = counting.count(rows, [], (), np.arange(first, last))
    return Bucket(first * 1000, last * 1000, len(rows), 0, counts, sums, True, False)


def events(reference: Reference, draw: Draw, rng: np.random.Generator, rows: int, pane: int = PANE) -> Iterator[tuple[int, DriftEvent]]:
    """What so many rows lead to: the rows so far, and the event."""
    tests, counting = compiled(reference), Counting(reference)
    state = start(tests, 0)
    for number in range(rows // pane):
        state, found = step(tests, state, bucket(counting, number, draw(rng, pane)))
        yield from (((number + 1) * pane, event) for event in found)


def delays(before: Draw, behind: Draw, sample: int, rows: int, name: str) -> list[tuple[int, bool]]:
    """Of every run, the rows from the start of a changed stream to the first alarm, and whether it names this signal and no other."""
    found = []
    for seed in range(REFERENCES):
        rng = np.random.default_rng([seed, sample])
        reference = reference_of(before(rng, REFERENCE_ROWS), sample, joint=True)
        for _ in range(RUNS):
            first = next(events(reference, behind, rng, rows), None)
            found.append((rows, False) if first is None else (first[0], [signal.name for signal in first[1].signals] == [name]))
    return found


CONFIGURATION = """\
application: pairs
bus: embedded
streams:
  rows: {{topics: [rows], pane: 100 rows, clock: record}}
models:
  pairs:
    reference: {{file: "{folder}/reference.parquet", version: version}}
    false_alarms: 1 per 100000 rows
    pairs: {{sample: {sample}}}
"""


def replayed(correlation: float, runs: int, sample: int, rows: int) -> list[tuple[int, bool]]:
    """The same from a table to the events that are published; each run is a version, with a reference of its own and so many rows."""
    rng = np.random.default_rng(int(correlation * 100) + sample)
    with tempfile.TemporaryDirectory() as folder:
        for name, draw, length in (("reference", independent, REFERENCE_ROWS), ("rows", linked(correlation), rows)):
            columns: dict[str, Floats | NDArray[np.str_]] = {f"f{i}": x for i, x in enumerate(draw(rng, runs * length).T)}
            columns["version"] = np.repeat([f"{run:03}" for run in range(runs)], length)
            duckdb.execute(f"copy (select * from columns) to '{folder}/{name}.parquet'")
        Path(folder, "driftbus.yaml").write_text(CONFIGURATION.format(folder=folder, sample=sample))
        command = ["replay", "--config", f"{folder}/driftbus.yaml", f"{folder}/rows.parquet", "--events", f"{folder}/events.jsonl"]
        with contextlib.redirect_stdout(io.StringIO()):
            driftbus(command, standalone_mode=False)
        told = [DriftEvent.model_validate_json(line) for line in Path(folder, "events.jsonl").read_text().splitlines()]
    found: dict[str, tuple[int, bool]] = {}
    for event in told:
        end = int(moment(event.bucket[1]).timestamp()) - int(event.version) * rows
        found.setdefault(event.version, (end, [signal.name for signal in event.signals] == ["f0 × f1"]))
    return [found.get(f"{run:03}", (rows, False)) for run in range(runs)]


def summary(found: Sequence[tuple[int, bool]]) -> dict[str, float]:
    """Of the delays, and how often no other signal was named."""
    delays = [rows for rows, _ in found]
    return {"median": float(np.median(delays)), "worst": max(delays), "named": sum(named for _, named in found) / len(found)}


def cost() -> dict[str, float]:
    """Nanoseconds of processor time to count a row of 20 numbers, 10,000 at a time; by pairs off, and one row in so many."""
    rng = np.random.default_rng(1)
    x, rows = independent(rng, REFERENCE_ROWS), independent(rng, 10_000)
    every, figures = reference_of(x, joint=True), dict[str, float]()
    off = every.model_copy(update={"pairs": (), "joint": None})
    for name, reference in (("off", off), ("10", every.model_copy(update={"sample": 10})), ("1", every)):
        counting, times = Counting(reference), []
        for _ in range(20):
            began = time.process_time()
            counting.count(rows, [], (), np.arange(len(rows)))
            times.append(time.process_time() - began)
        figures[name] = round(min(times) / len(rows) * 1e9)
    return figures


def main(arguments: list[str]) -> None:
    """Print the tables, and keep the raw figures."""
    raw: Result = {}
    began = time.process_time()
    if "--replay" in arguments:
        raw["replay"] = {str(sample): summary(replayed(0.3, 20, sample, 2_000 * sample)) for sample in (1, 10)}
        print("| through the product, 0 -> .3, one row in | median | worst | pair named |\n|---|---|---|---|")
        for sample, row in raw["replay"].items():
            print(f"| {sample} | {row['median']:,.0f} | {row['worst']:,.0f} | {row['named']:.0%} |")
    else:
        raw["ns_a_row"], raw["quiet"], raw["delays"], raw["joint"] = cost(), {}, {}, {}
        print("counting 20 numbers, ns a row:", ", ".join(f"pairs {name}: {ns}" for name, ns in raw["ns_a_row"].items()), "\n")
        print("| 0 -> | one row in | median | worst | pair named |\n|---|---|---|---|---|")
        for correlation, sample in itertools.product(PROTOTYPE, (1, 10)):
            row = summary(delays(independent, linked(correlation), sample, 20_000 * sample, "f0 × f1"))
            raw["delays"][f"{correlation}/{sample}"] = row
            print(f"| {correlation} | {sample} | {row['median']:,.0f} | {row['worst']:,.0f} | {row['named']:.0%} |", flush=True)
        print("\n| joint distance | median | worst | it alone named |\n|---|---|---|---|")
        for name, (before, behind) in JOINT.items():
            raw["joint"][name] = row = summary(delays(before, behind, 1, 20_000, "(joint distance)"))
            print(f"| {name} | {row['median']:,.0f} | {row['worst']:,.0f} | {row['named']:.0%} |", flush=True)
        print("\n| no change | rows | alarms |\n|---|---|---|")
        for name, draw, size in QUIET:
            opened = 0
            for seed in range(QUIET_REFERENCES):
                rng = np.random.default_rng([seed, size])
                reference = reference_of(draw(rng, size), joint=True)
                opened += sum(event.status == "opened" for _, event in events(reference, draw, rng, QUIET_ROWS // QUIET_REFERENCES))
            raw["quiet"][name] = opened
            print(f"| {name} | {QUIET_ROWS:,} | {opened} |", flush=True)
    raw["machine"] = {**machine(), "cpu_seconds": round(time.process_time() - began)}
    (RESULTS / ("pairs_replay.json" if "--replay" in arguments else "pairs.json")).write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
