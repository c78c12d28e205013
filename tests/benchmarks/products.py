"""What sums by groups of features cost the joiner: ``python -m tests.benchmarks.products [ROUNDS] [ROWS]``.

Rows of a binary outcome get their labels, in one vector: without groups, and with those of so many features, of all rows alone or also of
those that are no outliers, here all. Counted is processor time, in turn. Raw figures: ``results/products.json``.
"""

import json
import statistics
import sys
import time
from typing import NamedTuple

import numpy as np

from driftbus.detectors.joining.rows import told
from driftbus.detectors.outcomes.counting import Counting
from driftbus.detectors.outcomes.layout import layout
from driftbus.detectors.outcomes.products import WITHIN
from driftbus.detectors.outcomes.target import Target
from driftbus.detectors.outcomes.values import NONE, UNIT
from driftbus.schemas.stored.outcomes import MOST_FEATURES, GroupedFeature, OutcomeBasis

from .world import RESULTS, machine, table

ROUNDS, ROWS, GROUPS = 15, 20_000, 5


class Case(NamedTuple):
    """What is summed."""

    features: int
    inner: bool = False


CASES = (Case(0), Case(20), Case(MOST_FEATURES), Case(MOST_FEATURES, inner=True))


class Labelled:
    """Rows with outcomes, and how they are counted."""

    def __init__(self, case: Case, rows: int) -> None:
        features = tuple(GroupedFeature(name=f"f{number}", groups=GROUPS) for number in range(case.features))
        self.layout = layout(OutcomeBasis(task="binary", features=features, inner=case.inner))
        draw = np.random.default_rng(0)
        self._rows = np.zeros(rows, told(case.features))
        self._rows["bins"] = draw.integers(0, GROUPS, (rows, case.features))
        self._rows["value"], self._rows["score"] = draw.integers(0, 2, rows), draw.integers(0, UNIT, rows)
        self._rows["flags"] = WITHIN
        self._outcomes, self._counting = draw.integers(0, 2, rows), Counting(self.layout)

    def once(self) -> float:
        """ns a row."""
        rows, size = len(self._rows), self.layout.size
        target = Target(np.zeros(size + 1, dtype=np.int64), np.zeros(rows, dtype=np.int64), size)
        began = time.process_time()
        self._counting.change(target, self._rows, np.full(rows, NONE), self._outcomes)
        return (time.process_time() - began) / rows * 1e9


def main(rounds: int = ROUNDS, rows: int = ROWS) -> None:
    """Measure, print and write down."""
    made = {case: Labelled(case, rows) for case in CASES}
    found: dict[Case, list[float]] = {case: [] for case in CASES}
    for number in range(rounds):
        for case in CASES if number % 2 else reversed(CASES):
            found[case].append(made[case].once())
    lines = []
    for case, each in found.items():
        low, middle, high = statistics.quantiles(each, n=4)
        lines.append((case.features, "yes" if case.inner else "no", made[case].layout.size, f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"))
    print(table(("features", "inner", "numbers a vector", "ns a labelled row (quartiles)"), lines))
    raw = [{**case._asdict(), "ns_a_row": list(map(round, each))} for case, each in found.items()]
    (RESULTS / "products.json").write_text(json.dumps({"rows": rows, "machine": machine(), "cases": raw}, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
