"""Whether the right signals are blamed: three of twenty features shift by 1 sd at once, after ten quiet days.

``python -m tests.benchmarks.blame`` (about ten minutes): 20 references, from the state behind ten quiet days of each ten runs; buckets of
10 s with 200 rows, one false alarm in 30 days. Told: runs in which the episode holds exactly these three within 20 buckets.
"""

import json
import platform
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from driftbus.detectors.episodes.step import Bucket, State, Suite, start, step
from driftbus.schemas.configuration import Model
from driftbus.schemas.messages.drift import DriftEvent
from driftbus.schemas.stored.reference import NumericProfile

from .arl import compiled, law

REFERENCES, RUNS, FEATURES, SHIFTED, ROWS = 20, 10, 20, ("f0", "f1", "f2"), 200
SECONDS, QUIET_DAYS, BUCKETS = 10, 10, 20
SETTINGS = Model.model_validate({"false_alarms": "1 per 30d", "rate": ROWS / SECONDS})
RESULTS = Path(__file__).parent / "results" / "blame.json"
Laws = list[tuple[slice, NDArray[np.float64]]]


def shifted(tests: Suite) -> Laws:
    """The law of every bin, with these features 1 sd up."""
    found = []
    for signal, (span, quiet) in zip(tests.layout.signals, law(tests), strict=True):
        if signal.name in SHIFTED and isinstance(signal.profile, NumericProfile):
            quiet = moved(signal.profile, 1.0)
        found.append((span, quiet))
    return found


def moved(profile: NumericProfile, mean: float) -> NDArray[np.float64]:
    """The probability of every bin under N(mean, 1)."""
    ends = np.concatenate(([-np.inf], profile.edges, [np.inf]))
    mass = np.diff(special.ndtr(ends - mean))
    return np.asarray(np.bincount(profile.bin_of, weights=mass, minlength=len(profile.counts)), dtype=np.float64)


def fold(tests: Suite, state: State, laws: Laws, first: int, buckets: int, draw: np.random.Generator) -> list[DriftEvent]:
    """So many buckets of rows under these laws."""
    found: list[DriftEvent] = []
    together = 2_000
    for begin in range(first, first + buckets, together):
        number = min(together, first + buckets - begin)
        counts = np.zeros((number, tests.layout.size), dtype=np.int64)
        for span, p in laws:
            counts[:, span] = draw.multinomial(ROWS, p, size=number)
        for place, row in enumerate(counts, start=begin):
            ends = place * SECONDS * 1000, (place + 1) * SECONDS * 1000
            found += step(tests, state, Bucket(*ends, ROWS, 0, row, np.zeros(0, dtype=np.int64), True, False))[1]
    return found


def main() -> None:
    """Measure and write the result down."""
    exact = at_opening = false = 0
    for number in range(REFERENCES):
        draw = np.random.default_rng([7, number])
        tests = compiled(draw, FEATURES, SETTINGS)
        state = start(tests, 0)
        quiet = QUIET_DAYS * 86_400 // SECONDS
        false += len(fold(tests, state, law(tests), 0, quiet, draw))
        remembered, laws = state.encoded(), shifted(tests)
        for _ in range(RUNS):
            events = fold(tests, State.decoded(remembered), laws, quiet, 2 * BUCKETS, draw)
            opened = next(event for event in events if event.status == "opened")
            last = [event for event in events if event.episode == opened.episode and _bucket(event) <= _bucket(opened) + BUCKETS][-1]
            at_opening += {signal.name for signal in opened.signals} == set(SHIFTED)
            exact += {(signal.name, signal.of) for signal in last.signals} == {(name, "values") for name in SHIFTED}
        print(f"{(number + 1) * RUNS} runs: exact {exact}, at the opening {at_opening}; false alarms {false}", flush=True)
    result = {
        "runs": REFERENCES * RUNS,
        "exact": exact,
        "at_opening": at_opening,
        "false_alarms": false,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def _bucket(event: DriftEvent) -> int:
    return int(np.datetime64(event.bucket[1].removesuffix("Z")).astype("datetime64[s]").astype(np.int64)) // SECONDS


if __name__ == "__main__":
    main()
