"""An incident as the product gets it: a table for its reference, a configuration, and a recording of the topics that its streams are on."""

import functools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.bus.recording import write_recording
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.reference import golden_records
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.announcement import Announcement
from driftbus.schemas.messages.golden import GoldenEvaluation
from driftbus.schemas.messages.model_event import ModelEvent

from .models import Deployed, Model, deployed
from .rows import BEGINNING, HOUR, WINDOWS, Column, Incident, Rows

Floats = NDArray[np.float64]

MODEL, VERSION = "model", "1"
#: Evidence that can be left out.
KINDS = ("agreement", "ages", "arrivals", "golden", "model", "ood")
#: Topics of users, and their partitions.
SERVED, KNOWN, OFFLINE, PARTITIONS = "served", "known", "offline", 2
#: Milliseconds between rows of the reference's table: a few more than 500 an hour, so that causes are looked for by the hour.
_EVERY = 7_000
#: Answers of a model on its training rows come from models that were trained on the other parts.
_PARTS = 4
#: The hash of the one golden set; its rows.
_GOLDEN, _GOLDEN_ROWS = "sha256:" + "0" * 64, 800


@dataclass(frozen=True)
class Optional:
    """Which kinds of evidence there are, and by how many windows labels come late."""

    without: frozenset[str] = frozenset()
    late: int = 2

    def has(self, kind: str) -> bool:
        """Whether it is not left out."""
        return kind not in self.without


ALL = Optional()


def settings(name: str, seed: int, folder: Path, streams: Optional = ALL) -> Configuration:
    """Of an application that watches this model by all that there is, or by all but some of it."""
    table = deployed(name, seed).table
    features = {feature: {"source": source} for feature, source in table.sources.items()}
    if streams.has("ages"):
        features = {feature: {**own, "as_of": f"times.{feature}"} for feature, own in features.items()}
    reference = {"file": str(train(name, seed, folder)), "time": "at", "score" if table.binary else "prediction": "answer"}
    model: dict[str, object] = {"reference": reference, "features": features}
    if streams.has("ood"):
        model["ood"] = {"of": "row"}
    if streams.has("golden"):
        model["golden"] = {"call": {"http": {"url": "http://localhost/{model}"}}}
    written: dict[str, Any] = {  # keys of any type
        **{"application": "incidents", "bus": "embedded", "embedded": str(folder / "bus.sqlite"), "artifacts": str(folder / "artifacts")},
        "topics": {"prefix": "incidents", "partitions": 1},
        "streams": {"predictions": {"topics": [SERVED], "pane": "30m", "clock": "record"}},
        "models": {MODEL: model},
    }
    if streams.has("arrivals"):
        model["labels"] = "outcomes"
        wait = f"{streams.late + 24}h"
        written["labels"] = {"outcomes": {"topics": [KNOWN], "outcome": "binary" if table.binary else "number", "wait": wait}}
    if streams.has("agreement"):
        model["agreement"] = {"log": "warehouse"}
        written["streams"]["predictions"]["mapping"] = {"entity": "id", "as_of": "at"}
        written["features"] = {"warehouse": {"topics": [OFFLINE], "wait": "2h"}}
    return Configuration.model_validate(written)


@functools.cache
def train(name: str, seed: int, folder: Path) -> Path:
    """The training rows with answers of models that have not seen them; the outcomes stand on no topic, and so not here either."""
    of, path = deployed(name, seed), folder / f"{name}-{seed}.jsonl"
    columns, answers = of.columns(of.trained), _held_out(of, seed)
    first = BEGINNING - WINDOWS * HOUR - len(answers) * _EVERY
    lines = ({"at": first + number * _EVERY, **values, "answer": float(answers[number])} for number, values in enumerate(_values(columns)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    return path


def _held_out(of: Deployed, seed: int) -> Floats:
    found, part = np.zeros(len(of.trained)), np.arange(len(of.trained)) % _PARTS
    for number in range(_PARTS):
        rows, others = of.trained[part == number], of.trained[part != number]
        found[part == number] = Model(of.table, others, of.table.outcomes[others], seed)(of.columns(rows))
    return found


def record(incident: Incident, configuration: Configuration, file: Path, streams: Optional = ALL) -> None:
    """Write all of an incident's topics to a file."""
    with closing(EmbeddedBus(":memory:", configuration.application, "recorder")) as bus:
        write_recording(bus, fill(bus, incident, configuration, streams), file)


def fill(bus: Bus, incident: Incident, configuration: Configuration, streams: Optional = ALL) -> list[str]:
    """Make all topics, write those that the incident is told by, and return the names of these."""
    users = [SERVED, *(stream.topics[0] for stream in configuration.labels.values())]
    users += [OFFLINE] if streams.has("agreement") else []
    for topic in users:
        bus.create(topic, PARTITIONS, settings={"retention.ms": "-1"})
    create_topics(bus, configuration)
    announce(bus, configuration, _reference(configuration.model_dump_json(by_alias=True)))
    for outputs in (_served, _known, _offline):
        bus.publish(sorted((one for one in outputs(incident, streams) if one.topic in users), key=lambda one: one.timestamp or 0))
    ours = [configuration.topics.models]
    _deployments(bus, configuration, incident, streams)
    if streams.has("golden"):
        ours.append(configuration.topics.golden)
        bus.publish([golden_records.output(configuration, one) for one in _evaluations(incident)])
    return [*users, *ours]


@functools.cache
def _reference(configuration: str) -> Announcement:
    """Of the model, built once for all its incidents."""
    own = Configuration.model_validate_json(configuration)
    store = ArtifactStore(own.artifacts)
    built = reference_of(own, MODEL, VERSION, store=store)
    return from_start(MODEL, VERSION, store.put(built.encoded()), built.rows)


def _values(columns: dict[str, Column]) -> Iterator[dict[str, object]]:
    """Row by row, as JSON has them."""
    plain = []
    for column in columns.values():
        numbers = column.dtype != object
        absent = np.isnan(np.asarray(column, dtype=np.float64)) if numbers else np.array([one is None for one in column])
        plain.append([None if gone else value for value, gone in zip(column.tolist(), absent.tolist(), strict=True)])
    for row in zip(*plain, strict=True):
        yield dict(zip(columns, row, strict=True))


def _id(rows: Rows, row: int) -> str:
    return f"{rows.number}:{row}"


def _served(incident: Incident, streams: Optional) -> Iterator[Output]:
    binary = incident.trained.table.binary
    for rows in incident.windows:
        times, invalid = rows.times.tolist(), {name: column.tolist() for name, column in rows.invalid.items()}
        ages = (
            None
            if rows.ages is None or not streams.has("ages")
            else {name: (60_000 * age).astype(np.int64).tolist() for name, age in rows.ages.items()}
        )
        for row, values in enumerate(_values(rows.features)):
            for name, wrong in invalid.items():
                if wrong[row]:
                    values[name] = {"value": 0}
            message = {"id": _id(rows, row), "at": times[row], "model": MODEL, "version": VERSION, "features": values}
            message["score" if binary else "prediction"] = float(rows.scores[row])
            if ages is not None:
                message["times"] = {name: times[row] - age[row] for name, age in ages.items()}
            yield Output(SERVED, row % PARTITIONS, None, msgspec.json.encode(message), (), times[row])


def _known(incident: Incident, streams: Optional) -> Iterator[Output]:
    delay = max(incident.spec.get("label_delay", 0), streams.late) * HOUR
    for rows in incident.windows:
        if rows.outcomes is None:
            continue
        for row, (time, outcome) in enumerate(zip(rows.times.tolist(), rows.outcomes.tolist(), strict=True)):
            label = bool(outcome) if incident.trained.table.binary else outcome
            value = msgspec.json.encode({"id": _id(rows, row), "label": label})
            yield Output(KNOWN, row % PARTITIONS, None, value, (), time + delay)


def _offline(incident: Incident, streams: Optional) -> Iterator[Output]:
    """What the training pipeline makes of some rows, an hour later."""
    for rows in incident.windows:
        if rows.offline is None or rows.sampled is None:
            continue
        times = rows.times.tolist()
        for row, values in zip(rows.sampled.tolist(), _values(rows.offline), strict=True):
            value = msgspec.json.encode({"entity": _id(rows, row), "as_of": times[row], "values": values})
            yield Output(OFFLINE, row % PARTITIONS, None, value, (), times[row] + HOUR)


def _deployments(bus: Bus, configuration: Configuration, incident: Incident, streams: Optional) -> None:
    """All of the same version: what serves has a name of its own only where somebody gives it one."""
    for number in sorted(set(incident.deployed)) if streams.has("model") else ():
        time = BEGINNING + number * HOUR + 1
        tell(bus, configuration, ModelEvent(model=MODEL, version=VERSION, kind="deployed", job=f"release {number}", time=time))


def _evaluations(incident: Incident) -> Iterator[GoldenEvaluation]:
    binary = incident.trained.table.binary
    for number, loss in incident.evaluated:
        asked = BEGINNING + number * HOUR + HOUR // 2
        yield GoldenEvaluation(
            request=f"slot{number + WINDOWS}",
            model=MODEL,
            version=VERSION,
            golden=_GOLDEN,
            cause="slot",
            named=str(asked),
            asked=asked,
            answered=asked,
            status="complete",
            attempt=0,
            loss="brier" if binary else "squared",
            rows=_GOLDEN_ROWS,
            counts={"answered": _GOLDEN_ROWS},
            metrics={"brier": loss} if binary else {"rmse": loss**0.5},
            verdict="same",
            good=True,
        )
