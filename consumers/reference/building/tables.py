"""Files of rows (Parquet, CSV, JSON) in the order of their time, larger than memory if need be: DuckDB does the work."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from ....schemas.configuration import Table
from ....schemas.stored.reference import Role
from ..files import sql_file, sql_text
from .columns import EXACT, Chunk, Column, Key, UnusableReference

#: Rows at a time: a row group of DuckDB; where rows hold lists, as many as fit into memory whatever their length.
CHUNK_ROWS, CHUNK_ROWS_OF_LISTS = 122_880, 2_048
MEMORY_LIMIT = "1GB"
# All rows decide on a column's type: the first text may stand at the end. Columns are those in the file, none of its folders' names.
_READ_CSV, _READ_JSON = (f"read_{kind}({{}}, sample_size = -1, hive_partitioning = false)" for kind in ("csv", "json"))
_READERS = {
    ".parquet": "read_parquet({}, hive_partitioning = false)",
    ".csv": _READ_CSV,
    ".tsv": _READ_CSV,
    ".jsonl": _READ_JSON,
    ".ndjson": _READ_JSON,
    ".json": _READ_JSON,
}
_PACKED = (".gz", ".zst")
_NUMBER = r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))"


class UnusableTable(UnusableReference):
    """A file that cannot be read as the configuration describes it. Its text says what to change."""


class ReadRows(NamedTuple):
    """The next rows of a table: times in ms, and by name the columns; nulls are masked, so that they differ from NaN.

    A column of lists of numbers is one of objects: of arrays.
    """

    first: int  #: number of the first row
    times: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.generic]]


class TableRows:
    """A table's rows, sorted stably by its time; without a time column row i stands at i seconds. Made by `open_table`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, types: Mapping[str, str]) -> None:
        self.table = table
        read = {name: _expression(name, type_) for name, type_ in types.items() if name != table.time}
        self.names = tuple(name for name, expression in read.items() if expression)  #: all columns but the time, those of a role included
        self.nested = tuple(name for name, expression in read.items() if not expression)  #: of objects, or lists of them: not read
        self._lists = {name for name in self.names if types[name].endswith("]")}
        self._connection = connection
        self.rows = int(connection.execute("select count(*) from ordered").fetchall()[0][0])

    @property
    def features(self) -> list[str]:
        """The columns that are neither of a role nor ignored."""
        taken = {self.table.id, self.table.prediction, self.table.score, self.table.model, self.table.version, *self.table.ignore}
        return [name for name in self.names if name not in taken]

    def chunks(self, names: Sequence[str] | None = None, rows: int = CHUNK_ROWS) -> Iterator[ReadRows]:
        """These columns, or all, from the first row to the last."""
        wanted = self.names if names is None else names
        columns = ", ".join(["t", *(f"c{self.names.index(name)}" for name in wanted)])
        rows = min(rows, CHUNK_ROWS_OF_LISTS) if self._lists.intersection(wanted) else rows
        for first in range(0, self.rows, rows):
            query = f"select {columns} from ordered where rowid >= {first} and rowid < {first + rows}"
            times, *values = self._connection.execute(query).fetchnumpy().values()
            if self.table.time is None:
                times = np.arange(first, first + len(times), dtype=np.int64) * 1000
            yield ReadRows(first, np.asarray(times, dtype=np.int64), dict(zip(wanted, values, strict=True)))


@contextmanager
def open_table(table: Table, where: Mapping[str, str] | None = None, memory_limit: str = MEMORY_LIMIT) -> Iterator[TableRows]:
    """Read and sort a table; what does not fit into the memory limit lies in a temporary folder until the end of the context.

    ``where`` keeps the rows in which columns have these values.
    """
    with tempfile.TemporaryDirectory(prefix="driftbus-") as folder, _connected(folder, memory_limit) as connection:
        source = _reader(table.file)
        try:
            described = connection.execute(f"describe select * from {source}").fetchall()
            types = {str(name): str(type_) for name, type_, *_ in described}
            _check_columns(table, types)
            columns = [column for name, type_ in types.items() if name != table.time and (column := _expression(name, type_))]
            values = [f"{column} as c{i}" for i, column in enumerate(columns)]
            conditions = [f"{_quoted(name)}::varchar = {sql_text(value)}" for name, value in (where or {}).items()]
            time = "0" if table.time is None else _time(table.time, types[table.time])
            # `row_number` is the file's order, by which rows of one time stay sorted.
            read = f"select {', '.join(['row_number() over () as r', f'{time} as t', *values])} from {source}"
            kept = f" where {' and '.join(conditions)}" if conditions else ""
            connection.execute(f"create table ordered as select * exclude r from ({read}{kept}) order by t, r")
        except duckdb.Error as error:
            msg = f"{table.file} cannot be read: {str(error).splitlines()[0]}"
            raise UnusableTable(msg) from error
        _check_times(connection, table)
        yield TableRows(connection, table, types)


@contextmanager
def _connected(folder: str, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": folder,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(str(Path(folder) / "rows.duckdb"), config=settings) as connection:
        connection.execute("set timezone = 'UTC'")  # what naive times are
        yield connection


def _reader(file: str) -> str:
    path = Path(file)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = next((suffix for suffix in reversed(suffixes) if suffix not in _PACKED), "")
    if kind not in _READERS:
        msg = f"{file} is not a table that can be read; use one of {', '.join(_READERS)}"
        raise UnusableTable(msg)
    if not path.is_file():
        msg = f"{file} does not exist in {Path.cwd()}" if not path.is_absolute() else f"{file} does not exist"
        raise UnusableTable(msg)
    return _READERS[kind].format(sql_file(path))


def _check_columns(table: Table, types: Mapping[str, str]) -> None:
    roles = {role: getattr(table, role) for role in ("time", "id", "prediction", "score", "model", "version")}
    for role, name in [*roles.items(), *(("ignore", name) for name in table.ignore)]:
        if name is not None and name not in types:
            msg = f"{table.file} has no column {name!r} ({role}); its columns: {', '.join(types)}"
            raise UnusableTable(msg)


def _check_times(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    rows, without = connection.execute("select count(*), count(*) - count(t) from ordered").fetchall()[0]
    if without:
        msg = (
            f"{table.file}: {without:,} of {rows:,} rows have no time in column {table.time!r} (null, or neither ISO 8601 nor epoch "
            "milliseconds); fill them, leave these rows out, or leave out `time` to take the file's order"
        )
        raise UnusableTable(msg)


def _expression(name: str, type_: str) -> str | None:
    """How a column is selected, as one of: integers, doubles, booleans, text, lists of doubles. None: an object, or a list of others."""
    column = _quoted(name)
    if type_ in {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "BOOLEAN", "DOUBLE", "VARCHAR"}:
        return column
    if type_ in {"FLOAT", "UBIGINT", "HUGEINT", "UHUGEINT"} or type_.startswith("DECIMAL"):
        return f"{column}::double"
    if type_.startswith("TIMESTAMP") or type_ == "DATE":
        return f"strftime({column}::timestamp, '%Y-%m-%dT%H:%M:%S.%gZ')"
    if type_ == "JSON":  # a column of mixed types: texts without their quotes, numbers as they are written
        return f"{column} ->> '$'"
    if re.fullmatch(rf"{_NUMBER}\[\d*\]", type_):
        return f"{column}::double[]"
    if type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION")) or type_ == "BLOB":
        return None
    return f"{column}::varchar"


def _time(name: str, type_: str) -> str:
    column = _quoted(name)
    if type_ == "VARCHAR":
        return f"coalesce(epoch_ms(try_cast({column} as timestamptz)), try_cast({column} as bigint))"
    if type_.startswith("TIMESTAMP") or type_ == "DATE":
        return f"epoch_ms({column}::timestamptz)"
    return f"try_cast({column} as bigint)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class TableSource:
    """A table as the source of a reference."""

    def __init__(self, rows: TableRows) -> None:
        self.label = rows.table.file
        self._rows = rows
        roles: list[tuple[Role, str | None]] = [("prediction", rows.table.prediction), ("score", rows.table.score)]
        self._names = {Key("feature", name): name for name in rows.features}
        self._names |= {Key(role, role): name for role, name in roles if name is not None}

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """These columns, or all, chunk by chunk."""
        wanted, id_ = list(self._names) if keys is None else keys, self._rows.table.id if keys is None else None
        for rows in self._rows.chunks([*(self._names[key] for key in wanted), *([] if id_ is None else [id_])]):
            columns = {key: _column(rows.columns[self._names[key]]) for key in wanted}
            ids = None if id_ is None else listed(rows.columns[id_])
            yield Chunk(len(rows.times), None if self._rows.table.time is None else rows.times, columns, ids)

    def remarks(self) -> Sequence[str]:
        """Columns that are not read at all."""
        return [f"column {name} holds objects, or lists of other things than numbers, and is not read" for name in self._rows.nested]


def _column(values: NDArray[np.generic]) -> Column:
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    plain = np.ma.getdata(values)
    if plain.dtype.kind == "f":
        numbers = plain.astype(np.float64)
        return np.where(np.isnan(numbers) if masked is None else masked | np.isnan(numbers), np.nan, numbers)
    if plain.dtype.kind in "iu":
        if masked is None:
            return plain.astype(np.int64)
        if not len(plain) or np.abs(plain[~masked]).max(initial=0) < EXACT:
            return np.where(masked, np.nan, plain.astype(np.float64))
    return listed(values)


def listed(values: NDArray[np.generic]) -> list[object]:
    """A column as Python's values, None where it is masked, lists of numbers as lists."""
    of_all: list[object] = np.ma.getdata(values).tolist()
    if values.dtype.kind == "O":
        of_all = [value.tolist() if isinstance(value, np.ndarray) else value for value in of_all]
    if not isinstance(values, np.ma.MaskedArray):
        return of_all
    return [None if hidden else value for value, hidden in zip(of_all, np.ma.getmaskarray(values).tolist(), strict=True)]
