"""How often a version that is no better than its parent is promoted, or one that is no worse rolled back; and how soon a better one is.

``python -m tests.benchmarks.promotion --runs 300``: worlds of the learner's benchmark, 200 rows a day, looked at every day from the 21st
to the 63rd, when a version is refused. No bus.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.actions.evidence import proof
from driftbus.detectors.actions.versions import Pair
from driftbus.detectors.outcomes.versus import Gains, sums
from driftbus.schemas.configuration import Promotion

from ..detectors.learning.streams import ROWS, advantages

DAY = 86_400_000
SETTINGS = Promotion()
SHADOW, EXPIRES = SETTINGS.shadow // DAY, SETTINGS.expires // DAY
RESULT = Path(__file__).parent / "results" / "promotion.json"
WORLDS = {
    "independent": (0.0, 0.0),
    "days of their own": (0.3, 0.0),
    "days that follow one another": (0.3, 0.8),
    "strongly": (0.6, 0.9),
}


def won(found: NDArray[np.float64]) -> float:
    """The day on which it is promoted."""
    pair = Pair(DAY, 0)
    for day, rows in enumerate(found.reshape(-1, ROWS)):
        pair.days[day * DAY] = sums(Gains(rows, rows)).tolist()
        if day + 1 >= SHADOW:
            seen = proof(pair, [], 0, (day + 1) * DAY, turned=False)
            if seen.evidence is not None and seen.gained is not None and seen.evidence >= SETTINGS.evidence and seen.gained >= 0:
                return day + 1
    return math.inf


def main() -> None:
    """Play, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    equal = {name: [won(one) for one in advantages(7, runs, EXPIRES, *own, 0.0)] for name, own in WORLDS.items()}
    better = {
        f"{part} {name}": [won(one) for one in advantages(8, max(runs // 5, 1), EXPIRES, *WORLDS[name], part)]
        for part in (0.03, 0.08, 0.15)
        for name in ("independent", "days that follow one another")
    }
    result = {
        "runs": runs,
        "equal, promoted": {name: round(float(np.mean(np.isfinite(days))), 4) for name, days in equal.items()},
        "better by this part, promoted": {name: round(float(np.mean(np.isfinite(days))), 4) for name, days in better.items()},
        "better by this part, median day": {name: str(np.median(days)) for name, days in better.items()},
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
