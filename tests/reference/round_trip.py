"""The same rows as Parquet, CSV, JSON lines, a JSON array and messages: what a reference of any of these tells of any other.

Run as a command it draws tables and tries all pairs: ``python -m tests.reference.round_trip --tables 20``.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

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

Row = dict[str, Any]  # of any type that some format has


class Column(NamedTuple):
    """What stands in a row, from a draw, its time in ms, and whether this is the time after the change."""

    make: Callable[[np.random.Generator, int, bool], Any]
    cast: str | None = None  #: its type in Parquet, where it is not that of its JSON
    digits: int | None = None  #: so many behind the point in CSV


Columns = Mapping[str, Column]


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


TEXTS = [
    "a",
    "A",
    " a",
    "a ",
    "None",
    "nan",
    "NaN",
    "null",
    "NULL",
    "true",
    "False",
    "inf",
    "-",
    "?",
    "é",
    "e\u0301",
    "日本",
    "🙂",
    "'",
    '"',
    ",",
    ";",
    "x\ty",
    "x\ny",
]
TEXTS += [
    "#",
    "\\",
    "\\N",
    "{}",
    "[1]",
    "0",
    "00",
    "1",
    "1.0",
    "1e5",
    "0x1F",
    "1,5",
    "1_000",
    "10:30",
    "10:30:00",
    "2026-01-01",
    "01/02/2026",
    "P1D",
    "${HOME}",
    "*",
    "%s",
]
KINDS = [
    ["0123", "0456", "0789"],
    ["1.9", "1.10", "1.11"],
    ["10:30", "09:00", "23:59"],
    ["31.12.2025", "01.01.2026"],
    ["2026-01-01", "2026-02-01"],
    ["0F8FAD5B-D9CB-469F-A165-70867728950E", "7c9e6679-7425-40de-944b-e07fc1f90ae7"],
    ["true", "false"],
    ["1e5", "1e6", "2e5"],
    ["1,5", "2,5"],
    ["10.0.0.1", "10.0.0.2"],
    ["+49 30 1", "+49 30 2"],
    ["1", "2", "3"],
]
NUMBERS: dict[str, Callable[[np.random.Generator], Column]] = {
    "double": lambda d: _double(float(d.normal(0, 100)), 10.0 ** int(d.integers(-6, 7))),
    "rounded": lambda d: _rounded(int(d.integers(1, 6))),
    "float32": lambda d: Column(lambda draw, _, changed: float(np.float32(draw.normal(3.0 if changed else 0.0))), "float"),
    "integer": lambda d: _integer(int(d.integers(20, 2000)), str(d.choice(["smallint", "integer", "bigint"]))),
}
OTHERS: dict[str, Callable[[np.random.Generator], Column]] = {
    "float32 prices": lambda d: _one_of([float(np.float32(p)) for p in d.choice(1000, 4, replace=False) / 100], "float"),
    "decimal": lambda d: _decimal(int(d.integers(1, 4))),
    "product": lambda d: _one_of([k * float(d.choice([0.1, 0.7, 1.1])) for k in (3, 7, 9)]),
    "big": lambda d: _one_of([int(v) for v in d.integers(2**53, 2**62, 5)]),
    "huge": lambda d: _one_of([int(v) * 1_000 for v in d.integers(2**60, 2**62, 4)], "hugeint"),
    "flag": lambda d: _one_of([False, True]),
    "constant": lambda d: _one_of([float(d.choice([0.0, 1.1, 0.8 * 3, -7]))]),
    "texts": lambda d: _one_of([str(v) for v in d.choice(TEXTS, int(d.integers(2, 7)), replace=False)]),
    "of one kind": lambda d: _one_of(list(KINDS[int(d.integers(len(KINDS)))])),
    "instant": lambda d: _time(str(d.choice(["Z", "+00:00", "+02:00", "-05:30"])), "timestamptz"),
    "naive": lambda d: _time("", "timestamp"),
    "date": lambda d: _one_of([f"2026-0{m}-1{day}" for m in (1, 2) for day in d.choice(9, 3, replace=False)], "date"),
    "none": lambda d: _one_of([None]),
}
NAMES = [
    "amount",
    "Amount",
    "AMOUNT",
    "zip",
    "Zip",
    " lead",
    "trail ",
    "a.b",
    "a",
    "b",
    "a[0]",
    "x*",
    "q?",
    "it's",
    'say "hi"',
    "comma, name",
    "semi;colon",
    "größe",
]
NAMES += [
    "gro\u0308sse",
    "名前",
    "🙂 face",
    "-",
    "1",
    "true",
    "null",
    "select",
    "tab\tname",
    "/",
    "~",
    "~1",
    "$.x",
    "%s",
    "${HOME}",
    "{}",
    "features",
    "model",
    "order by",
]


def random_columns(seed: int) -> tuple[Columns, str]:
    """Between 8 and 16 columns of drawn names and types, and the one that changes."""
    draw = np.random.default_rng([seed, 9])
    names = [str(name) for name in draw.choice(NAMES, int(draw.integers(8, 17)), replace=False)]
    kinds = [*draw.choice(list(NUMBERS), 2), *draw.choice(list(OTHERS), len(names) - 2)]
    columns = {name: _sometimes(draw, (NUMBERS | OTHERS)[kind](draw)) for name, kind in zip(names, kinds, strict=True)}
    quiet = {name: _unchanged(column) if name != names[0] else column for name, column in columns.items()}
    return {name: quiet[name] for name in draw.permutation(names)}, names[0]


def _sometimes(d: np.random.Generator, column: Column) -> Column:
    share = float(d.choice([0, 0, 0.05, 0.6]))
    return column._replace(make=lambda draw, time, changed: None if draw.random() < share else column.make(draw, time, changed))


def _unchanged(column: Column) -> Column:
    return column._replace(make=lambda draw, time, _: column.make(draw, time, False))


def _double(mean: float, scale: float) -> Column:
    return Column(lambda draw, _, changed: float(draw.normal(mean + (3 * scale if changed else 0), scale)))


def _rounded(digits: int) -> Column:
    return Column(lambda draw, _, changed: round(float(draw.normal(1.5 if changed else 0, 0.5)), digits), digits=digits)


def _integer(mean: int, cast: str) -> Column:
    return Column(lambda draw, _, changed: int(draw.poisson(mean * (2 if changed else 1))), cast)


def _decimal(digits: int) -> Column:
    return Column(lambda draw, _, __: round(float(draw.gamma(2.0)), digits), f"decimal(18,{digits})", digits)


def _one_of(values: Sequence[Any], cast: str | None = None) -> Column:
    return Column(lambda draw, _, __: values[int(draw.integers(len(values)))], cast)


def _time(zone: str, cast: str) -> Column:
    offset = 0 if zone in {"", "Z"} else int(f"{zone[0]}1") * (int(zone[1:3]) * 60 + int(zone[4:6])) * 60_000

    def make(draw: np.random.Generator, time: int, _: bool) -> str:
        return f"{np.datetime64(time - int(draw.exponential(600_000)) + offset, 'ms')}{zone}"

    return Column(make, cast)


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
