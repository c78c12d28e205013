"""How often the lane `ood` cries wolf while nothing changes, in every law of `quiet`: ``python -m tests.benchmarks.quiet_ood [year]``.

How unlike the training data rows are is itself a stream of the law: the product holds rows of a reference out, takes thresholds from
them, and measures how flags hang together. Then panes of the same law are folded in by its bets, with a restart after each alarm.
The lane has .2 of the budget: so many alarms a budget are allowed. *year*: of some laws twelve budgets of 30 days at a row a second, five
references each. Raw figures: ``results/quiet_ood*.json``.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.reference.building.familiarity import CALIBRATION, SIZE
from driftbus.detectors.familiarity import FamiliaritySettings, FamiliaritySuite
from driftbus.detectors.familiarity.known import Flags, cells, tau
from driftbus.detectors.familiarity.places import CELLS, WIDTH
from driftbus.detectors.neighbours.calibration import Calibrated
from driftbus.detectors.neighbours.distinct import split
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.familiarity import LEVELS, FamiliarityProfile
from driftbus.schemas.stored.reference import Reference

from .folding import Counts, Detectors, Draw, Floats, check
from .quiet import BLOCK_ROWS, GRID, KINDS, PANES, REFERENCES, RESULTS, Dependent, Independent

LANE = 0.2
#: Rows of the data, the budget in rows, and budgets that each reference is watched.
TABLE = ((10_000, 10_000, 50), (100_000, 10_000, 50), (10_000, 1_000_000, 1), (100_000, 1_000_000, 1))
MONTH, MONTHS, YEARS = 30 * 86_400, 12, 5
#: Of a score; the largest.
_STEPS, _MOST = 2.0**20, 2.0**52


def scores(values: Floats) -> Counts:
    """Large values are unlike the training data."""
    return -np.rint(np.clip(values * _STEPS, -_MOST, _MOST)).astype(np.int64)


class Watched:
    """A reference of one law, whose calibration is as the product takes it."""

    def __init__(self, values: Floats, budget: int) -> None:
        rows = np.arange(len(values))
        held_out = np.sort(split([row.tobytes() for row in rows], rows, size=SIZE, held_out=CALIBRATION).held_out)
        calibrated = Calibrated.of(scores(values[held_out]), None)
        #: Below them a row has p <= .005, p <= .05.
        self.thresholds = np.array([calibrated.thresholds(level)[0] for level in LEVELS])

        def flagged(chosen: Counts) -> Flags:
            return np.asarray((scores(values[chosen])[:, None] < self.thresholds).sum(axis=1), dtype=np.uint8)

        self.tau = tau(flagged, held_out, rows, timed=True)
        profile = FamiliarityProfile(of="x", kind="embedding", index="-", rows=SIZE, cells=cells(flagged(held_out)), tau=self.tau)
        reference = Reference(model="quiet", version="1", rows=len(values), first=0, last=0, fields=(), familiarity=(profile,))
        settings = FamiliaritySettings.of(reference, Model.model_validate({"false_alarms": f"1 per {budget} rows", "rate": 1, "ood": {}}))
        names = dict.fromkeys(("application", "stream", "configuration_hash", "reference_hash"), "-")
        self.tests = FamiliaritySuite(reference, settings, **names)

    def panes(self, kind: Independent | Dependent, rng: np.random.Generator, streams: int) -> Iterator[Counts]:
        """Blocks of counts [stream, pane, `WIDTH`] of the shortest panes, without end."""
        rows = min(PANES)
        number = max(1, BLOCK_ROWS // max(PANES) // streams) * max(PANES) // rows
        if isinstance(kind, Independent):
            far, unlike = 1 - kind.below(-self.thresholds / _STEPS)
            law = Draw(np.array([far, unlike - far, 1 - unlike]))
            while True:
                yield _wide(law.panes(rng, rows, streams * number).reshape(streams, number, CELLS))
        for block in kind.rows(rng, streams, rows * number):
            own = -block.astype(np.int64) * int(_STEPS / GRID)
            far, unlike = ((own < one).reshape(streams, number, rows).sum(axis=2) for one in self.thresholds)
            yield _wide(np.stack([far, unlike - far, rows - unlike], axis=2))


def _wide(counted: NDArray[np.int64]) -> Counts:
    return np.pad(counted, ((0, 0), (0, 0), (0, WIDTH - CELLS)))


def measured(kind: Independent | Dependent, size: int, budget: int, budgets: int, references: int = REFERENCES) -> list[dict[str, Any]]:
    """False alarms of every reference, the same rows in panes of each length."""
    rng, began = np.random.default_rng([KINDS.index(kind), size, budget]), time.perf_counter()
    watched = [Watched(kind.reference_rows(rng, size), budget) for _ in range(references)]
    streams = max(1, budgets // 5)
    feeds = [one.panes(kind, rng, streams) for one in watched]
    folded = {pane: Detectors([one.tests for one in watched], streams) for pane in PANES}
    alarms, rows = {pane: np.zeros(references, dtype=np.int64) for pane in PANES}, 0
    while rows < budgets * budget:
        blocks = [next(feed) for feed in feeds]
        for pane, detectors in folded.items():
            counts = [one.reshape(streams, -1, pane // min(PANES), WIDTH).sum(axis=2) for one in blocks]
            if not rows:
                check(watched[0].tests, counts[0][0][:200], pane, float(pane))
            for alarm in detectors.fold(counts, float(pane)):
                alarms[pane] += alarm.sum(axis=1)
        rows += blocks[0].shape[1] * streams * min(PANES)
    allowed = LANE * rows / budget
    return [
        {
            "stream": kind.name,
            "rows of the data": size,
            "pane": pane,
            "budget": budget,
            "rows_each": rows,
            "alarms": own.tolist(),
            "of the lane's share": round(float(own.mean()) / allowed, 3),
            "worst": round(float(own.max()) / allowed, 2),
            "tau": np.median([one.tau for one in watched], axis=0).round(1).tolist(),
            "largest tau": np.max([one.tau for one in watched], axis=0).round(1).tolist(),
            "seconds": round(time.perf_counter() - began, 1),
        }
        for pane, own in alarms.items()
    ]


def year() -> list[dict[str, Any]]:
    """Of rows that know nothing of each other, that hang together, and that follow the day."""
    kinds = [kind for kind in KINDS if kind.name in ("normal", "AR(1) .5", "day of 5,000 rows")]
    return [one for kind in kinds for one in measured(kind, 100_000, MONTH, MONTHS, YEARS)]


def table() -> list[dict[str, Any]]:
    """All laws."""
    return [one for size, budget, budgets in TABLE for kind in KINDS for one in measured(kind, size, budget, budgets)]


def main(what: str) -> None:
    """Print the table, and keep the raw figures."""
    found = year() if what == "year" else table()
    print("| stream | rows of the data | N | pane | alarms / allowed | worst reference | alarms | tau |")
    print("|---|---|---|---|---|---|---|---|")
    for one in found:
        numbers = (f"{one[key]:,}" for key in ("rows of the data", "budget", "pane"))
        row = (one["stream"], *numbers, one["of the lane's share"], one["worst"], sum(one["alarms"]), one["tau"])
        print(f"| {' | '.join(map(str, row))} |")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"quiet_ood{'_year' if what == 'year' else ''}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
