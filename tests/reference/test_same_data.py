"""What users do to the same data between their table and their topic: nothing of it is drift, and a change beside it is found.

Kinds that were reported in public for drift monitors, stream processors and readers of tables; each in several forms.
"""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.interface import Output
from driftbus.schemas.configuration import Configuration

from ..streaming import BEGINNING
from .round_trip import Row, empty, settings, told

ROWS, LIVE = 3_000, 1_500
Values = Callable[[np.random.Generator, int], Any]


def float_of(bits: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: float(bits(value))


def rows_of(make: Values, rows: int, seed: int, start: int = 0, shift: float = 0.0) -> list[Row]:
    draw = np.random.default_rng(seed)
    return [{"at": BEGINNING + (start + i) * 1000, "x": make(draw, i), "steady": float(draw.normal(shift))} for i in range(rows)]


def sent(rows: Sequence[Row], live: Callable[[Any], Any], name: str = "x") -> list[Output]:
    """As messages; ``live``: what a value is there."""
    found = []
    for i, row in enumerate(rows):
        features = {name: live(row["x"]), "steady": row["steady"]}
        value = msgspec.json.encode({"model": "m", "version": "1", "features": features})
        found.append(Output("scored", i % 2, None, value, (), row["at"]))
    return found


def compared(configuration: Configuration, make: Values, live: Callable[[Any], Any], name: str = "x") -> tuple[list[str], list[str]]:
    """The signals that are told of, of the same data, and where `steady` is shifted."""
    found = []
    for shift in (0.0, 2.0):
        events = told(configuration, sent(rows_of(make, LIVE, 1, ROWS, shift), live, name), empty)
        found.append(sorted({s["name"] for event in events if "status" in event for s in event["signals"]}))
        found[-1] += [event["text"] for event in events if "text" in event]
    return found[0], found[1]


def as_lines(folder: Path, rows: Sequence[Row], written: Callable[[Any], Any], name: str = "x") -> str:
    file = folder / "train.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode({"at": r["at"], name: written(r["x"]), "steady": r["steady"]}) for r in rows))
    return str(file)


def as_csv(folder: Path, rows: Sequence[Row], written: Callable[[Any], Any], name: str = "x") -> str:
    file, quoted = folder / "train.csv", '"' + name.replace('"', '""') + '"'
    file.write_text("\n".join([f"at,{quoted},steady", *(f"{r['at']},{written(r['x'])},{r['steady']}" for r in rows)]) + "\n")
    return str(file)


def as_parquet(kind: str) -> Callable[..., str]:
    """With the column of a type of its own."""

    def write(folder: Path, rows: Sequence[Row], written: Callable[[Any], Any], name: str = "x") -> str:
        lines, file = as_lines(folder, rows, written, name), folder / "train.parquet"
        read = f"read_json('{lines}', columns = {{'at': 'BIGINT', 'x': 'VARCHAR', 'steady': 'DOUBLE'}})"
        duckdb.execute(f"copy (select \"at\", x::{kind} as x, steady from {read}) to '{file}'")
        return str(file)

    return write


def same(value: Any) -> Any:  # of any type
    return value


NORMAL: Values = lambda draw, _: float(draw.normal(50, 10))  # noqa: E731
FEW: Values = lambda draw, _: float(draw.choice([0.1, 0.7, 1.1, 2.3]))  # noqa: E731

#: Numbers that are the same but for their last bits: how the reference writes them, and how they come.
BITS: dict[str, tuple[Values, Callable[..., str], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "float32 in Parquet": (FEW, as_parquet("float"), same, same),
    "float32 on the topic": (FEW, as_lines, same, lambda v: float(np.float32(v))),
    "float32 of many values": (NORMAL, as_parquet("float"), same, same),
    "four digits": (lambda d, _: float(d.choice([1 / 3, 2 / 3, 10 / 7])), as_lines, same, lambda v: float(f"{v:.8g}")),
    "a constant of another rounding": (lambda d, _: 2.4, as_lines, same, lambda v: 0.8 * 3),
    "a sum of tenths": (lambda d, _: float(d.choice([0.3, 0.6, 0.9])), as_csv, same, lambda v: sum([v / 3] * 3)),
    "percent and back": (lambda d, _: float(d.choice([0.07, 0.14, 0.29, 0.57])), as_csv, same, lambda v: v * 100 / 100),
    "decimals": (lambda d, _: round(float(d.choice([0.1, 0.7, 1.1])), 2), as_parquet("decimal(9,2)"), same, same),
}


@pytest.mark.parametrize("name", BITS)
def test_numbers_that_differ_in_their_last_bits_are_the_same(tmp_path: Path, name: str) -> None:
    make, write, written, live = BITS[name]
    file = write(tmp_path, rows_of(make, ROWS, 0), written)
    assert compared(settings(tmp_path, {"file": file, "time": "at"}), make, live) == ([], ["steady"])


def one_of(*texts: str) -> Values:
    return lambda draw, _: str(draw.choice(texts))


#: Texts that a reader of CSV takes for something else; the messages hold them as they are.
TEXTS: dict[str, Values] = {
    "times of day": one_of("10:30", "09:00", "23:45"),
    "releases": one_of("1.10", "1.1", "1.2"),
    "postal codes": one_of("01307", "04109", "80331"),
    "accounts": lambda draw, _: f"{draw.integers(0, 40):08}",
    "words for true": one_of("true", "false"),
    "yes and no": one_of("yes", "no", "n/a"),
    "local dates": one_of("31.12.2025", "01.01.2026", "02.01.2026"),
    "american dates": one_of("12/31/2025", "01/01/2026", "01/02/2026"),
    "days": one_of("2026-01-01", "2026-01-02", "2026-01-03"),
    "hexadecimal": one_of("0x10", "0x1f", "0xff"),
    "exponents that are none": one_of("1e5", "2e5", "3e10"),
    "capital ids": one_of("0F8FAD5B-D9CB-469F-A165-70867728950E", "7C9E6679-7425-40DE-944B-E07FC1F90AE7"),
    "signs": one_of("+1", "-1", "+0"),
    "blanks around": one_of(" a", "b ", " c "),
    "a word like none": one_of("NA", "NULL", "None", "x"),
}


@pytest.mark.parametrize("write", [as_csv, as_lines, as_parquet("varchar")], ids=["csv", "json lines", "parquet"])
@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_the_texts_that_messages_hold(tmp_path: Path, name: str, write: Callable[..., str]) -> None:
    make = TEXTS[name]
    file = write(tmp_path, rows_of(make, ROWS, 0), same)
    assert compared(settings(tmp_path, {"file": file, "time": "at"}), make, same) == ([], ["steady"])


#: Of a CSV nobody knows which of these the messages will hold.
LOST: dict[str, tuple[Values, Callable[[Any], Any]]] = {
    "numbers as numbers": (lambda d, _: round(float(d.normal(50, 10)), 2), same),
    "numbers as texts": (lambda d, _: round(float(d.normal(50, 10)), 2), str),
    "whole numbers as texts": (lambda d, _: int(d.integers(0, 9)), str),
    "booleans": (lambda d, _: bool(d.random() < 0.3), same),
    "booleans as their texts": (lambda d, _: bool(d.random() < 0.3), lambda v: str(v).lower()),
}


@pytest.mark.parametrize("name", LOST)
def test_what_a_csv_cannot_say_is_taken_either_way(tmp_path: Path, name: str) -> None:
    make, live = LOST[name]
    file = as_csv(tmp_path, rows_of(make, ROWS, 0), lambda v: str(v).lower())
    assert compared(settings(tmp_path, {"file": file, "time": "at"}), make, live) == ([], ["steady"])


#: Where the reference has one type and the messages another, a setting of the feature reconciles them.
RECONCILED: dict[str, tuple[str, Values, Callable[[Any], Any], dict[str, Any]]] = {
    "decimals as text": ("json", lambda d, _: round(float(d.normal(12, 3)), 2), lambda v: f"{v:.2f}", {"type": "numeric"}),
    "whole numbers as text": ("json", lambda d, _: int(d.integers(0, 100)), str, {"type": "numeric"}),
    "exponents as text": ("json", lambda d, _: float(d.normal(0, 1e-9)), lambda v: f"{v:.17E}", {"type": "numeric"}),
    "0 and 1 for booleans": ("json", lambda d, _: bool(d.random() < 0.3), int, {"type": "boolean"}),
    "words for booleans": ("json", lambda d, _: bool(d.random() < 0.3), lambda v: str(v).lower(), {"type": "boolean"}),
    "-999 for none": (
        "json",
        lambda d, _: None if d.random() < 0.2 else float(d.normal()),
        lambda v: -999 if v is None else v,
        {"nulls": [-999]},
    ),
    "texts for none": ("json", lambda d, _: None if d.random() < 0.2 else "k", lambda v: v or "None", {"nulls": ["None", ""]}),
    "nan for none": (
        "json",
        lambda d, _: None if d.random() < 0.2 else float(d.normal()),
        lambda v: "nan" if v is None else v,
        {"nulls": ["nan"]},
    ),
}


@pytest.mark.parametrize("name", RECONCILED)
def test_a_setting_reconciles_what_differs(tmp_path: Path, name: str) -> None:
    _, make, live, feature = RECONCILED[name]
    file = as_lines(tmp_path, rows_of(make, ROWS, 0), same)
    chosen = settings(tmp_path, {"file": file, "time": "at"})
    plain = chosen.model_dump(mode="json", exclude_unset=True)
    assert compared(_with(chosen, {"x": feature}), make, live) == ([], ["steady"]), plain
    assert "x" in compared(chosen, make, live)[0] or name.startswith("words")


def _with(configuration: Configuration, features: dict[str, Any]) -> Configuration:
    models = {"m": {**configuration.models["m"].model_dump(exclude_unset=True), "features": features}}
    return Configuration.model_validate({**configuration.model_dump(exclude_unset=True), "models": models})


NAMES = ["x.y", "x*", "?", "[x]", "amount[usd]", " x", "x ", "X", "größe", "a\tb", 'say "x"', "x'y", "select", "x/y", "{x}", "λ", "x,y"]


@pytest.mark.parametrize("write", [as_csv, as_lines], ids=["csv", "json lines"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_kept_to_the_byte(tmp_path: Path, name: str, write: Callable[..., str]) -> None:
    file = write(tmp_path, rows_of(NORMAL, ROWS, 0), same, name)
    assert compared(settings(tmp_path, {"file": file, "time": "at"}), NORMAL, same, name) == ([], ["steady"])


@pytest.mark.parametrize("file", ["a[1].jsonl", "b*.jsonl", "c?.jsonl", "d e.jsonl", "über.jsonl", "it's.jsonl"])
def test_a_file_s_name_is_a_name(tmp_path: Path, file: str) -> None:
    place = Path(as_lines(tmp_path, rows_of(NORMAL, ROWS, 0), same)).rename(tmp_path / file)
    (tmp_path / "bxx.jsonl").write_text('{"at": 1, "x": 99}\n')
    assert compared(settings(tmp_path, {"file": str(place), "time": "at"}), NORMAL, same) == ([], ["steady"])


def _parts(folder: Path) -> list[bytes]:
    lines = Path(as_lines(folder, rows_of(NORMAL, ROWS, 0), same)).read_bytes().splitlines()
    (folder / "train.jsonl").unlink()
    return [b"\n".join(lines[i::3]) + b"\n" for i in range(3)]


@pytest.mark.parametrize("how", ["a list", "a folder", "a pattern", "gzip", "zstd"])
def test_several_files_and_packed_ones_are_one_table(tmp_path: Path, how: str) -> None:
    parts, data = _parts(tmp_path), tmp_path / "data"
    data.mkdir()
    place: Any = str(data)
    if how == "gzip":
        (data / "all.jsonl.gz").write_bytes(gzip.compress(b"".join(parts)))
        place = str(data / "all.jsonl.gz")
    elif how == "zstd":
        (data / "all.jsonl").write_bytes(b"".join(parts))
        duckdb.execute(f"copy (select * from read_json_auto('{data / 'all.jsonl'}')) to '{data / 'all.json.zst'}' (compression zstd)")
        place = str(data / "all.json.zst")
    else:
        for number, part in enumerate(parts):
            (data / f"part-{number}.jsonl").write_bytes(part)
        place = {"a list": sorted(map(str, data.iterdir())), "a pattern": str(data / "part-*.jsonl")}.get(how, place)
    assert compared(settings(tmp_path, {"file": place, "time": "at"}), NORMAL, same) == ([], ["steady"])
