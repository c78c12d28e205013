"""Queries unlike the training data: false alarms and delays of the lane `ood`, on p-values whose calibration is itself a draw.

    python -m tests.benchmarks.ood [--out FILE]

A calibration of m known queries makes the share of further known ones that it flags at a level an order statistic of m uniform numbers:
drawn anew for every stream, so that unlucky ones are among them. New topics are flagged as those of a public set of intents were (.70 at
.05, .45 at .005). One false alarm is allowed in 100,000 queries, the lane has its .2 of the weight; panes of 20 queries.
"""

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.episodes.step import Bucket, start, step
from driftbus.detectors.familiarity import WIDTH, FamiliaritySettings, FamiliaritySuite
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.familiarity import LEVELS, Cells, FamiliarityProfile
from driftbus.schemas.stored.reference import Reference

PANE, BUDGET = 20, 100_000
#: Of new topics, what is flagged at .005 and at .05.
RECALL = (0.45, 0.70)
STREAMS, LONGEST = 40, 20_000
Floats = NDArray[np.float64]


class Delays(NamedTuple):
    """Of the streams of one share of new topics, in queries; one that is never told of counts as the longest."""

    median: float
    mean: float
    missed: int


def suite(cells: Cells) -> FamiliaritySuite:
    """One text field, a row a second, one false alarm in `BUDGET` rows."""
    profile = FamiliarityProfile(of="question", kind="text", index="sha256:0", rows=10_000, cells=cells)
    reference = Reference(model="m", version="1", rows=10_000, first=0, last=10_000_000, fields=(), familiarity=(profile,))
    settings = FamiliaritySettings.of(reference, Model.model_validate({"false_alarms": f"1 per {BUDGET} rows", "ood": {}}))
    names = dict.fromkeys(("application", "stream", "configuration_hash", "reference_hash"), "x")
    return FamiliaritySuite(reference, settings, **names)


def cells_of(size: int) -> Cells:
    """Of a calibration of so many rows by its own thresholds."""
    far, unlike = (int(level * (size + 1)) for level in LEVELS)
    return far, unlike - far, size - unlike


def rates(draw: np.random.Generator, size: int) -> Floats:
    """The shares of known queries that a calibration of so many flags at .005 and .05."""
    known = np.sort(draw.random(size))
    return np.array([known[int(level * (size + 1)) - 1] for level in LEVELS])


def panes(draw: np.random.Generator, known: Floats, share: float, queries: int) -> NDArray[np.int64]:
    """Counts of a stream, of which a share is new: shape [panes, WIDTH]."""
    new = draw.random(queries) < share
    p = draw.random(queries)
    far, unlike = (np.where(new, RECALL[level], known[level]) for level in range(2))
    counts = np.zeros((queries // PANE, WIDTH), dtype=np.int64)
    for place, chosen in enumerate((p < far, (p >= far) & (p < unlike), p >= unlike)):
        counts[:, place] = chosen.reshape(-1, PANE).sum(axis=1)
    return counts


def alarms(tests: FamiliaritySuite, counts: NDArray[np.int64], *, first: bool) -> list[int]:
    """How many queries had been seen when an episode opened; only the ``first``."""
    state, found = start(tests, 0), list[int]()
    none = np.zeros(0, dtype=np.int64)
    for number, row in enumerate(counts, start=1):
        end = number * PANE * 1000
        bucket = Bucket(end - PANE * 1000, end, PANE, 0, row, none, True, False)
        state, events = step(tests, state, bucket)
        found += [number * PANE for event in events if event.status == "opened"]
        if first and found:
            break
    return found


def delays(size: int, share: float, seed: int) -> Delays:
    """Each stream begins with a hundred quiet panes."""
    draw, tests, found = np.random.default_rng(seed), suite(cells_of(size)), list[int]()
    for _ in range(STREAMS):
        known = rates(draw, size)
        quiet = panes(draw, known, 0.0, 100 * PANE)
        told = alarms(tests, np.concatenate((quiet, panes(draw, known, share, LONGEST))), first=True)
        found.append(min((one - 100 * PANE for one in told if one > 100 * PANE), default=LONGEST))
    return Delays(float(np.median(found)), float(np.mean(found)), sum(one >= LONGEST for one in found))


def quiet(size: int, queries: int, seed: int) -> int:
    """Alarms in so many known queries, of calibrations that are drawn for each `BUDGET` of them."""
    draw, tests = np.random.default_rng(seed), suite(cells_of(size))
    return sum(len(alarms(tests, panes(draw, rates(draw, size), 0.0, BUDGET), first=False)) for _ in range(queries // BUDGET))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quiet", type=int, default=2_000_000)
    chosen, began = parser.parse_args(), time.perf_counter()
    found: dict[str, object] = {}
    for size in (1_000, 3_000, 5_000):
        for share in (0.2, 0.05, 0.02):
            found[f"{size:,} calibration rows, {share:.0%} new"] = delays(size, share, 1)._asdict()
        found[f"{size:,} calibration rows, alarms in {chosen.quiet:,} known"] = quiet(size, chosen.quiet, 2)
    for name, value in found.items():
        print(f"{name:<45} {value}")
    print(f"{time.perf_counter() - began:.0f} s")
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
