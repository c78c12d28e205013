"""Errors whose labels come late: who finds .15 instead of .10, after how many labels and predictions; part of the scoreboard.

Predictions come one a tick, labels when they do. Everybody sees the first 5,000 labels as a baseline, then 1,000 more before the change, in
the order in which they come; or, *matured*, each prediction when so many ticks are over, if its label has come by then. Thresholds are
tuned on labels that come at once, to a mean run of 10,000 labels behind such a baseline. Ours takes steps of 50 labels.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftbus.detectors.concept.space import ERRORS

from ..concept import DELAYS, HORIZON, LABELS, ONE, WARM, Baselines, Delay, arrivals_of, first, means
from .rules import ADWIN, ON_ERRORS, PAGE_HINKLEY, Rule

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
#: The label of the first alarm, counted from the end of the baseline, or the number of labels behind it.
Alarm = Callable[[NDArray[np.bool_], float], int]

SIZE, RUNS, TUNED_RUNS, TARGET, PREDICTIONS = 50, 40, 40, 10_000, 45_000
HALVINGS = 9
#: Ticks within which 99 % of the slower outcome's labels come.
MATURITY = 9_200
RULES: tuple[Rule, ...] = (ADWIN, PAGE_HINKLEY, *(rule for rule in ON_ERRORS if rule.name in ("DDM", "EDDM", "HDDM_A", "HDDM_W")))


def matured(delay: Delay) -> Delay:
    """Told when its time is over; never, if its label has not come by then."""
    return lambda draw, wrong: np.where(delay(draw, wrong) <= MATURITY, float(MATURITY), np.inf)


ORDERS: dict[str, Delay] = DELAYS | {
    f"{name}; matured": matured(DELAYS[name]) for name in ("errors 2,000, right ones 500", "errors 500, right ones 2,000")
}


def ours(labels: NDArray[np.bool_], threshold: float) -> int:
    """Of the product's lane, with its own baseline; the end of the step that alarms."""
    steps = len(labels) // SIZE
    errors = labels[: steps * SIZE].reshape(steps, SIZE).sum(axis=1)[:, None]
    baselines, begin = Baselines(1), LABELS // SIZE
    for number in range(begin):
        baselines.add(arrivals_of(number, SIZE, np.array([SIZE]), errors[number]))
    assert baselines.suite is not None
    path = means(baselines.suite, ERRORS, np.full((steps - begin, 1), SIZE), errors[begin:])
    at = int(first(path[None], threshold)[0])
    return (at + 1) * SIZE - 1 if at < len(path) else len(labels) - LABELS


def theirs(rule: Rule, labels: NDArray[np.bool_], threshold: float) -> int:
    """Of a peer, row by row, which saw the baseline before."""
    rows = labels.astype(np.float64)
    return rule.of(rows[None, :LABELS])(rows[None, LABELS:], threshold)


def tuned(alarm: Alarm, low: float, high: float) -> tuple[float, float]:
    """The threshold with about so many labels to a false alarm, and these."""
    quiet = np.random.default_rng(20).random((TUNED_RUNS, LABELS + HORIZON)) < ONE[1][0]
    best = (low, 0.0)
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        arl = float(np.mean([alarm(labels, middle) + 1 for labels in quiet]))
        low, high = (middle, high) if arl < TARGET else (low, middle)
        best = min(best, (middle, arl), key=lambda one: abs(one[1] - TARGET))
    return best


def world(name: str, run: int, change: int) -> tuple[Counts, Counts, NDArray[np.bool_]]:
    """In the order in which labels come: when the prediction was made, when the label came, and whether it was wrong."""
    made = np.arange(PREDICTIONS)
    wrong = np.random.default_rng([run, 1]).random(PREDICTIONS) < np.where(made < change, 0.1, 0.15)
    known = made + np.rint(ORDERS[name](np.random.default_rng([run, 2]), wrong))
    order = np.argsort(known, kind="stable")
    order = order[np.isfinite(known[order])]
    return order, known[order].astype(np.int64), wrong[order]


def delayed(name: str, alarm: Alarm, threshold: float) -> dict[str, Any]:
    """Labels of predictions behind the change, and predictions made meanwhile, until the alarm; and in how many runs it came before."""
    labels, served, early = list[int](), list[int](), 0
    for run in range(RUNS):
        made, known, _ = world(name, run, PREDICTIONS)
        begin = int(np.searchsorted(known, 2 * MATURITY))  # what comes first is no fair sample, and the detector waits too
        change = int(made[: begin + LABELS + WARM].max()) + 1  # of what is predicted behind it nothing is known before
        made, known, wrong = world(name, run, change)
        at = begin + LABELS + alarm(wrong[begin : begin + LABELS + HORIZON // 2], threshold)
        behind = int((made[: at + 1] >= change).sum())
        if not behind:
            early += 1
        else:
            labels.append(behind)
            served.append(int(known[at]) - change)
    error = float(np.std(labels, ddof=1) / len(labels) ** 0.5) if len(labels) > 1 else 0.0
    return {
        "labels": round(float(np.mean(labels or [0]))),
        "error": round(error),
        "served": round(float(np.mean(served or [0]))),
        "early": early,
        "runs": RUNS,
    }


def measured() -> dict[str, dict[str, Any]]:
    """By rule, ours first."""
    found: dict[str, dict[str, Any]] = {}
    alarms: list[tuple[str, Alarm, float, float]] = [("driftbus", ours, 30.0, 300_000.0)]
    alarms += [(rule.name, partial(theirs, rule), max(rule.low, 0.01), rule.high) for rule in RULES]
    for name, alarm, low, high in alarms:
        threshold, arl = tuned(alarm, low, high)
        found[name] = {"threshold": threshold, "arl": round(arl), "delays": {each: delayed(each, alarm, threshold) for each in ORDERS}}
    return found
