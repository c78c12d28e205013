"""How often the windowed tests alarm without drift, in units of their level. ``python -m tests.detectors.named.levels`` writes the table
of docs/detectors.md."""

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.counting.bins import profile_of
from driftbus.detectors.named.interface import WatchedSignal
from driftbus.detectors.named.windowed import Windowed

from .worlds import Draw, counted, settings

WINDOWED = ("ks", "cramer_von_mises", "chi_square", "psi", "jensen_shannon", "kl", "wasserstein")
ROWS = 1_000
LEVELS = 1e-2, 1e-3
LAWS: dict[str, Draw] = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "heavy-tailed": lambda rng, rows: rng.lognormal(0, 1.5, rows),
    "mostly zero": lambda rng, rows: np.where(rng.random(rows) < 0.9, 0.0, rng.normal(size=rows)),
    "five values": lambda rng, rows: rng.integers(0, 5, rows).astype(np.float64),
}


def alarms(name: str, watched: WatchedSignal, windows: list[NDArray[np.int64]], levels: tuple[float, ...] = LEVELS) -> NDArray[np.int64]:
    """How many of the windows a detector calls drift, at each level."""
    watcher = settings(name, rows=ROWS).on(watched, 1.0)
    assert isinstance(watcher, Windowed)
    found = np.array([watcher.statistic(window) for window in windows])
    return np.array([(found >= watcher.threshold(int(windows[0].sum()), level)).sum() for level in levels])


def rates(law: str, reference_rows: int, references: int, windows: int) -> dict[str, list[float]]:
    """Of every windowed detector, its alarms on quiet windows over those that its levels allow."""
    found = {name: np.zeros(len(LEVELS)) for name in WINDOWED}
    for seed in range(references):
        rng = np.random.default_rng(seed)
        watched = WatchedSignal("x", profile_of(LAWS[law](rng, reference_rows)))
        quiet = [counted(watched, LAWS[law](rng, ROWS)) for _ in range(windows)]
        for name in WINDOWED:
            found[name] += alarms(name, watched, quiet)
    return {name: (counts / (references * windows * np.array(LEVELS))).tolist() for name, counts in found.items()}


if __name__ == "__main__":
    print("| law | reference rows |" + "".join(f" `{name}` |" for name in WINDOWED))
    print("|---|---|" + "---|" * len(WINDOWED))
    for law in LAWS:
        for reference_rows in (1_000, 10_000):
            measured = rates(law, reference_rows, references=2_000, windows=20)
            print(f"| {law} | {reference_rows:,} |" + "".join(f" {low:.2f}, {high:.2f} |" for low, high in measured.values()), flush=True)
