"""Tables: read in the order of time, within a memory limit, and as messages."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest

from driftbus.consumers.reference.building.columns import Key
from driftbus.consumers.reference.building.tables import ReadRows, TableSource, UnusableTable, listed, open_table
from driftbus.consumers.replay.canonical import messages
from driftbus.schemas.configuration import Table


def write(path: Path, query: str) -> str:
    duckdb.execute(f"copy ({query}) to '{path}'")
    return str(path)


def read(table: Table) -> ReadRows:
    with open_table(table) as rows:
        (chunk,) = rows.chunks()
        return chunk


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "csv.gz"])
def test_rows_of_one_time_stay_in_the_order_of_the_file(tmp_path: Path, suffix: str) -> None:
    draw = np.random.default_rng(0).integers(0, 50, 2_000).tolist()
    unsorted = f"select unnest({draw}) * 1000 as at, generate_subscripts({draw}, 1) as number"
    chunk = read(Table(file=write(tmp_path / f"rows.{suffix}", unsorted), time="at"))
    expected = np.argsort(draw, kind="stable")
    assert [number - 1 for number in listed(chunk.columns["number"])] == expected.tolist()  # type: ignore[operator]  # numbers
    assert chunk.times.tolist() == sorted(at * 1000 for at in draw)


@pytest.mark.parametrize(
    ("expression", "ms"),
    [
        ("timestamp '2026-03-01 10:00:00.25'", 1772359200250),
        ("timestamptz '2026-03-01 10:00:00+02'", 1772352000000),
        ("date '2026-03-01'", 1772323200000),
        ("'2026-03-01T10:00:00'", 1772359200000),
        ("'2026-03-01T10:00:00Z'", 1772359200000),
        ("1772359200250", 1772359200250),
        ("1772359200250.0", 1772359200250),
    ],
)
def test_times_are_utc_milliseconds(tmp_path: Path, expression: str, ms: int) -> None:
    file = write(tmp_path / "one.parquet", f"select {expression} as at, 1 as x")
    assert read(Table(file=file, time="at")).times.tolist() == [ms]


def test_without_a_time_row_i_is_at_i_seconds(tmp_path: Path) -> None:
    chunk = read(Table(file=write(tmp_path / "three.csv", "select unnest([3, 1, 2]) as x")))
    assert (chunk.times.tolist(), listed(chunk.columns["x"])) == ([0, 1000, 2000], [3, 1, 2])


def test_null_is_not_nan(tmp_path: Path) -> None:
    column = read(Table(file=write(tmp_path / "x.parquet", "select unnest([1.5, 'nan'::double, null]) as x"))).columns["x"]
    assert isinstance(column, np.ma.MaskedArray)
    assert column.mask.tolist() == [False, False, True]
    assert np.isnan(column.data[1])


def test_chunks_are_consecutive(tmp_path: Path) -> None:
    table = Table(file=write(tmp_path / "x.parquet", "select (1000 - i) * 1000 as at, i as x from range(1000) r(i)"), time="at")
    with open_table(table) as rows:
        chunks = list(rows.chunks(["x"], rows=300))
    assert [chunk.first for chunk in chunks] == [0, 300, 600, 900]
    assert np.concatenate([chunk.columns["x"] for chunk in chunks]).tolist() == list(range(999, -1, -1))


def test_a_file_larger_than_the_memory_limit_is_sorted(tmp_path: Path) -> None:
    """Ten columns of 1,500,000 random doubles are 120 MB; DuckDB may have half of that."""
    doubles = ", ".join(f"random() as x{i}" for i in range(10))
    file = write(tmp_path / "large.parquet", f"select hash(i) % 1000000000 as at, {doubles} from range(1500000) r(i)")
    assert Path(file).stat().st_size > 100e6
    with open_table(Table(file=file, time="at"), memory_limit="60MB") as rows:
        last, counted = -1, 0
        for chunk in rows.chunks(["x3"]):
            assert chunk.times[0] >= last
            assert (np.diff(chunk.times) >= 0).all()
            last, counted = int(chunk.times[-1]), counted + len(chunk.times)
    assert counted == 1_500_000


def test_columns_of_a_role_are_no_features(tmp_path: Path) -> None:
    query = "select 1 as at, 2.5 as x, true as late, .5 as p, 'm' as model, 'v' as version, 3 as secret, [{'a': 1}] as list"
    file = write(tmp_path / "x.parquet", query)
    table = Table(file=file, time="at", prediction="late", score="p", model="model", version="version", ignore=("secret",))
    with open_table(table) as rows:
        source = TableSource(rows)
        (chunk,) = source.chunks()
    assert list(chunk.columns) == [Key("feature", "x"), Key("prediction", "prediction"), Key("score", "score")]
    assert source.remarks() == ["column list holds objects, or lists of other things than numbers, and is not read"]


def test_messages_are_canonical(tmp_path: Path) -> None:
    columns = "unnest([1.5, null]) as x, unnest(['a', null]) as c, unnest([true, null]) as b, unnest([7, 8]) as p"
    file = write(tmp_path / "x.parquet", f"select unnest([2000, 1000]) as at, {columns}")
    with open_table(Table(file=file, time="at", prediction="p")) as rows:
        found = list(messages(rows, "fraud", "2"))
    expected = {
        "model": "fraud",
        "version": "2",
        "time": 1000,
        "features": {"x": None, "c": None, "b": None},
        "prediction": 8,
        "score": None,
    }
    assert (found[0].timestamp, found[0].key) == (1000, b"fraud")
    assert json.loads(found[0].value) == expected
    assert json.loads(found[1].value)["features"] == {"x": 1.5, "c": "a", "b": True}


def test_messages_have_valid_json_for_awkward_numbers_and_names(tmp_path: Path) -> None:
    file = write(tmp_path / "x.parquet", """select unnest(['nan'::double, 'inf', '-inf']) as "a ""b"" \\ é", 1 as y""")
    with open_table(Table(file=file)) as rows:
        found = [json.loads(message.value) for message in messages(rows, "m")]
    assert [message["features"]['a "b" \\ é'] for message in found] == [None, "Infinity", "-Infinity"]
    assert [message["time"] for message in found] == [0, 1000, 2000]


def test_models_and_versions_may_be_columns(tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", "select unnest(['a', 'b']) as who, unnest([1, 2]) as which, 1 as x")
    with open_table(Table(file=file, model="who", version="which")) as rows:
        found = [(json.loads(m.value)["model"], json.loads(m.value)["version"]) for m in messages(rows, "m")]
    assert found == [("a", "1"), ("b", "2")]
    with open_table(Table(file=file, model="who"), where={"who": "b"}) as rows:
        assert rows.rows == 1


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (Table(file="x.xlsx"), "x.xlsx is not a table that can be read; use one of .parquet, .csv"),
        (Table(file="none.csv"), "none.csv does not exist in "),
        (Table(file="x.csv", time="when"), r"no column 'when' \(time\); its columns: at, x"),
        (Table(file="x.csv", ignore=("y",)), r"no column 'y' \(ignore\)"),
        (Table(file="x.csv", time="at"), "1 of 2 rows have no time in column 'at'"),
        (Table(file="broken.parquet"), "broken.parquet cannot be read: "),
    ],
)
def test_errors_say_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: Table, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("x.csv"), "select unnest(['2026-01-01', 'soon']) as at, 1 as x")
    Path("broken.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(UnusableTable, match=reason), open_table(table):
        pass
