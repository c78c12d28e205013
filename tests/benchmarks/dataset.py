"""What the data of a job cost: ``python -m tests.benchmarks.dataset [ROWS]``, two million unless said.

So many predictions of one model, in four partitions, and a label for each, an hour behind; `wait` is longer than the whole, so that all of
them wait at once. They lie in an embedded log; the set is built by a process of its own, whose memory is what is told: at its beginning,
and at the most. Prints a table, and keeps the raw figures in ``tests/benchmarks/results/dataset.json``.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.dataset.build import build
from driftbus.consumers.dataset.verify import verify
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.retrain import RetrainRequest

from ..dataset.asked import request, sources
from ..streaming import BEGINNING, configuration, prepare, reference
from .world import RESULTS, machine, table

ROWS, PARTITIONS = 2_000_000, 4
#: Records that are published at once; ms from a row to the next, and to its label.
_BATCH, _STEP, _DELAY = 20_000, 100, 3_600_000


def settings(folder: Path) -> Configuration:
    """Of one model with labels."""
    labels = {"known": {"topics": ["labels"], "wait": "30d", "early": "1h"}}
    files = {"embedded": str(folder / "bus.sqlite"), "artifacts": str(folder / "artifacts")}
    return configuration(labels=labels, models={"m0": {"labels": "known"}}, **files)


def written(folder: Path, rows: int) -> None:
    """The log."""
    draw, chosen = np.random.default_rng(0), settings(folder)
    with closing(open_bus(chosen)) as bus:
        bus.create("labels", PARTITIONS)
        prepare(bus, chosen, [reference("m0")], PARTITIONS)
        for start in range(0, rows, _BATCH):
            numbers = range(start, min(start + _BATCH, rows))
            amounts = draw.normal(size=len(numbers)).tolist()
            outputs = []
            for number, amount in zip(numbers, amounts, strict=True):
                features = {"amount": amount, "age": 18 + number % 40, "colour": ("red", "green")[number % 2]}
                message = {"id": f"request-{number:09}", "model": "m0", "version": "1", "features": features, "score": number % 97 / 97}
                label = {"id": message["id"], "label": number % 3 == 0}
                time_ms = BEGINNING + number * _STEP
                outputs.append(Output("scored", number % PARTITIONS, None, msgspec.json.encode(message), (), time_ms))
                outputs.append(Output("labels", number % PARTITIONS, None, msgspec.json.encode(label), (), time_ms + _DELAY))
            bus.publish(outputs)
        asked = request("m0", BEGINNING + rows * _STEP + _DELAY, sources=sources(bus, chosen, "m0"))
    (folder / "request.json").write_bytes(asked.encoded())


def measured(folder: Path) -> dict[str, float]:
    """In a process of its own."""
    asked = RetrainRequest.decoded((folder / "request.json").read_bytes())
    before, began, worked = _most(), time.perf_counter(), time.process_time()
    with closing(open_bus(settings(folder))) as bus:
        manifest = build(bus, settings(folder), asked, folder / "data").manifest
    built, cpu, most = time.perf_counter() - began, time.process_time() - worked, _most()
    verify(folder / "data")
    verified = time.perf_counter() - began - built
    size = sum(part.bytes for part in manifest.parts)
    rows = manifest.rows
    return {
        "taken": rows.taken, "written": rows.written, "parts": len(manifest.parts), "bytes": size, "before_mb": before, "most_mb": most,
        "bytes_a_row": (most - before) * 1e6 / max(rows.taken, 1), "build_s": built, "cpu_s": cpu, "verify_s": verified,
    }  # fmt: skip


def _most() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _told(one: dict[str, float]) -> list[str]:
    seconds = (f"{one[name]:.1f}" for name in ("build_s", "cpu_s", "verify_s"))
    memory = (f"{one[name]:.0f}" for name in ("before_mb", "most_mb", "bytes_a_row"))
    return [f"{one['written']:,}", f"{one['parts']}", f"{one['bytes'] / 1e6:.1f}", *seconds, *memory]


def main() -> None:
    """Write a log, and build from it."""
    if sys.argv[1:2] == ["--in"]:
        print(json.dumps(measured(Path(sys.argv[2]))))
        return
    rows, results = int(sys.argv[1]) if sys.argv[1:] else ROWS, []
    for count in (rows // 10, rows):
        with tempfile.TemporaryDirectory() as folder:
            written(Path(folder), count)
            said = subprocess.run([sys.executable, "-m", __spec__.name, "--in", folder], stdout=subprocess.PIPE, check=True).stdout
        results.append(json.loads(said))
        print(results[-1], flush=True)
    head = "rows", "parts", "MB", "s to build", "of one core", "s to verify", "MB before", "MB at most", "bytes a row"
    print(table(head, [_told(one) for one in results]))
    (RESULTS / "dataset.json").write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
