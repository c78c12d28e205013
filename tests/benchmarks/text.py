"""Texts: what counting one costs, and how soon other texts among product reviews are found: ``python -m tests.benchmarks.text [--replay]``.

References of 2,000 reviews, panes of 20, a budget of one false alarm in 100,000 rows; 1,480 quiet rows before each change. The margin is
the widest, 4 standard errors, as where the rate is unknown, and that of this budget (1.7). With ``--replay`` the latter goes through
the product, from bytes to events. Medians and raw delays go to ``tests/benchmarks/results/text.json``.
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np

from driftbus.detectors.counting import Counting
from driftbus.detectors.episodes.step import Bucket, Suite, start, step
from driftbus.detectors.profiling.texts import TextFilling
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField, Reference

from ..real.languages import GERMAN, JAPANESE, messages
from ..real.reviews import CHANGES, QUIET, Change, drawn, sentences
from ..replaying import BEGINNING, replayed

RUNS, PANE, BUDGET = 20, 20, 100_000
WIDEST, OWN = f"1 per {BUDGET}s", f"1 per {BUDGET} rows"
RESULTS = Path(__file__).parent / "results" / "text.json"


def reference_of(texts: list[str]) -> Reference:
    """As it is built from these rows."""
    filling = TextFilling()
    filling.look(texts, [True] * len(texts))
    filling.count(texts)
    filling.follow(texts)
    there = AvailabilityProfile(counts=(len(texts), 0, 0, 0))
    field = ProfiledField(name="text", type="text", values=filling.profile(), availability=there)
    return Reference(model="m", version="1", rows=len(texts), fields=(field,))


def alarms(change: Change, seed: int, false_alarms: str) -> list[int]:
    """The rows at which an episode opens, up to the first one behind the change."""
    before, live = drawn(change, seed)
    reference = reference_of(before)
    settings = Model.model_validate({"false_alarms": false_alarms, **({"rate": 1} if false_alarms == OWN else {})})
    tests = Suite(reference, settings, application="text", stream="-", configuration_hash="-", reference_hash="-")
    counting, state, found = Counting(reference), start(tests, 0), list[int]()
    for first in range(0, len(live), PANE):
        counts, sums = counting.count(np.zeros((PANE, 0)), [Counter(live[first : first + PANE])])
        bucket = Bucket(first * 1000, (first + PANE) * 1000, PANE, 0, counts, sums, True, False)
        state, events = step(tests, state, bucket)
        found += [first + PANE for event in events if event.status == "opened"]
        if found and found[-1] > QUIET:
            break
    return found


def alarms_by_replay(change: Change, seed: int, false_alarms: str) -> list[int]:
    """The same, from bytes to events."""
    before, live = drawn(change, seed)
    with tempfile.TemporaryDirectory() as folder:
        events = replayed(Path(folder), {"text": before}, {"text": live}, pane=f"{PANE}s", false_alarms=false_alarms).events
    opened = [datetime.fromisoformat(event.bucket[1]).timestamp() for event in events if event.status == "opened"]
    return [round(time) - BEGINNING - len(before) for time in opened]


def delays(false_alarms: str, *, replay: bool = False) -> dict[str, object]:
    """By change: the rows from it to the first alarm behind it, of every run; and the alarms before."""
    find = alarms_by_replay if replay else alarms
    told: dict[str, object] = {}
    for change in CHANGES:
        runs = [find(change, seed, false_alarms) for seed in range(RUNS)]
        early = sum(row <= QUIET for rows in runs for row in rows)
        late = [next((row - QUIET for row in rows if row > QUIET), None) for rows in runs]
        median = float(np.median([np.inf if delay is None else delay for delay in late]))
        ratio = median / change.prototype
        print(
            f"  {change.share:4.0%} {change.kind:12}  median {median:5.0f} rows, {ratio:.2f} of {change.prototype}; {early} alarms before"
        )
        told[f"{change.share:.0%} {change.kind}"] = {"prototype": change.prototype, "median": median, "early": early, "delays": late}
    return told


def costs() -> dict[str, float]:
    """Microseconds of processor time to count one text, in panes of 1,000; references of 2,000."""
    products = sentences("product reviews")
    long = ["\n".join(products[first : first + 20]) for first in range(0, len(products) - 20, 20)]
    found = {}
    for name, texts in {
        "sentences": products,
        "whole reviews": long,
        "German": messages(GERMAN, 4_000, 0.0, 1),
        "Japanese": messages(JAPANESE, 4_000, 0.0, 1),
    }.items():
        counting = Counting(reference_of(texts[:2_000]))
        panes = [dict[object, int](Counter(texts[first : first + 1_000])) for first in range(0, len(texts), 1_000)]
        spent = []
        for _ in range(10):
            began = time.process_time()
            for pane in panes:
                counting.count(np.zeros((sum(pane.values()), 0)), [pane])
            spent.append((time.process_time() - began) / sum(map(len, panes)) * 1e6)
        found[name] = min(spent)
        characters = sum(map(len, texts)) / len(texts)
        print(f"  {name:14} {found[name]:6.1f} us a text of {characters:.0f} characters")
    return found


def main() -> None:
    """Print, and write."""
    result: dict[str, object] = {"python": platform.python_version(), "numpy": np.__version__, "processors": os.cpu_count(), "runs": RUNS}
    print("Counting:")
    result["us a text"] = costs()
    print("Delays, margin 4:")
    result["margin 4"] = delays(WIDEST)
    print("Delays, margin 1.7:")
    result["margin 1.7"] = delays(OWN)
    if "--replay" in sys.argv:
        print("Delays by replay, margin 1.7:")
        result["replay, margin 1.7"] = delays(OWN, replay=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
