"""How often the product cries wolf while nothing changes: ``python -m tests.benchmarks.quiet [large]``.

Every reference is built by the product from 10,000 rows in the order of time. Then panes of the same law are folded in, with a
restart after each alarm. ARL is rows per false alarm; the budget allows one in N rows. Raw figures: ``results/quiet*.json``.
"""

import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.signal import lfilter

from driftbus.consumers.reference.building.build import build_reference
from driftbus.schemas.configuration import Model
from driftbus.schemas.stored.reference import NumericProfile, Reference

from .folding import Columns, Counts, Detectors, Draw, Floats, check, compiled, full, tallied

REFERENCE_ROWS = 10_000
REFERENCES = 20
PANES = (50, 200, 1_000)
BUDGETS = (10_000, 1_000_000)
LARGE, LARGE_PANE = 100_000_000, 10_000
#: Rows of each reference, in budgets: 100 over all of them, or more. Dependent rows are made one by one: at the largest budget 20.
BUDGETS_EACH = {10_000: 50, 1_000_000: 5, LARGE: 5}
#: Values of dependent streams are multiples of it, so that a table finds their bins: 1 / 256 sd.
GRID, _HALF = 256, 4096
BLOCK_ROWS = 400_000

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Independent:
    """Rows that know nothing of each other."""

    name: str
    draw: Callable[[np.random.Generator, int], Floats]
    below: Callable[[Floats], Floats]  #: P(X < x)
    period: int = 1_000  #: rows that come in a day

    def reference_rows(self, rng: np.random.Generator, rows: int = REFERENCE_ROWS) -> Floats:
        return self.draw(rng, rows)

    def panes(self, rng: np.random.Generator, profile: NumericProfile, streams: int, rows: int) -> Iterator[Counts]:
        """Blocks of counts [stream, pane, bin], without end."""
        ends = np.concatenate(([0.0], self.below(np.array(profile.edges)), [1.0]))
        law = Draw(np.bincount(profile.bin_of, weights=np.diff(ends), minlength=len(profile.counts)).astype(np.float64))
        number = max(1, BLOCK_ROWS // (rows * streams))
        while True:
            yield law.panes(rng, rows, streams * number).reshape(streams, number, -1)


@dataclass(frozen=True)
class Dependent:
    """An autoregression around a sine: x_t = phi x_{t-1} + e_t, of variance 1, plus amplitude sin(2 pi t / period)."""

    name: str
    phi: float = 0.0
    amplitude: float = 0.0
    period: int = 1_000  #: rows that come in a day

    def rows(self, rng: np.random.Generator, streams: int, rows: int) -> Iterator[NDArray[np.int16]]:
        """Blocks of rows [stream, row] on the grid; the streams begin at random times of the cycle."""
        scale = np.float32(math.sqrt(1 - self.phi**2))
        state = rng.standard_normal((streams, 1), dtype=np.float32) * np.float32(self.phi)
        if self.amplitude:
            season = self.amplitude * np.sin(2 * np.pi * np.arange(self.period + rows) / self.period).astype(np.float32)
            phase = rng.integers(0, self.period, streams)
        while True:
            x = rng.standard_normal((streams, rows), dtype=np.float32) * scale
            if self.phi:
                x, last = lfilter(np.ones(1, dtype=np.float32), np.array([1.0, -self.phi], dtype=np.float32), x, zi=state)
                state = np.asarray(last)
            if self.amplitude:
                for stream in range(streams):
                    x[stream] += season[phase[stream] : phase[stream] + rows]
                phase = (phase + rows) % self.period
            yield np.clip(np.rint(x * GRID), -_HALF, _HALF - 1).astype(np.int16)

    def reference_rows(self, rng: np.random.Generator, rows: int = REFERENCE_ROWS) -> Floats:
        return np.asarray(next(self.rows(rng, 1, rows))[0] / GRID, dtype=np.float64)

    def panes(self, rng: np.random.Generator, profile: NumericProfile, streams: int, rows: int) -> Iterator[Counts]:
        grid = np.arange(-_HALF, _HALF) / GRID
        places = np.array(profile.bin_of)[np.searchsorted(profile.edges, grid, side="right")]
        number = max(1, BLOCK_ROWS // (rows * streams))
        for block in self.rows(rng, streams, rows * number):
            counts = tallied(places[block.astype(np.int64) + _HALF].reshape(-1, rows), len(profile.counts))
            yield counts.reshape(streams, number, -1)


def _zero_inflated(rng: np.random.Generator, rows: int) -> Floats:
    return np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(size=rows))


def _below_zero_inflated(x: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.where(x > 0, 0.7 + 0.3 * special.ndtr(np.log(np.maximum(x, 0))), 0.0)


KINDS: tuple[Independent | Dependent, ...] = (
    Independent("normal", lambda rng, n: rng.normal(size=n), special.ndtr),
    Independent("Student t, 2 degrees", lambda rng, n: rng.standard_t(2, size=n), lambda x: special.stdtr(2, x)),
    Independent("Cauchy", lambda rng, n: rng.standard_cauchy(n), lambda x: special.stdtr(1, x)),
    Independent("70 % zeros, lognormal", _zero_inflated, _below_zero_inflated),
    Dependent("AR(1) .5", phi=0.5),
    Dependent("day of 500 rows", amplitude=1.0, period=500),
    Dependent("day of 2,000 rows", amplitude=1.0, period=2_000),
    Dependent("day of 5,000 rows", amplitude=1.0, period=5_000),
    Dependent("day of 86,400 rows", amplitude=1.0, period=86_400),
)


def settings_of(budget_rows: int) -> Model:
    return Model.model_validate({"false_alarms": f"1 per {budget_rows} rows", "rate": 1})


def profile_in(reference: Reference) -> NumericProfile:
    (field,) = reference.fields
    assert isinstance(field.values, NumericProfile)
    return field.values


def measured(kind: Independent | Dependent, pane: int, budget_rows: int, references: int = REFERENCES) -> dict[str, object]:
    """Rows per false alarm of every reference."""
    rng = np.random.default_rng([KINDS.index(kind), pane, budget_rows])
    settings, began = settings_of(budget_rows), time.perf_counter()
    times = np.arange(REFERENCE_ROWS) * 86_400_000 // kind.period
    built = [build_reference(Columns({"x": kind.reference_rows(rng)}, times), "quiet", "1", settings) for _ in range(references)]
    tests = [compiled(reference, settings) for reference in built]
    rows_each = (1 if budget_rows == LARGE and isinstance(kind, Dependent) else BUDGETS_EACH[budget_rows]) * budget_rows
    streams = max(1, min(20, 2_000_000 // budget_rows, rows_each // (4 * budget_rows)))
    feeds = [kind.panes(rng, profile_in(reference), streams, pane) for reference in built]
    detectors, alarms, rows, checked = Detectors(tests, streams), np.zeros(references, dtype=np.int64), 0, 0
    while rows < rows_each:
        counts = [full(one, {"x": next(feed)}, pane) for one, feed in zip(tests, feeds, strict=True)]
        if not checked:
            checked = check(tests[0], counts[0][0][:200], pane, float(pane))
        for alarm in detectors.fold(counts, float(pane)):
            alarms += alarm.sum(axis=1)
        rows += counts[0].shape[1] * streams * pane
    taus = np.array([profile_in(reference).tau for reference in built])
    return {
        "stream": kind.name,
        "pane": pane,
        "budget": budget_rows,
        "rows_each": rows,
        "alarms": alarms.tolist(),
        "arl": rows * references / max(int(alarms.sum()), 1) / budget_rows,
        "worst": rows / max(int(alarms.max()), 1) / budget_rows,
        "tau": np.median(taus, axis=0).round(1).tolist(),
        "warned": sum(bool(reference.warnings) for reference in built),
        "warnings": sorted({warning for reference in built for warning in reference.warnings})[:3],
        "checked": checked,
        "seconds": round(time.perf_counter() - began, 1),
    }


def shown(one: dict[str, object]) -> str:
    """A line of the table; ARLs in budgets, "> " where there was no alarm."""
    alarms = one["alarms"]
    assert isinstance(alarms, list)
    arl, worst = (f"{'' if any(alarms) else '> '}{one[key]:.3g}" for key in ("arl", "worst"))
    row = (
        one["stream"],
        f"{one['pane']:,}",
        f"{one['budget']:,}",
        arl,
        worst,
        sum(alarms),
        f"{one['warned']} of {len(alarms)}",
        one["tau"],
    )
    return f"| {' | '.join(map(str, row))} |"


def main(what: str) -> None:
    """Print the table, and keep the raw figures."""
    cells = list(itertools.product(KINDS, PANES, BUDGETS))
    if what == "large":
        cells = [(kind, LARGE_PANE, LARGE) for kind in KINDS]
    print("| stream | pane | N | ARL / N | of the worst reference | alarms | warned | tau |\n|---|---|---|---|---|---|---|---|")
    results = []
    for kind, pane, budget_rows in cells:
        results.append(measured(kind, pane, budget_rows))
        print(shown(results[-1]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"quiet{'_large' if what == 'large' else ''}.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
