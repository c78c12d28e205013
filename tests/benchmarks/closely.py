"""What it costs the profiler to look closely: ``python -m tests.benchmarks.closely [ROUNDS] [ROWS]``.

Rows are cut, decoded and counted, and their panes written, in one process and without a broker, whose part would make the share smaller: in
turn with the diagnosis off and on, at each length of panes, with every row looked at, and at the sample of a fast stream. Counted is
processor time, each time against what it took without just before or after. Raw figures: ``results/closely.json``.
"""

import gc
import json
import statistics
import sys
import tempfile
import time
from contextlib import closing
from typing import NamedTuple

import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.profiler.reader import MOST_RECORDS
from driftbus.consumers.profiler.tally import Tally
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.holding import HeldReferences
from driftbus.consumers.streams.cut import CutState, Rules, cut
from driftbus.consumers.streams.records import Records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.progress import InputPartition
from driftbus.schemas.stored.reference import Reference

from .messages import MAPPING, messages, reference
from .world import BEGINNING, RESULTS, STREAM, machine, prepare, settings, table

ROUNDS, ROWS, DISTINCT = 15, 200_000, 20_000
_PLACE = InputPartition(topic="scored", topic_id="-", partition=0)


class Case(NamedTuple):
    """How long panes are, at a row a ms, and how fast the reference was, in rows per second; 0: it has no times."""

    pane: str
    rate: int

    @property
    def profile(self) -> Reference:
        """The reference."""
        found = reference()
        return found.model_copy(update={"first": 0, "last": found.rows * 1000 // self.rate}) if self.rate else found


#: A run has 50,000 rows at most, so the longest panes have as many.
CASES = tuple(Case(pane, rate) for pane in ("1m", "10s", "1s") for rate in (0, 1_000))


class Measured(NamedTuple):
    """Of one run."""

    ns_a_row: float
    bytes_a_pane: float


class Counted:
    """Cases, on or off, prepared: what a start costs is not counted."""

    def __init__(self, folder: str) -> None:
        payloads = list(messages(DISTINCT))
        self._values = [payloads[row % DISTINCT] for row in range(MOST_RECORDS)]
        self._folder = folder

    def held(self, case: Case, diagnosis: str | None) -> tuple[Configuration, HeldReferences]:
        """What a profiler is given."""
        model = {"fraud": {"diagnosis": diagnosis}}
        chosen = Configuration.model_validate(settings("", self._folder, "scored", stream={"pane": case.pane}, models=model))
        with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
            prepare(bus, chosen, [case.profile])
            held = HeldReferences(bus, chosen, ArtifactStore(chosen.artifacts))
        held.monitored(case.profile.name)
        return chosen, held

    def once(self, chosen: Configuration, held: HeldReferences, rows: int) -> Measured:
        """Count so many rows."""
        rules = Rules.of(chosen.streams[STREAM])
        tally, state, sizes = Tally(STREAM, _PLACE, JSONDecoder(MAPPING), held, rules.buckets), CutState(), list[int]()
        gc.collect()
        began = time.process_time()
        for start in range(0, rows, MOST_RECORDS):
            some = self._values[: rows - start]
            offsets = np.arange(start, start + len(some))
            records = Records(offsets, BEGINNING + offsets, np.zeros(len(some), dtype=bool), some, lambda: (), lambda: ())
            state, items, _ = cut(rules, state, records.offsets, records.timestamps, records.ends)
            for run in tally.add(records, items):
                sizes += [len(value) for pane in run.panes for _, value in pane.split()]
        return Measured((time.process_time() - began) / rows * 1e9, statistics.mean(sizes))


def main(rounds: int = ROUNDS, rows: int = ROWS) -> None:
    """Measure, print and write down."""
    lines, raw = [], []
    with tempfile.TemporaryDirectory() as folder:
        counted = Counted(folder)
        for case in CASES:
            both = {one: counted.held(case, one) for one in ("off", None)}
            found: dict[str | None, list[Measured]] = {one: [] for one in both}
            for number in range(rounds):
                for one in both if number % 2 else reversed(both):
                    found[one].append(counted.once(*both[one], rows))
            off, on = found["off"], found[None]
            ratios = [own.ns_a_row / without.ns_a_row for own, without in zip(on, off, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            took = (f"{statistics.median(one.ns_a_row for one in each):,.0f}" for each in (off, on))
            size = (f"{each[0].bytes_a_pane:,.0f}" for each in (off, on))
            looked = f"1 in {both[None][1].monitored(case.profile.name).one_in}"
            lines.append((case.pane, looked, *took, f"{middle:.3f} ({low:.3f} to {high:.3f})", *size))
            raw.append({"case": case._asdict(), "off": off, "on": on})
    print(table(("pane", "looked at", "ns a row, off", "on", "ratio (quartiles)", "bytes a pane, off", "on"), lines))
    (RESULTS / "closely.json").write_text(json.dumps({"rows": rows, "machine": machine(), "rounds": raw}, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
