"""The same rows as Parquet, CSV, JSON lines and messages: a reference of any of these finds nothing in any other, and what changed is."""

import csv
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.announce import announce
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.building.tables import open_table
from driftbus.consumers.replay.canonical import messages
from driftbus.schemas.configuration import Configuration, Table
from driftbus.schemas.messages.announcement import FROM_START, Announcement

from ..streaming import BEGINNING, everything

ROWS, LIVE = 6_000, 3_000
Row = dict[str, Any]  # of any type that some format has

#: Each column: what stands in a row, from a draw and the time in ms; ``changed``: what it becomes.
COLUMNS: dict[str, Callable[[np.random.Generator, int, bool], Any]] = {
    "amount": lambda draw, _, changed: float(draw.normal(2.0 if changed else 0.0)),
    "Amount": lambda draw, _, changed: int(draw.integers(5, 9)),
    "price (€)": lambda draw, _, changed: float(np.float32(draw.choice([0.1, 0.7, 1.1, 2.3]))),
    "fee": lambda draw, _, changed: 0.8 * 3,
    " blank ": lambda draw, _, changed: float(round(draw.normal(), 4)),
    'a "quote", or [two]': lambda draw, _, changed: int(draw.integers(2**54, 2**55)),
    "zip": lambda draw, _, changed: f"0{draw.integers(1000, 1040)}",
    "release": lambda draw, _, changed: str(draw.choice(["1.9", "1.10", "1.11"])),
    "slot*": lambda draw, _, changed: str(draw.choice(["10:30", "09:00", "11:45"])),
    "day": lambda draw, _, changed: str(draw.choice(["2026-01-01", "2026-02-01"])),
    "local.day": lambda draw, _, changed: str(draw.choice(["31.12.2025", "01.01.2026", "02.01.2026"])),
    "uuid": lambda draw, _, changed: str(draw.choice(["0F8FAD5B-D9CB-469F-A165-70867728950E", "7c9e6679-7425-40de-944b-e07fc1f90ae7"])),
    "flag": lambda draw, _, changed: bool(draw.random() < 0.3),
    "seen": lambda draw, time, changed: _iso(time - int(draw.exponential(600_000))),
    "rare": lambda draw, _, changed: None if draw.random() < 0.9 else float(draw.normal()),
    "größe": lambda draw, _, changed: str(draw.choice(["S", "M", "L"])),
}


def _iso(time: int) -> str:
    return f"{np.datetime64(time, 'ms')}Z"


def table(rows: int, seed: int, *, start: int = BEGINNING, changed: bool = False) -> list[Row]:
    draw = np.random.default_rng(seed)
    return [
        {"at": start + i * 1000, **{name: make(draw, start + i * 1000, changed) for name, make in COLUMNS.items()}} for i in range(rows)
    ]


def as_json_lines(rows: Sequence[Row], folder: Path) -> str:
    file = folder / "rows.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    return str(file)


def as_json_array(rows: Sequence[Row], folder: Path) -> str:
    file = folder / "rows.json"
    file.write_bytes(msgspec.json.encode(list(rows)))
    return str(file)


def as_csv(rows: Sequence[Row], folder: Path) -> str:
    file = folder / "rows.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(rows[0])
        writer.writerows([["" if value is None else value for value in row.values()] for row in rows])
    return str(file)


def as_parquet(rows: Sequence[Row], folder: Path) -> str:
    """Typed, as a warehouse would: a float32, a date, times. DuckDB tells no names apart that differ in case: they are put in later."""
    file, lines = folder / "rows.parquet", as_json_lines(rows, folder)
    names = list(rows[0])
    casts = {"price (€)": "float", "seen": "timestamptz", "Amount": "smallint", "fee": "decimal(9,4)"}
    kinds = {str: "varchar", bool: "boolean", int: "bigint", float: "double"}
    selected = []
    for name in names:
        kind = casts.get(name) or kinds[next(type(row[name]) for row in rows if row[name] is not None)]
        pointer = "'/" + name.replace("~", "~0").replace("/", "~1").replace("'", "''") + "'"
        alias = '"' + ("Amounu" if name == "Amount" else name).replace('"', '""') + '"'
        selected.append(f"(json ->> {pointer})::{kind} as {alias}")
    duckdb.execute(f"set timezone = 'UTC'; copy (select {', '.join(selected)} from read_json_objects('{lines}')) to '{file}'")
    file.write_bytes(file.read_bytes().replace(b"Amounu", b"Amount"))
    return str(file)


WRITTEN = {"parquet": as_parquet, "csv": as_csv, "jsonl": as_json_lines, "json": as_json_array}


def as_messages(rows: Sequence[Row]) -> list[Output]:
    return [Output("scored", i % 2, None, msgspec.json.encode(_message(row)), (), row["at"]) for i, row in enumerate(rows)]


def _message(row: Row) -> Row:
    return {"model": "m", "version": "1", "time": row["at"], "features": {name: value for name, value in row.items() if name != "at"}}


def settings(folder: Path, reference: dict[str, Any]) -> Configuration:
    return Configuration.model_validate(
        {
            "application": "test",
            "bus": "embedded",
            "embedded": ":memory:",
            "artifacts": str(folder / "artifacts"),
            "topics": {"prefix": "driftbus", "partitions": 1},
            "streams": {"s": {"topics": ["scored"], "pane": "60s", "clock": "record"}},
            "models": {"m": {"false_alarms": "1 per 300d", "reference": reference, "pairs": "off"}},
        }
    )


def told(configuration: Configuration, sent: Sequence[Output], bus_of: Callable[[], EmbeddedBus]) -> list[dict[str, Any]]:
    """What is told of these records, against the reference that the configuration names."""
    with closing(bus_of()) as bus:
        built = reference_of(configuration, "m", "1", bus)
        bus.create("scored", 2) if not bus.describe(["scored"]) else None
        create_topics(bus, configuration)
        announce(bus, configuration, Announcement(model="m", version="1", reference=_stored(configuration, built), since=FROM_START))
        bus.publish(sent)
        with closing(Pipeline(bus, configuration)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        events = [event.content for of_one in everything(bus, configuration.topics.drift).values() for event in of_one]
    return events


def _stored(configuration: Configuration, built: Any) -> str:  # a reference
    return ArtifactStore(configuration.artifacts).put(built.encoded())


def _empty() -> EmbeddedBus:
    return EmbeddedBus(":memory:", "test", "a")


def _replayed(file: str, folder: Path) -> list[Output]:
    """What `replay` of a table puts on the bus."""
    with open_table(Table(file=file, time="at")) as rows:
        return [Output("scored", 0, m.key, m.value, (), m.timestamp) for m in messages(rows, "m", "1")]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The reference's rows, in every format."""
    rows = table(ROWS, 0)
    return {name: write(rows, tmp_path_factory.mktemp(name)) for name, write in WRITTEN.items()}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], list[Output]]:
    """Rows that came later, unchanged and changed: as messages, and as what `replay` makes of each format."""
    found = {}
    for changed in (False, True):
        rows = table(LIVE, 1, start=BEGINNING + ROWS * 1000, changed=changed)
        found["messages", changed] = as_messages(rows)
        for name, write in WRITTEN.items():
            folder = tmp_path_factory.mktemp(f"live-{name}")
            found[name, changed] = _replayed(write(rows, folder), folder)
    return found


@pytest.mark.parametrize("arrives", ["messages", *WRITTEN])
@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_data_is_no_drift_and_a_change_is(
    tmp_path: Path, written: dict[str, str], live: dict[tuple[str, bool], list[Output]], name: str, arrives: str
) -> None:
    configuration = settings(tmp_path, {"file": written[name], "time": "at"})
    assert told(configuration, live[arrives, False], _empty) == []
    drifts = [event for event in told(configuration, live[arrives, True], _empty) if "status" in event]
    assert {signal["name"] for event in drifts for signal in event["signals"]} == {"amount"}
