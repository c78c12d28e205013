"""What a budget of one false alarm in 30 days over 20 features gives: ``python -m tests.benchmarks.user_table [replay|year]``.

Buckets of 10 s, references of 10,000 rows of N(0, 1) built by the product, a change in one feature from a bucket's start on: seconds to
the end of the bucket that opens the episode. With ``replay``: one row a second from a file through the whole product, each run a model.
With ``year``: five references, a year of quiet traffic at one row a second each. Raw figures: ``results/user_table.json``,
``user_replay.json``, ``quiet_year.json``.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from scipy import special

from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.replay.picture import moment
from driftbus.detectors.episodes.step import Suite
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import NumericProfile

from .folding import Columns, Counts, Detectors, Draw, check, compiled, full

FEATURES, REFERENCE_ROWS, SECONDS = 20, 10_000, 10
REFERENCES, RUNS = 20, 10
#: References of the quiet year.
YEARS = 5
YEAR = 365 * 86_400
#: Buckets before the change, in which evidence settles.
QUIET = 300
#: Mean and standard deviation behind a change.
CHANGES = {".1 sd": (0.1, 1.0), ".25 sd": (0.25, 1.0), ".5 sd": (0.5, 1.0), "1 sd": (1.0, 1.0), "variance x1.5": (0.0, 1.5**0.5)}
#: Medians in seconds by rows per second and change, as the design has them.
DESIGN = {
    1: {".25 sd": 730, ".5 sd": 180, "1 sd": 50, "variance x1.5": 730},
    10: {".25 sd": 90, ".5 sd": 20, "1 sd": 10, "variance x1.5": 90},
    100: {".1 sd": 105, ".25 sd": 10, ".5 sd": 10, "1 sd": 10, "variance x1.5": 10},
}
#: Of the model that is replayed, each with a reference and a stream of its own.
VERSIONS = 21
BEGINNING = 1_700_000_000_000
CONFIGURATION = """\
application: user
bus: embedded
streams:
  rows: {{topics: [rows], pane: 10s, clock: record, grace: 0}}
models:
  user:
    reference: {{file: "{folder}/reference.parquet", time: time, version: version}}
    false_alarms: 1 per 30d
"""
RESULTS = Path(__file__).parent / "results"


def built(rng: np.random.Generator, rate: int) -> Suite:
    """The tests of a fresh reference, whose rows came at this rate."""
    columns = {f"f{place:02}": rng.normal(size=REFERENCE_ROWS) for place in range(FEATURES)}
    source = Columns(columns, np.arange(REFERENCE_ROWS) * 1000 // rate)
    settings = Model.model_validate({"false_alarms": "1 per 30d"})
    return compiled(build_reference(source, "user", "1", settings), settings)


class Traffic:
    """Panes of the twenty features of one reference; the first may have another law."""

    def __init__(self, tests: Suite) -> None:
        self._tests = tests
        self._profiles = {
            signal.name: signal.profile
            for signal in tests.layout.signals
            if signal.of == "values" and isinstance(signal.profile, NumericProfile)
        }
        self._quiet = {name: _law(profile, 0.0, 1.0) for name, profile in self._profiles.items()}

    def panes(self, rng: np.random.Generator, rows: int, panes: int, change: tuple[float, float] | None = None) -> Counts:
        laws = dict(self._quiet)
        if change is not None:
            laws["f00"] = _law(self._profiles["f00"], *change)
        return full(self._tests, {name: law.panes(rng, rows, panes) for name, law in laws.items()}, rows)


def _law(profile: NumericProfile, mean: float, sd: float) -> Draw:
    ends = np.concatenate(([-np.inf], profile.edges, [np.inf]))
    shares = np.bincount(profile.bin_of, weights=np.diff(special.ndtr((ends - mean) / sd)), minlength=len(profile.counts))
    return Draw(shares.astype(np.float64))


def delays(rate: int, change: str) -> list[int]:
    """Seconds to the alarm, of every run; runs that alarm before the change are left out."""
    rng = np.random.default_rng([rate, list(CHANGES).index(change)])
    rows, found = rate * SECONDS, list[int]()
    tests = [built(rng, rate) for _ in range(REFERENCES)]
    traffic = [Traffic(one) for one in tests]
    block = max(1, 4_000 // (RUNS * REFERENCES))
    detectors, alarmed = Detectors(tests, RUNS), np.zeros((REFERENCES, RUNS), dtype=np.bool_)
    for number in range(-QUIET, 100_000, block):
        law = CHANGES[change] if number >= 0 else None
        counts = [one.panes(rng, rows, RUNS * block, law).reshape(RUNS, block, -1) for one in traffic]
        if number == -QUIET:
            check(tests[0], counts[0][0], rows, SECONDS)
        for place, alarms in enumerate(detectors.fold(counts, SECONDS)):
            new = int((alarms & ~alarmed).sum())
            alarmed |= alarms
            found += [(number + place + 1) * SECONDS] * new
        if alarmed.all():
            break
    return [delay for delay in found if delay > 0]


def table() -> None:
    """Print it beside the design's, and keep the raw figures."""
    print("| rows/s | change | median | design | 10 to 90 % | runs |\n|---|---|---|---|---|---|")
    results = []
    for rate, of in DESIGN.items():
        for change, design in of.items():
            seconds = delays(rate, change)
            median, low, high = (float(np.quantile(seconds, q)) for q in (0.5, 0.1, 0.9))
            print(f"| {rate} | {change} | {median:.0f} s | {design} s | {low:.0f} to {high:.0f} s | {len(seconds)} |", flush=True)
            results.append({"rate": rate, "change": change, "median": median, "design": design, "seconds": seconds})
    _kept("user_table", results)


def replayed(change: str, folder: Path) -> list[int]:
    """Seconds from the change to the end of the bucket that opened an episode, by version: a file in, the file of events out."""
    rng = np.random.default_rng([7, list(CHANGES).index(change)])
    quiet, rows = QUIET * SECONDS, (QUIET + 4 * DESIGN[1][change] // SECONDS) * SECONDS
    mean, sd = CHANGES[change]
    for name, first, length in (("reference", 0, REFERENCE_ROWS), ("stream", REFERENCE_ROWS, rows)):
        values = rng.normal(size=(FEATURES, VERSIONS, length))
        if name == "stream":
            values[0, :, quiet:] = mean + sd * values[0, :, quiet:]
        columns = {f"f{place:02}": column.ravel() for place, column in enumerate(values)}
        columns["time"] = np.tile(BEGINNING + 1000 * np.arange(first, first + length), VERSIONS)
        columns["version"] = np.repeat(np.arange(VERSIONS), length)
        listed = ", ".join("version::varchar as version" if name == "version" else name for name in columns)
        with duckdb.connect() as sql:
            sql.register("held", columns)
            sql.execute(f"copy (select {listed} from held) to '{folder}/{name}.parquet'")
    configuration = folder / "driftbus.yaml"
    configuration.write_text(CONFIGURATION.format(folder=folder))
    command = ["replay", f"{folder}/stream.parquet", "--config", str(configuration), "--events", f"{folder}/events.jsonl"]
    subprocess.run([sys.executable, "-c", "from driftbus.consumers.command.main import main; main()", *command], check=True)
    changed = BEGINNING + (REFERENCE_ROWS + quiet) * 1000
    opened = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    ends = {each["version"]: moment(each["bucket"][1]) for each in reversed(opened) if each.get("status") == "opened"}
    return sorted(round((end.timestamp() * 1000 - changed) / 1000) for end in ends.values())


def replays() -> None:
    """Print the first rows of the table again, through the whole product."""
    results = []
    for change, design in DESIGN[1].items():
        with TemporaryDirectory() as folder:
            seconds = replayed(change, Path(folder))
        results.append({"rate": 1, "change": change, "design": design, "versions": VERSIONS, "seconds": seconds})
        print(f"| 1 | {change} | {np.median(seconds):.0f} s | {design} s | {len(seconds)} of {VERSIONS} |", flush=True)
    _kept("user_replay", results)


def year() -> None:
    """Fold a quiet year into five references at a row a second."""
    rng, began = np.random.default_rng(365), time.perf_counter()
    tests = [built(rng, 1) for _ in range(YEARS)]
    traffic = [Traffic(one) for one in tests]
    detectors, alarms = Detectors(tests), np.zeros(YEARS, dtype=np.int64)
    block = 1_000
    for first in range(0, YEAR // SECONDS, block):
        counts = [one.panes(rng, SECONDS, block)[None] for one in traffic]
        if not first:
            check(tests[0], counts[0][0], SECONDS, SECONDS)
        for alarm in detectors.fold(counts, SECONDS):
            alarms += alarm[:, 0]
        if first % 100_000 == 0:
            print(f"{first * SECONDS / 86_400:.0f} days, {time.perf_counter() - began:.0f} s, {alarms.sum()} alarms", flush=True)
    _kept("quiet_year", {"seconds": YEAR, "alarms": alarms.tolist(), "took": time.perf_counter() - began})
    print(f"false alarms in a year, by reference: {alarms.tolist()}")


def _kept(name: str, results: object) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    {"table": table, "replay": replays, "year": year}[sys.argv[1] if len(sys.argv) > 1 else "table"]()
