"""What a screen and a diagnosis cost, in processor time on one thread: ``python -m tests.benchmarks.diagnosis [--features 20]``.

A made world of so many features (every fifth categorical), 24 windows of the baseline and 24 of 500 rows each, their outcomes grouped:
where all is well, where one feature is null, and where all features shift at once. The newest window is counted in every run, as it is
when a run has a new one; all others are remembered.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from driftbus.detectors.diagnosis.engine import diagnose, screen
from driftbus.detectors.diagnosis.evidence import Case
from driftbus.detectors.diagnosis.groups import Layout
from driftbus.detectors.diagnosis.thresholds import DEFAULTS, Thresholds

from ..incidents.counted import Reference, case_of
from ..incidents.rows import WINDOWS, Column, Incident, Rows, Table, Trained

Floats = NDArray[np.float64]

ROWS, TRAINED, BASE, RUNS = 500, 5_000, 24, 100
#: Features that have groups among outcomes, at most.
GROUPED = 24


def columns(features: int, rows: int, draw: np.random.Generator, shift: float = 0.0) -> dict[str, Column]:
    """Features that hang together."""
    hidden = draw.normal(shift, 1, rows)
    found: dict[str, Column] = {}
    for number in range(features):
        values = 0.6 * hidden + draw.normal(0, 1, rows)
        if number % 5 == 4:
            found[f"f{number}"] = np.array(["a", "b", "c", "d"], dtype=object)[np.digitize(values, [-1, 0, 1])]
        else:
            found[f"f{number}"] = np.exp(values) if number % 2 else values
    return found


def score(of: dict[str, Column]) -> Floats:
    """Of the first feature."""
    return np.asarray(1 / (1 + np.exp(-np.nan_to_num(np.asarray(of["f0"], dtype=np.float64)))), dtype=np.float64)


def made(features: int, change: Callable[[dict[str, Column], np.random.Generator], None], shift: float = 0.0) -> Case:
    """From the eighth window on something happens."""
    draw = np.random.default_rng(1)
    training = columns(features, TRAINED, draw)
    numeric = [name for name, column in training.items() if column.dtype != object]
    sources = {name: f"s{number // 4}" for number, name in enumerate(training)}
    table = Table("made", True, training, np.zeros(TRAINED), numeric, sources, [], np.zeros(TRAINED, dtype=np.int64))
    trained = Trained(table, np.arange(TRAINED), score(training))
    rows = []
    for number in range(-BASE, WINDOWS):
        served = columns(features, ROWS, draw, shift if number >= 8 else 0.0)
        offline = {name: column.copy() for name, column in served.items()}
        outcomes = (draw.random(ROWS) < score(served)).astype(np.float64)
        if number >= 8:
            change(served, draw)
        ages = {name: draw.gamma(4, 5, ROWS) for name in served}
        rows.append(Rows(number, served, score(served), {}, outcomes, ages, np.arange(ROWS), offline))
    return case_of(Incident({}, trained, rows, [], [], []), Reference(trained))


def absent(served: dict[str, Column], draw: np.random.Generator) -> None:
    """One feature, in half of the rows."""
    served["f1"] = np.where(draw.random(ROWS) < 0.5, np.nan, np.asarray(served["f1"], dtype=np.float64))


def milliseconds(of: Callable[[Case, Thresholds, Layout], object], case: Case, layout: Layout) -> tuple[float, float]:
    """The median of some runs, and the least."""
    spent = []
    for _ in range(RUNS):
        case.monitored[-1].counted = None
        began = time.process_time()
        of(case, DEFAULTS, layout)
        spent.append(time.process_time() - began)
    return 1000 * float(np.median(spent)), 1000 * min(spent)


def main() -> None:
    """Print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, default=20)
    asked = parser.parse_args()
    with threadpool_limits(1):
        for name, change, shift in (("all is well", lambda *_: None, 0.0), ("one null", absent, 0.0), ("all shift", lambda *_: None, 0.7)):
            case = made(asked.features, change, shift)
            told, layout = sorted({one.cause for one in diagnose(case).findings}), Layout(case.fields)
            (median, least), (whole, least_whole) = (milliseconds(of, case, layout) for of in (screen, diagnose))
            print(f"{name:12} screen {median:5.2f} ms (least {least:.2f})  diagnosis {whole:5.1f} ms (least {least_whole:.1f})  {told}")


if __name__ == "__main__":
    main()
