"""The flights with their labels on the bus: predictions when they should leave, and whether they were late when they have landed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import yaml

from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.bus.open import open_bus
from driftbus.consumers.command.checks.delays import delays_of
from driftbus.consumers.command.checks.finding import Finding
from driftbus.consumers.console.performance import performance_of
from driftbus.consumers.demo.data import FEATURES, Flights
from driftbus.consumers.demo.messages import LABELS, MODEL, PARTITIONS, SCORED, VERSION, labels, predictions
from driftbus.consumers.demo.model import scores
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.process.settings import parsed
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.messages import epoch_ms
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.files import sql_file
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.outcomes.layout import layout
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import ARRIVALS, Pane
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..streaming import everything

HOUR = 3_600_000
DAY = 24 * HOUR
#: In UTC; between three and five at night in New York hardly anybody lands.
NIGHT = 8 * HOUR
TRAINED_UNTIL = epoch_ms("2013-01-22T05:00Z")
REFERENCE = (epoch_ms("2013-01-01T05:00Z"), epoch_ms("2013-02-01T05:00Z"))
PLAN = layout(OutcomeBasis(task="binary"))


class Played(NamedTuple):
    """What the consumers told."""

    performance: list[Performance]
    arrivals: list[tuple[int, np.ndarray]]  #: steps and their sums
    proposed: list[Finding]  #: by `check`, to somebody who has not thought of an order
    checked: list[Finding]
    events: list[dict[str, Any]]


def scored(flights: Flights) -> np.ndarray:
    """What the model says, which learnt from the flights of three weeks."""
    return scores(flights, flights.known & (flights.landed < TRAINED_UNTIL))


def simple(flights: Flights) -> np.ndarray:
    """What a simple model says, which knows only how late a flight leaves; nothing of one that does not."""
    delay = np.nan_to_num(flights.numbers["dep_delay"], nan=0.0)
    return np.round(1 / (1 + np.exp(-np.clip(delay - 15, -60, 60) / 10)), 4)


def some(flights: Flights, rows: Sequence[int] | np.ndarray) -> Flights:
    """These flights."""
    categories = {name: column[rows] for name, column in flights.categories.items()}
    numbers = {name: column[rows] for name, column in flights.numbers.items()}
    return Flights(flights.id[rows], flights.scheduled[rows], flights.landed[rows], flights.late[rows], categories, numbers)


def configured(folder: Path, own: dict[str, Any], pane: str) -> Configuration:
    """As a user would write it; ``own``: of the labels."""
    reference = {"file": f"{folder}/january.parquet", "time": "time", "prediction": "prediction", "score": "score"}
    model = {"reference": reference, "labels": "landed", "false_alarms": "1 per 365d", "features": dict.fromkeys(FEATURES, "ignore")}
    settings = {
        **{"application": "flights", "bus": "embedded", "embedded": f"{folder}/bus.sqlite", "artifacts": f"{folder}/artifacts"},
        "topics": {"partitions": 1},
        "streams": {"predictions": {"topics": [SCORED], "pane": pane, "clock": "record", "grace": 0}},
        "labels": {"landed": {"topics": [LABELS], "wait": "2d", "about": "1d", **own}},
        "models": {MODEL: model},
    }
    return parsed(yaml.safe_dump(settings))


def played(flights: Flights, score: np.ndarray, span: tuple[int, int], folder: Path, own: dict[str, Any], pane: str = "30m") -> Played:
    """The flights of a span of time through all consumers; their outputs are watched, and what became of them."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = configured(folder, own, pane)
    _written(folder / "january.parquet", flights, score)
    during = np.flatnonzero((flights.scheduled >= span[0]) & (flights.scheduled < span[1]))
    there = some(flights, during)
    with closing(open_bus(chosen)) as bus:
        for topic in (SCORED, LABELS):
            bus.create(topic, PARTITIONS, settings={"retention.ms": "-1"})
        create_topics(bus, chosen)
        reference = reference_of(chosen, MODEL, VERSION)
        announce(bus, chosen, from_start(MODEL, VERSION, ArtifactStore(chosen.artifacts).put(reference.encoded()), reference.rows))
        _publish(bus, predictions(there, score[during]))
        _publish(bus, labels(there))
        proposed, checked = (list(delays_of(bus, one, "landed", 1_000)) for one in (configured(folder, {}, pane), chosen))
        for topic in (SCORED, LABELS):
            bus.publish(end_records("flights", topic, PARTITIONS, span[1] + 4 * DAY))
        with closing(Pipeline(bus, chosen)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        events = [event.content for found in everything(bus, chosen.topics.drift).values() for event in found]
        return Played(list(performance_of(bus, chosen)), list(_arrivals(bus, chosen)), proposed, checked, events)


def _written(path: Path, flights: Flights, score: np.ndarray) -> None:
    """What the model said in January, for a reference."""
    during = (flights.scheduled >= REFERENCE[0]) & (flights.scheduled < REFERENCE[1])
    columns = {"time": flights.scheduled[during], "prediction": score[during] > 0.5, "score": score[during]}
    with duckdb.connect() as sql:
        sql.register("january", columns)
        sql.execute(f"copy january to {sql_file(path)} (format parquet)")


def _publish(bus: Bus, outputs: Iterator[Output]) -> None:
    while batch := list(islice(outputs, 10_000)):
        bus.publish(batch)


def _arrivals(bus: Bus, chosen: Configuration) -> Iterator[tuple[int, np.ndarray]]:
    for found in everything(bus, chosen.topics.summaries).values():
        for event in found:
            if dict(event.headers)["ce_type"] == b"io.driftbus.pane":
                pane = Pane.decoded(event.value)
                if pane.of == ARRIVALS:
                    yield pane.bucket, pane.counts


def summed(arrivals: Iterable[tuple[int, np.ndarray]]) -> np.ndarray:
    """What steps come to."""
    return sum((counts for _, counts in arrivals), start=np.zeros(PLAN.arrivals, dtype=np.int64))


def in_the_morning(arrivals: Sequence[tuple[int, np.ndarray]], hours: int) -> tuple[int, int]:
    """First labels that came in the first so many hours of the days, which begin at night, and wrong ones among them."""
    found = summed((step, counts) for step, counts in arrivals if (step - 1 - NIGHT) % DAY < hours * HOUR)
    return PLAN.number(found, "labelled"), PLAN.number(found, "errors")
