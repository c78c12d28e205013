"""All benchmarks of the pipeline, or those named: ``python -m tests.benchmarks.run [ladder] [ladder_ood] [models] [detector] [latency]``.

Prints a table for each, and keeps the raw figures, with machine and versions, in ``tests/benchmarks/results/``. About seven minutes.
"""

import json
import os
import sys
import time

from . import detector, ladder, ladder_ood, latency, models
from .world import RESULTS, kafka, machine

BENCHMARKS = {"ladder": ladder, "ladder_ood": ladder_ood, "models": models, "detector": detector, "latency": latency}


def main(names: list[str]) -> None:
    """Run these on one broker."""
    if unknown := set(names) - BENCHMARKS.keys():
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    RESULTS.mkdir(exist_ok=True)
    with kafka() as address:
        for name in names or BENCHMARKS:
            load, began = os.getloadavg()[0], time.time()
            result = BENCHMARKS[name].measure(address)
            about = {**machine(), "load_before": round(load, 2), "seconds": round(time.time() - began)}
            (RESULTS / f"{name}.json").write_text(json.dumps({"machine": about, **result}, indent=1) + "\n")
            print(f"\n## {name}: {about}\n\n{BENCHMARKS[name].shown(result)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
