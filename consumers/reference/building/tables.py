"""Files of rows (Parquet, CSV, JSON) in the order of their time, larger than memory if need be: DuckDB does the work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ....schemas.configuration import Table
from ....schemas.stored.reference import Role
from ...decode.tolerant import Undecodable, decode_generic
from ..files import sql_text
from ..scratch import scratch
from .columns import EXACT, Chunk, Column, Key, column_of
from .table_columns import ROW, ReadColumn, TableFile, table_file
from .table_files import UnusableTable, files_of

__all__ = ["MEMORY_LIMIT", "OF_TEXTS", "ReadRows", "TableRows", "TableSource", "UnusableTable", "listed", "open_table"]

#: Rows at a time: a row group of DuckDB; where rows hold lists or are objects, as many as fit into memory whatever their length.
CHUNK_ROWS, CHUNK_ROWS_OF_LISTS = 122_880, 2_048
MEMORY_LIMIT = "1GB"
#: Types of fields whose texts are what they are, whatever they look like.
OF_TEXTS = frozenset({"categorical", "text", "timestamp"})
#: A file's rows, behind those of the files in front of it.
_MOST_ROWS = 2**40


class ReadRows(NamedTuple):
    """The next rows of a table: times in ms, and by name the columns; nulls are masked, so that they differ from NaN.

    A column of lists of numbers is one of objects: of arrays. Of a file of JSON objects a column is a list of what they hold (`UNSET`:
    it is missing).
    """

    first: int  #: number of the first row
    times: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.generic] | list[object]]
    numbers: NDArray[np.int64]  #: of the rows in their file, from 1; of a CSV from 2: its lines, if no text goes over several


class TableRows:
    """A table's rows, sorted stably by its time; without a time column row i stands at i seconds. Made by `open_table`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, columns: Mapping[str, Sequence[ReadColumn]]) -> None:
        self.table = table
        self._json = any(column.type == "JSON" for of_files in columns.values() for column in of_files)
        read = {name: self._json or all(column.value for column in of_files) for name, of_files in columns.items() if name != table.time}
        self.names = tuple(name for name, is_read in read.items() if is_read)  #: all columns but the time, those of a role included
        self.nested = tuple(name for name, is_read in read.items() if not is_read)  #: of objects, or lists of them: not read
        #: Columns whose values may be texts in messages, whatever they are here, for the file does not say.
        self.loose = frozenset(name for name in self.names if any(column.loose for column in columns[name]))
        self._lists = {name for name in self.names if any(column.type.endswith("]") for column in columns[name])}
        self._connection = connection
        self.rows = int(connection.execute("select count(*) from ordered").fetchall()[0][0])

    @property
    def features(self) -> list[str]:
        """The columns that are neither of a role nor ignored."""
        table = self.table
        roles = table.id, table.entity, table.as_of, table.prediction, table.score, table.model, table.version
        taken = {*roles, *table.ignore}
        return [name for name in self.names if name not in taken]

    def chunks(self, names: Sequence[str] | None = None, rows: int = CHUNK_ROWS) -> Iterator[ReadRows]:
        """These columns, or all, from the first row to the last."""
        wanted = self.names if names is None else names
        columns = ", ".join(["t", "r", *(["j"] if self._json else (f"c{self.names.index(name)}" for name in wanted))])
        rows = min(rows, CHUNK_ROWS_OF_LISTS) if self._json or self._lists.intersection(wanted) else rows
        for first in range(0, self.rows, rows):
            query = f"select {columns} from ordered where rowid >= {first} and rowid < {first + rows}"
            times, numbers, *values = self._connection.execute(query).fetchnumpy().values()
            if self.table.time is None:
                times = np.arange(first, first + len(times), dtype=np.int64) * 1000
            found = _members(self.label, values[0], wanted) if self._json else dict(zip(wanted, values, strict=True))
            yield ReadRows(first, np.asarray(times, dtype=np.int64), found, np.asarray(numbers, dtype=np.int64) % _MOST_ROWS)

    @property
    def label(self) -> str:
        """The file, or files, by the name that the configuration has for them."""
        return _label(self.table)


def _label(table: Table) -> str:
    return table.file if isinstance(table.file, str) else ", ".join(table.file)


def _members(label: str, objects: NDArray[np.generic], names: Sequence[str]) -> dict[str, list[object]]:
    """The members of objects, read as those of messages are."""
    try:
        read = [decode_generic(str(one).encode()) for one in objects.tolist()]
    except Undecodable as error:
        msg = f"{label} cannot be read: {error}"
        raise UnusableTable(msg) from None
    return {name: [one.get(name, UNSET) for one in read] for name in names}


def _typed(_: str) -> bool:
    return False


@contextmanager
def open_table(
    table: Table,
    where: Mapping[str, str] | None = None,
    memory_limit: str = MEMORY_LIMIT,
    raw: Callable[[str], bool] = _typed,
    zone: str = "UTC",
    otherwise: str | None = None,
) -> Iterator[TableRows]:
    """Read and sort a table; what does not fit into the memory limit lies in a temporary folder until the end of the context.

    ``where`` keeps the rows in which columns have these values; ``raw``: texts of these columns of a CSV stay texts, whatever they look
    like; ``zone``: of times that name none; ``otherwise``: the column of the time of rows that have none.
    """
    with scratch() as folder, _connected(folder, memory_limit, zone) as connection:
        try:
            files = [table_file(connection, file, raw) for file in files_of(table.file)]
            columns: dict[str, list[ReadColumn]] = {}
            for file in files:
                for name, column in file.columns.items():
                    columns.setdefault(name, []).append(column)
            _check_columns(table, list(columns))
            connection.execute(_ordered(table, files, columns, where or {}, otherwise))
        except duckdb.Error as error:
            msg = f"{_label(table)} cannot be read: {str(error).splitlines()[0]}"
            raise UnusableTable(msg) from error
        _check_times(connection, table)
        yield TableRows(connection, table, columns)


def _ordered(
    table: Table,
    files: Sequence[TableFile],
    columns: Mapping[str, Sequence[ReadColumn]],
    where: Mapping[str, str],
    otherwise: str | None,
) -> str:
    """Makes the table that is read from: of all files, in the order of time, and of the files where times are equal."""
    names = [name for name, of_files in columns.items() if name != table.time and all(column.value for column in of_files)]
    parts = []
    for number, file in enumerate(files):
        if "JSON" in {column.type for column in file.columns.values()}:
            values = ["j"]
        else:
            values = [f"{file.columns[n].value if n in file.columns else 'null'} as c{i}" for i, n in enumerate(names)]
        time = "0" if table.time is None else _time(file.columns.get(table.time))
        if otherwise is not None:
            time = f"coalesce({time}, {_time(file.columns.get(otherwise))})"
        conditions = [f"{file.columns[n].text if n in file.columns else 'null'} = {sql_text(_whole(v))}" for n, v in where.items()]
        kept = f" where {' and '.join(conditions)}" if conditions else ""
        parts.append(f"select {', '.join([f'{ROW} + {number * _MOST_ROWS} as r', f'{time} as t', *values])} from {file.relation}{kept}")
    return f"create table ordered as select * from ({' union all '.join(parts)}) order by t, r"


def _whole(value: str) -> str:
    """A number that is whole names the same model, or version, however it is written."""
    number, point, zeros = value.partition(".")
    return number if point and zeros and not zeros.strip("0") and number.lstrip("+-").isdigit() else value


@contextmanager
def _connected(folder: str, memory_limit: str, zone: str) -> Iterator[duckdb.DuckDBPyConnection]:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": folder,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(str(Path(folder) / "rows.duckdb"), config=settings) as connection:
        connection.execute(f"set timezone = {sql_text(zone)}")  # what naive times are of
        yield connection


def _check_columns(table: Table, names: Sequence[str]) -> None:
    roles = {role: getattr(table, role) for role in ("time", "id", "prediction", "score", "model", "version")}
    for role, name in [*roles.items(), *(("ignore", name) for name in table.ignore)]:
        if name is not None and name not in names:
            msg = f"{_label(table)} has no column {name!r} ({role}); its columns: {', '.join(names)}"
            raise UnusableTable(msg)


def _check_times(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    rows, without, first = connection.execute("select count(*), count(*) - count(t), min(r) filter (t is null) from ordered").fetchall()[0]
    if without:
        msg = (
            f"{_label(table)}: {without:,} of {rows:,} rows have no time in column {table.time!r} (null, or neither ISO 8601 nor epoch "
            f"milliseconds), row {first % _MOST_ROWS:,} first; fill them, leave these rows out, or leave out `time` to take the "
            "file's order"
        )
        raise UnusableTable(msg)


def _time(column: ReadColumn | None) -> str:
    """In ms. A text may be one of either: ISO 8601, or an epoch."""
    if column is None:
        return "null::bigint"
    if column.type in {"VARCHAR", "JSON"}:
        return f"coalesce(epoch_ms(try_cast({column.text} as timestamptz)), try_cast({column.text} as bigint))"
    if column.type.startswith("TIMESTAMP") or column.type == "DATE":
        return f"epoch_ms({column.instant}::timestamptz)"
    return f"try_cast({column.value} as bigint)"


class TableSource:
    """A table as the source of a reference."""

    def __init__(self, rows: TableRows, columns: Mapping[Key, str] | None = None) -> None:
        """``columns``: those that are read, and what each is; None: as the table's settings have it."""
        self.label, self.rows = rows.label, rows.rows
        self._rows = rows
        self._names = dict(_named(rows) if columns is None else columns)
        self._loose = frozenset(key for key, name in self._names.items() if name in rows.loose)

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """These columns, or all, chunk by chunk."""
        wanted, id_ = list(self._names) if keys is None else keys, self._rows.table.id if keys is None else None
        for rows in self._rows.chunks([*(self._names[key] for key in wanted), *([] if id_ is None else [id_])]):
            columns = {key: _column(rows.columns[self._names[key]]) for key in wanted}
            ids = None if id_ is None else listed(rows.columns[id_])
            yield Chunk(len(rows.times), None if self._rows.table.time is None else rows.times, columns, ids, self._loose)

    def remarks(self) -> Sequence[str]:
        """Columns that are not read at all."""
        return [f"column {name} holds objects, or lists of other things than numbers, and is not read" for name in self._rows.nested]


def _named(rows: TableRows) -> dict[Key, str]:
    roles: list[tuple[Role, str | None]] = [("prediction", rows.table.prediction), ("score", rows.table.score)]
    outputs = {Key(role, role): name for role, name in roles if name is not None}
    return {Key("feature", name): name for name in rows.features} | outputs


def _column(values: NDArray[np.generic] | list[object]) -> Column:
    if isinstance(values, list):
        return column_of(values)
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


def listed(values: NDArray[np.generic] | list[object]) -> list[object]:
    """A column as Python's values, None where it is masked, lists of numbers as lists."""
    if isinstance(values, list):
        return values
    of_all: list[object] = np.ma.getdata(values).tolist()
    if values.dtype.kind == "O":
        of_all = [value.tolist() if isinstance(value, np.ndarray) else value for value in of_all]
    if not isinstance(values, np.ma.MaskedArray):
        return of_all
    return [None if hidden else value for value, hidden in zip(of_all, np.ma.getmaskarray(values).tolist(), strict=True)]
