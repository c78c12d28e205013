"""The same rows as Parquet, CSV, JSON lines, a JSON array and messages: what a reference of any of these tells of any other.

Run as a command it draws tables and tries all pairs: ``python -m tests.reference.round_trip --tables 20``.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np

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
from .random_tables import Columns, random_columns

Row = dict[str, Any]  # of any type that some format has


def table(columns: Columns, rows: int, seed: int, *, start: int = BEGINNING, changed: bool = False) -> list[Row]:
    """A row a second."""
    draw = np.random.default_rng(seed)
    return [
        {"at": start + i * 1000, **{name: column.make(draw, start + i * 1000, changed) for name, column in columns.items()}}
        for i in range(rows)
    ]


def as_json_lines(rows: Sequence[Row], _: Columns, folder: Path) -> str:
    file = folder / "rows.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    return str(file)


def as_json_array(rows: Sequence[Row], _: Columns, folder: Path) -> str:
    file = folder / "rows.json"
    file.write_bytes(msgspec.json.encode(list(rows)))
    return str(file)


def as_csv(rows: Sequence[Row], columns: Columns, folder: Path) -> str:
    file = folder / "rows.csv"
    digits = {name: column.digits for name, column in columns.items()}
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(rows[0])
        writer.writerows([[_cell(value, digits.get(name)) for name, value in row.items()] for row in rows])
    return str(file)


def _cell(value: Any, digits: int | None) -> Any:
    if value is None:
        return ""
    return value if digits is None else f"{value:.{digits}f}"


def as_parquet(rows: Sequence[Row], columns: Columns, folder: Path) -> str:
    """Typed, as a warehouse would. DuckDB tells no names apart that differ in case: such names are put in later."""
    file, lines = folder / "rows.parquet", as_json_lines(rows, columns, folder)
    kinds = {str: "varchar", bool: "boolean", int: "bigint", float: "double"}
    names = list(rows[0])
    folded = [name.casefold() for name in names]
    stands_for: dict[str, str] = {}
    selected = []
    for number, name in enumerate(names):
        cast = columns[name].cast if name in columns else None
        kind = cast or kinds[next((type(row[name]) for row in rows if row[name] is not None), str)]
        pointer = name.replace("~", "~0").replace("/", "~1")
        alias = name
        if folded.count(folded[number]) > 1:
            alias = stands_for[name] = chr(0x2460 + number) * (len(name.encode()) // 3)  # as many bytes
        selected.append(f"(json ->> {_quoted('/' + pointer)})::{kind} as {_quoted(alias, mark=chr(34))}")
    duckdb.execute(f"set timezone = 'UTC'; copy (select {', '.join(selected)} from read_json_objects('{lines}')) to '{file}'")
    content = file.read_bytes()
    for name, alias in stands_for.items():
        content = content.replace(alias.encode(), name.encode())
    file.write_bytes(content)
    return str(file)


def _quoted(text: str, mark: str = "'") -> str:
    return mark + text.replace(mark, mark * 2) + mark


WRITTEN = {"parquet": as_parquet, "csv": as_csv, "jsonl": as_json_lines, "json": as_json_array}


def as_messages(rows: Sequence[Row]) -> list[Output]:
    return [Output("scored", i % 2, None, msgspec.json.encode(_message(row)), (), row["at"]) for i, row in enumerate(rows)]


def _message(row: Row) -> Row:
    return {"model": "m", "version": "1", "time": row["at"], "features": {name: value for name, value in row.items() if name != "at"}}


def settings(folder: Path, reference: dict[str, Any], **model: Any) -> Configuration:  # keys of the model
    return Configuration.model_validate(
        {
            "application": "test",
            "bus": "embedded",
            "embedded": ":memory:",
            "artifacts": str(folder / "artifacts"),
            "topics": {"prefix": "driftbus", "partitions": 1},
            "streams": {"s": {"topics": ["scored"], "pane": "60s", "clock": "record"}},
            "models": {"m": {"false_alarms": "1 per 300d", "reference": reference, "pairs": "off", **model}},
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


def empty() -> EmbeddedBus:
    return EmbeddedBus(":memory:", "test", "a")


def replayed(file: str, zone: str = "UTC") -> list[Output]:
    """What `replay` of a table puts on the bus."""
    with open_table(Table(file=file, time="at"), zone=zone) as rows:
        return [Output("scored", 0, m.key, m.value, (), m.timestamp) for m in messages(rows, "m", "1")]


ARRIVES = ("messages", *WRITTEN)


def trial(
    seed: int, references: Sequence[str], arrivals: Sequence[str], folder: Path, *, rows: int = 4_000, live: int = 2_000
) -> list[str]:
    """What is wrong with the pairs of a random table: silence on its change, or a word on what did not."""
    columns, planted = random_columns(seed)
    zone = ("UTC", "Europe/Berlin", "America/New_York")[seed % 3]  # of times that name none
    sent, wrong = {}, []
    for changed in (False, True):
        later = table(columns, live, seed + 1_000_000, start=BEGINNING + rows * 1000, changed=changed)
        for name in arrivals:
            sent[name, changed] = (
                as_messages(later) if name == "messages" else replayed(_written(name, later, columns, folder, "live"), zone)
            )
    earlier = table(columns, rows, seed)
    for reference in references:
        file = _written(reference, earlier, columns, folder, "reference")
        chosen = settings(folder, {"file": file, "time": "at"}, zone=zone)
        for name in arrivals:
            for changed, wanted in ((False, set()), (True, {planted})):
                events = told(chosen, sent[name, changed], empty)
                found = {signal["name"] for event in events for signal in event.get("signals", [])}
                found |= {event["kind"] for event in events if "status" not in event}
                if found != wanted:
                    wrong.append(
                        f"table {seed}, reference {reference}, {name} {'changed' if changed else 'unchanged'}: told {found} for {wanted}"
                    )
    return wrong


def _written(name: str, rows: Sequence[Row], columns: Columns, folder: Path, what: str) -> str:
    inside = folder / f"{what}-{name}"
    inside.mkdir(exist_ok=True)
    return WRITTEN[name](rows, columns, inside)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--first", type=int, default=100, metavar="SEED")
    options = parser.parse_args(arguments)
    failed = 0
    for seed in range(options.first, options.first + options.tables):
        with tempfile.TemporaryDirectory() as folder:
            wrong = trial(seed, list(WRITTEN), ARRIVES, Path(folder))
        failed += len(wrong)
        print(f"table {seed}: {len(WRITTEN) * len(ARRIVES)} pairs, {len(wrong)} wrong", *wrong, sep="\n  ", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
