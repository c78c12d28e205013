"""Tables drawn at random: names, types, nulls, texts and zones as users have them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Column(NamedTuple):
    """What stands in a row, from a draw, its time in ms, and whether this is the time after the change."""

    make: Callable[[np.random.Generator, int, bool], Any]
    cast: str | None = None  #: its type in Parquet, where it is not that of its JSON
    digits: int | None = None  #: so many behind the point in CSV


Columns = Mapping[str, Column]


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
