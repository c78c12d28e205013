"""Flights with labels that come after landing, through the bus: ``python -m tests.benchmarks.flights [FIRST LAST]``, February unless said.

The demo's model says at departure whether a flight will be late; its label comes when the flight has landed. Prints what `check` says of
the delays, what is told of every day, and with either `order` the share of errors in the mornings, when only fast flights have landed.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from driftbus.consumers.demo.data import Flights, year
from driftbus.consumers.reference.building.messages import epoch_ms
from driftbus.detectors.outcomes.delays import covering, quantile
from driftbus.schemas.cloud_events import iso
from driftbus.schemas.messages.performance import Performance

from ..demo.landed import DAY, HOUR, NIGHT, PLAN, Played, in_the_morning, played, scored, summed
from .world import RESULTS, Result, machine, table

#: Whole days, from night to night.
SPAN = ("2013-02-01T08:00Z", "2013-03-01T08:00Z")
ORDERS = {"arrival": {}, "matured": {"order": "matured", "maturity": "12h"}}
#: Of the day, which begins at three at night: nine in the morning.
MORNING = 6


def day(one: Performance) -> Result:
    """A row of what is told of a day."""
    told = {"realised": one.realised, "estimated": one.estimated, "completed": one.completed, "estimated_expired": one.estimated_expired}
    counts = {"predicted": one.predicted, "labelled": one.labelled, "expired": one.expired, "labelled_when_due": one.labelled_when_due}
    accuracies = {name: metrics.get("accuracy") for name, metrics in told.items()}
    return {
        "day": iso(one.start)[:10],
        **counts,
        **{name: None if value is None else round(value, 3) for name, value in accuracies.items()},
    }


def of_delays(told: Played) -> Result:
    """Hours that right and wrong first labels took."""
    sides = zip(("right", "wrong"), PLAN.take(summed(told.arrivals), "delays"), strict=True)
    return {name: [round((found or 0) / HOUR, 2) for found in (quantile(side, 0.5), covering(side, 0.99))] for name, side in sides}


def shares(told: Played) -> tuple[float, float]:
    """Of errors, among all that arrived, and among what did in the mornings."""
    of_all, (rows, wrong) = summed(told.arrivals), in_the_morning(told.arrivals, MORNING)
    return round(PLAN.number(of_all, "errors") / PLAN.number(of_all, "labelled"), 4), round(wrong / rows, 4)


def landed_by(flights: Flights, span: tuple[int, int], hours: int) -> list[float]:
    """Of the flights made in the first so many hours of the days: late among those that have landed by then, and among all that land."""
    since = (flights.scheduled - NIGHT) % DAY
    there = flights.known & (flights.scheduled >= span[0]) & (flights.scheduled < span[1]) & (since < hours * HOUR)
    down = there & (flights.landed - flights.scheduled + since < hours * HOUR)
    return [round(float(np.mean(flights.late[some])), 4) for some in (down, there)]


def main() -> None:
    """Play, print, keep."""
    first, last = sys.argv[1:3] if len(sys.argv) > 2 else SPAN
    span, flights = (epoch_ms(first), epoch_ms(last)), year()
    score, kept = scored(flights), {}
    found: Result = {"machine": machine(), "span": [first, last], "late by nine": landed_by(flights, span, MORNING)}
    for order, own in ORDERS.items():
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            told = kept[order] = played(flights, score, span, Path(folder), own)
        of_all, of_mornings = shares(told)
        found[order] = {
            "processor_s": round(time.process_time() - began),
            "delays_h": of_delays(told),
            "errors": of_all,
            "errors by nine": of_mornings,
            "events": [[event["status"], event["onset"]] for event in told.events if event.get("kind") == "performance"],
        }
        print(f"{order}: {found[order]}")
    found["check"] = [finding.text for finding in (*kept["arrival"].proposed, *kept["matured"].checked)]
    found["days"] = [day(one) for one in kept["matured"].performance]
    print("late by nine, among the landed and among all:", found["late by nine"])
    print("\n".join(found["check"]))
    print(table([*found["days"][0]], [one.values() for one in found["days"]]))
    (RESULTS / "flights.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
