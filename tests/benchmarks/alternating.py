"""This checkout against another one: ``python -m tests.benchmarks.alternating OTHER [PAIRS] [ROWS]``, 12 pairs of 400,000 rows unless said.

The full profiler of either reads the same topic of a real Kafka, in a process of its own, in turn (A B, B A, ...), so that a machine whose
speed drifts drifts for both. Counted is the processor time of the working thread. OTHER is the folder of a checkout with a ``.venv``.
"""

import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scipy.stats import binom

from .messages import messages
from .world import RESULTS, ROOT, fill, input_topic, kafka, machine

PAIRS, ROWS = 12, 400_000
DISTINCT = 20_000
#: Both checkouts run it, with their own benchmarks' rung and their own product.
_CODE = """
import sys, tempfile
from tests.benchmarks.ladder import Rung
from tests.benchmarks.messages import reference
address, topic, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
with tempfile.TemporaryDirectory() as folder:
    print(Rung(address, folder, [reference()], topic).profiled(rows).processor / rows * 1e9)
"""


def ns_a_row(checkout: Path, address: str, topic: str, rows: int) -> float:
    """One run of a checkout's profiler."""
    command = [str(checkout / ".venv/bin/python"), "-c", _CODE, address, topic, str(rows)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"{checkout}: {done.stderr.strip()[-1000:]}")
    return float(done.stdout.split()[-1])


def interval(ratios: Sequence[float], level: float = 0.9) -> tuple[float, float]:
    """Of their median, by order statistics (Conover, Practical Nonparametric Statistics, 3.2): no law of the ratios is assumed.

    >>> interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    (2.0, 7.0)
    """
    ordered, n = sorted(ratios), len(ratios)
    place = max(int(binom.ppf((1 - level) / 2, n, 0.5)), 1)
    return ordered[place - 1], ordered[n - place]


def main(other: Path, pairs: int, rows: int) -> None:
    """Measure, print, and keep the raw figures."""
    here, found = ROOT, list[tuple[float, float]]()
    with kafka() as address, input_topic(address) as topic:
        payloads = list(itertools.islice(messages(DISTINCT), DISTINCT))
        fill(address, topic, rows, lambda row: payloads[row % DISTINCT])
        for number in range(pairs):
            order = (here, other) if number % 2 == 0 else (other, here)
            took = {checkout: ns_a_row(checkout, address, topic, rows) for checkout in order}
            found.append((took[here], took[other]))
            print(
                f"{number + 1:>3}  here {took[here]:7,.0f}  other {took[other]:7,.0f} ns a row  {took[here] / took[other]:.3f}", flush=True
            )
    ratios = [new / old for new, old in found]
    low, high = interval(ratios)
    print(f"median ratio {statistics.median(ratios):.3f}, 90 % interval {low:.3f} to {high:.3f}, {pairs} pairs of {rows:,} rows")
    raw = {"machine": machine(), "rows": rows, "ns_a_row": found, "median_ratio": statistics.median(ratios), "interval": [low, high]}
    (RESULTS / "alternating.json").write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    numbers = [int(text.replace(",", "").replace("_", "")) for text in arguments[1:]]
    main(Path(arguments[0]).resolve(), *(numbers + [PAIRS, ROWS][len(numbers) :]))
