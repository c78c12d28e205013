"""River's detectors on a stream of errors, row by row, at the thresholds with which the scoreboard measured their ARL of 10,000 rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN, PageHinkley
from river.drift.binary import DDM, EDDM, HDDMA, HDDMW

#: Where the reference is half as long, and only increases are looked for, another one has that ARL.
OWN = {"Page-Hinkley": 27.0}
TUNED = Path(__file__).parent / "results" / "scoreboard" / "errors.json"
#: What the number means that the scoreboard tuned.
MADE: dict[str, Callable[[float], Any]] = {
    "ADWIN": lambda t: ADWIN(delta=min(10.0**-t, 0.999)),  # type: ignore[no-untyped-call]  # river gives no types
    "Page-Hinkley": lambda t: PageHinkley(threshold=t, mode="up"),
    "DDM": lambda t: DDM(drift_threshold=t, warning_threshold=t),
    "EDDM": lambda t: EDDM(beta=1 - t, alpha=1 - t),
    "HDDM_A": lambda t: HDDMA(drift_confidence=10.0**-t, warning_confidence=10.0**-t),  # type: ignore[no-untyped-call]  # river gives no types
    "HDDM_W": lambda t: HDDMW(drift_confidence=10.0**-t, warning_confidence=10.0**-t),  # type: ignore[no-untyped-call]  # river gives no types
}


def first_alarm(name: str, threshold: float, history: NDArray[np.float64], rows: NDArray[np.float64]) -> int:
    """The row of the first alarm, else their number. Alarms in the history, which is the baseline, start it anew as in use."""
    detector = MADE[name](threshold)
    for value in history.tolist():
        detector.update(value)
    for place, value in enumerate(rows.tolist()):
        detector.update(value)
        if detector.drift_detected:
            return place
    return len(rows)


def peer(name: str, labels: int, warm: int, horizon: int, runs: int) -> dict[str, Any]:
    """Its ARL, and how soon it sees an error of .15 instead of .10 behind quiet labels; a run with an alarm in these is left out."""
    threshold = OWN.get(name) or json.loads(TUNED.read_text())[name]["threshold"]
    arls, delays, early = list[int](), list[int](), 0
    for run in range(runs):
        draw = np.random.default_rng([run, 7])
        history = (draw.random(labels) < 0.1).astype(np.float64)
        arls.append(min(first_alarm(name, threshold, history, (draw.random(horizon) < 0.1).astype(np.float64)) + 1, horizon))
        rows = (draw.random(warm + horizon) < np.where(np.arange(warm + horizon) < warm, 0.1, 0.15)).astype(np.float64)
        at = first_alarm(name, threshold, history, rows) + 1 - warm
        early += at <= 0
        delays += [at] if at > 0 else []
    error = float(np.std(delays) / len(delays) ** 0.5)
    found = {"detector": name, "threshold": threshold, "arl": round(float(np.mean(arls))), "labels": round(float(np.mean(delays)))}
    return {**found, "error": round(error), "early": early, "runs": runs}
