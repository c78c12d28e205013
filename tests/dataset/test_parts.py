"""Rows in files: the same bytes however they come, bounded, whatever they hold and whatever columns are called."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from driftbus.consumers.dataset.parts import Column, Parts, named

COLUMNS = named(
    [
        Column("id", "id", "VARCHAR"),
        Column("Id", "feature", "DOUBLE", "Id"),
        Column('a"; drop table rows; --', "feature", "TIMESTAMP", "x"),
        Column("flag", "feature", "BOOLEAN", "flag"),
        Column("vector", "feature", "DOUBLE[]", "vector", size=3),
        Column("time", "time", "BIGINT"),
    ]
)
NAN = float("nan")


def columns(rows: int) -> list[np.ndarray[Any, Any]]:
    draw = np.random.default_rng(0)
    texts, flags, vectors = np.empty(rows, dtype=object), np.empty(rows, dtype=object), draw.normal(size=(rows, 3))
    texts[:] = [None if n % 5 == 0 else "é\0'\"" * (n % 40) for n in range(rows)]
    flags[:] = [(None, "true", "false")[n % 3] for n in range(rows)]
    vectors[::7, 0] = NAN
    numbers = np.where(np.arange(rows) % 4 == 0, NAN, draw.normal(size=rows))
    return [texts, numbers, np.where(np.arange(rows) % 9 == 0, 1e300, 1.7e9 + np.arange(rows)), flags, vectors, np.arange(rows)]


def files(folder: Path, count: int, at_once: int, **bounds: int) -> dict[str, bytes]:
    folder.mkdir()
    parts, whole = Parts(folder, COLUMNS, **bounds), columns(count)
    for start in range(0, count, at_once):
        parts.add([column[start : start + at_once] for column in whole])
    parts.close()
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_the_bytes_are_the_same_however_rows_come(tmp_path: Path) -> None:
    one, *others = (files(tmp_path / str(n), 1_000, n, rows=300, size=5_000) for n in (1_000, 7, 300, 1))
    assert len(one) > 4
    assert all(one == other for other in others)


def test_values_are_those_that_were_handed_in(tmp_path: Path) -> None:
    files(tmp_path / "all", 90, 90)
    with duckdb.connect(":memory:") as connection:
        read = connection.execute(f"select * from read_parquet('{tmp_path}/all/part-00000.parquet')")
        names, rows = [name for name, *_ in read.description or ()], read.fetchall()
    assert names == ["id", "Id_2", 'a"; drop table rows; --', "flag", "vector", "time"]
    texts, numbers, _, _, vectors, _ = columns(90)
    for n, (text, number, time, flag, vector, place) in enumerate(rows):
        assert text == texts[n]
        assert number == (None if np.isnan(numbers[n]) else numbers[n])
        assert (time is None) == (n % 9 == 0)
        assert flag == (None, True, False)[n % 3]
        assert vector == (None if n % 7 == 0 else vectors[n].tolist())
        assert place == n


@pytest.mark.parametrize(("rows", "size"), [(10, 1 << 20), (1_000, 2_000)])
def test_parts_are_bounded(tmp_path: Path, rows: int, size: int) -> None:
    parts, whole = Parts(tmp_path, COLUMNS, rows=rows, size=size), columns(500)
    parts.add(whole)
    written, told = parts.close()
    assert sum(part.rows for part in written) == 500
    assert all(part.rows <= rows for part in written)
    assert len(written) >= 500 // rows
    assert told[1].null == int(np.isnan(whole[1]).sum())


def test_of_no_rows_there_is_a_part_with_the_columns(tmp_path: Path) -> None:
    parts = Parts(tmp_path, COLUMNS)
    [part], told = parts.close()
    assert part.rows == 0
    assert [column.type for column in told] == [column.type for column in COLUMNS]
