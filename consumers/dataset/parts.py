"""Rows as Parquet files of bounded size: the same bytes for the same rows, however they are handed in."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.dataset import DatasetColumn, DatasetPart, Role
from ..reference.files import sql_text

Values = NDArray[Any]  # numbers, shape (n,), or (n, size) of vectors; or objects: texts, None
#: Of a part, so many rows; and of what is no number as many bytes, but for the last row.
PART_ROWS, PART_BYTES = 50_000, 1 << 25
#: One thread, so that the bytes are always the same; objects are texts, and nobody looks at them to find out.
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "memory_limit": "1GB", "pandas_analyze_sample": 0}
#: How a column's values, as they are handed in, become those of its type.
_AS = {
    "DOUBLE": "{}",
    "BIGINT": "cast({} as bigint)",
    "BOOLEAN": "cast({} as boolean)",
    "VARCHAR": "{}",
    # seconds since 1970; what is further away than a timestamp reaches is none
    "TIMESTAMP": "case when abs({0}) < 2e11 then make_timestamp(cast(round({0} * 1e6) as bigint)) end",
}


class Column(NamedTuple):
    """One column: its name is unique, whatever it is called in messages."""

    name: str
    role: Role
    type: str
    field: str | None = None
    size: int = 0  #: of a vector

    def sql(self, place: int) -> str:
        """Of what is handed in as `c` and its place, the values."""
        if not self.size:
            return _AS[self.type].format(f"c{place}")
        numbers = ", ".join(f"c{place}_{number}" for number in range(self.size))
        return f"case when c{place}_0 is not null then list_value({numbers}) end"


def named(columns: Sequence[Column]) -> list[Column]:
    """With names that differ by more than their case, and that SQL has a way to write.

    >>> columns = [Column("id", "id", "VARCHAR"), Column("ID", "feature", "DOUBLE"), Column("", "feature", "DOUBLE")]
    >>> [one.name for one in named(columns)]
    ['id', 'ID_2', '_']
    """
    taken, found = set[str](), list[Column]()
    for column in columns:
        plain = "".join(letter if letter.isprintable() else "_" for letter in column.name) or "_"
        name, number = plain, 2
        while name.lower() in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name.lower())
        found.append(column._replace(name=name))
    return found


class Parts:
    """Writes parts into a folder, one behind the other."""

    def __init__(self, folder: Path, columns: Sequence[Column], rows: int = PART_ROWS, size: int = PART_BYTES) -> None:
        self._folder, self._columns, self._most, self._most_bytes = folder, columns, rows, size
        self._waiting: list[list[Values]] = []
        self._rows = self._bytes = 0
        self._nulls = [0] * len(columns)
        self._written: list[DatasetPart] = []
        self._connection = duckdb.connect(":memory:", config=_SETTINGS)

    @property
    def rows(self) -> int:
        """All that were handed in."""
        return sum(part.rows for part in self._written) + self._rows

    def add(self, columns: Sequence[Values]) -> None:
        """The next rows, a column each."""
        sizes = np.cumsum(_sizes(columns))
        start, count = 0, len(columns[0])
        while start < count:
            before = int(sizes[start - 1]) if start else 0
            by_bytes = int(np.searchsorted(sizes, before + self._most_bytes - self._bytes)) + 1
            stop = min(count, start + self._most - self._rows, by_bytes)
            self._waiting.append([column[start:stop] for column in columns])
            self._rows += stop - start
            self._bytes += int(sizes[stop - 1]) - before
            start = stop
            if self._rows >= self._most or self._bytes >= self._most_bytes:
                self._write()

    def close(self) -> tuple[list[DatasetPart], list[DatasetColumn]]:
        """All is there; a set of no rows has one part without any."""
        if self._rows or not self._written:
            self._write()
        self._connection.close()
        told = zip(self._columns, self._nulls, strict=True)
        return self._written, [DatasetColumn(name=c.name, role=c.role, field=c.field, type=c.type, null=null) for c, null in told]

    def _write(self) -> None:
        rows: dict[str, Values] = {}
        for place, (column, parts) in enumerate(zip(self._columns, self._parts(), strict=True)):
            values = np.concatenate(parts) if parts else _none(column)
            self._nulls[place] += _absent(values)
            rows |= {f"c{place}_{number}": values[:, number].copy() for number in range(column.size)} or {f"c{place}": values}
        file = self._folder / f"part-{len(self._written):05}.parquet"
        chosen = ", ".join(f'{column.sql(place)} as "{_quoted(column.name)}"' for place, column in enumerate(self._columns))
        self._connection.execute(
            f"copy (select {chosen} from rows) to {sql_text(str(file))} (format parquet, compression zstd, row_group_size {PART_ROWS})"
        )
        self._written.append(DatasetPart(file=file.name, rows=self._rows, bytes=file.stat().st_size, sha256=hashed(file)))
        self._waiting, self._rows, self._bytes = [], 0, 0

    def _parts(self) -> list[list[Values]]:
        return [list(column) for column in zip(*self._waiting, strict=True)] if self._waiting else [[] for _ in self._columns]


def hashed(file: Path) -> str:
    """The hash of a file's bytes, in hexadecimal digits."""
    found = sha256()
    with file.open("rb") as content:
        while part := content.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _none(column: Column) -> Values:
    """No value of it."""
    if column.size:
        return np.zeros((0, column.size))
    return np.zeros(0, dtype=np.float64 if column.type in ("BIGINT", "DOUBLE", "TIMESTAMP") else object)


def _sizes(columns: Sequence[Values]) -> NDArray[np.int64]:
    """Of each row, the bytes of what is no single number."""
    sizes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        if column.dtype == object:
            sizes += [0 if one is None else len(one) for one in column.tolist()]
        elif column.ndim > 1:
            sizes += 8 * column.shape[1]
    return sizes


def _absent(values: Values) -> int:
    if values.dtype == object:
        return sum(one is None for one in values.tolist())
    first = values[:, 0] if values.ndim > 1 else values
    return int(np.count_nonzero(np.isnan(first))) if values.dtype.kind == "f" else 0
