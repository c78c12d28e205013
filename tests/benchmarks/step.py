"""What a step costs: 20 numeric features with their availability, panes of 1,000 rows: ``python -m tests.benchmarks.step``."""

import time

import numpy as np

from driftbus.detectors.episodes.step import Bucket, Offsets, State, start, step
from driftbus.schemas.configuration import Model

from .arl import compiled, law

ROWS, QUIET, OPEN = 1000, 20_000, 300


def main() -> None:
    """Print microseconds per pane while nothing is open and with an episode of every feature, and the state's size."""
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    tests = compiled(rng, 20, Model.model_validate({"rate": ROWS / 10}))
    print(f"compiled in {(time.perf_counter() - began) * 1e3:.0f} ms: {len(tests.bets.owner)} bets, {tests.layout.size} counts a pane")
    laws, counts = law(tests), np.zeros((QUIET, tests.layout.size), dtype=np.int64)
    for span, p in laws:
        counts[:, span] = rng.multinomial(ROWS, p, size=QUIET)
    state, spent = start(tests, 0), []
    for number in range(QUIET + OPEN):
        row = counts[number % QUIET]
        if number >= QUIET:  # every value moves up by a quarter of the bins, and stays
            row = np.concatenate([np.roll(row[span], len(p) // 4 if len(p) > 4 else 0) for span, p in laws])
        offsets = (Offsets("scored", 0, number * ROWS, (number + 1) * ROWS - 1),)
        bucket = Bucket(number * 10_000, (number + 1) * 10_000, ROWS, 0, row, np.zeros(0, dtype=np.int64), True, False, offsets)
        began = time.perf_counter()
        state, events = step(tests, state, bucket)
        spent.append((time.perf_counter() - began) * 1e6)
        if number == QUIET - 1:
            began = time.perf_counter()
            encoded = state.encoded()
            print(f"state {len(encoded):,} bytes, encoded in {(time.perf_counter() - began) * 1e3:.2f} ms", end=", ")
            began = time.perf_counter()
            State.decoded(encoded)
            print(f"decoded in {(time.perf_counter() - began) * 1e3:.2f} ms; {len(state.windows.runs)} windows")
        for event in events:
            print(f"pane {number}: {event.status}, {len(event.signals)} signals")
    for name, part in (("quiet", spent[:QUIET]), ("open", spent[QUIET:])):
        print(f"{name}: median {np.median(part):.0f} us, mean {np.mean(part):.0f} us, 99 % {np.percentile(part, 99):.0f} us")


if __name__ == "__main__":
    main()
