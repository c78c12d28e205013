"""What stands in a table's files, as SQL: the names of their columns to the byte, and how each is selected."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from ..files import sql_file, sql_text
from .table_files import UnusableTable, kind_of

_NUMBER = r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))"
_PLAIN = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "BOOLEAN", "DOUBLE", "VARCHAR"}
#: Texts that JSON would have as numbers. Those that begin with zeros are codes.
_INTEGERS = r"[+-]?(0|[1-9][0-9]{0,14})"
_NUMBERS = r"[+-]?(((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)"
_BOOLEANS = "[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]"
#: No file names a column so.
ROW = '"(row)"'
#: Most names of members in a file of JSON objects: more is an object with, say, an id for a name.
_MOST_NAMES = 5_000


class ReadColumn(NamedTuple):
    """One column of one file."""

    value: str | None  #: as integers, doubles, booleans, text, or lists of doubles; None: it is not read
    text: str  #: as the text that would name a model
    type: str  #: as the file, or what it holds, has it
    instant: str = ""  #: as the time that it is
    loose: bool = False  #: the file, or JSON, does not have its type: a number, or a boolean, may be a text in messages


class TableFile(NamedTuple):
    """One file: a relation of its rows, whose column `ROW` counts them, and its columns."""

    relation: str
    columns: dict[str, ReadColumn]


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def table_file(connection: duckdb.DuckDBPyConnection, file: Path, raw: Callable[[str], bool]) -> TableFile:
    """Look at one; ``raw``: texts of these columns stay texts, whatever they look like."""
    match kind_of(file):
        case "parquet":
            return _parquet(connection, file)
        case "csv":
            return _csv(connection, file, raw)
    return _json(connection, file)


def _parquet(connection: duckdb.DuckDBPyConnection, file: Path) -> TableFile:
    """DuckDB tells apart no names that differ in case only, and renames them: their order says which is which."""
    read = f"read_parquet({sql_file(file)}, hive_partitioning = false)"
    described = [(str(name), str(type_)) for name, type_, *_ in connection.execute(f"describe select * from {read}").fetchall()]
    schema = connection.execute(f"select name, num_children from parquet_schema({sql_file(file)})").fetchall()
    names = list(_top(schema))
    if len(names) != len(described):
        names = [name for name, _ in described]
    columns = {name: _typed(known, type_) for name, (known, type_) in zip(_once(file, names), described, strict=True)}
    return TableFile(f"(select *, row_number() over () as {ROW} from {read})", columns)


def _top(schema: list[tuple[str, int | None]]) -> Iterator[str]:
    """The children of the root, of a tree that is written depth first."""
    inside = list[int]()  # children to come, of every open node
    for name, children in schema:
        if len(inside) == 1:
            yield name
        while inside and inside[-1] == 1:
            inside.pop()
        if inside:
            inside[-1] -= 1
        if children:
            inside.append(children)


def _typed(name: str, type_: str) -> ReadColumn:
    column = quoted(name)
    text = f"{column}::varchar"
    if type_ in {"DOUBLE", "FLOAT"} or type_.startswith("DECIMAL"):
        text = f"regexp_replace({text}, '\\.0+$', '')"
    return ReadColumn(_expression(column, type_), text, type_, column, loose=type_.startswith("DECIMAL"))


def _expression(column: str, type_: str) -> str | None:
    """None: an object, a list of other things than numbers, or bytes."""
    if type_ in _PLAIN:
        return column
    if type_ in {"FLOAT", "UBIGINT", "HUGEINT", "UHUGEINT"} or type_.startswith("DECIMAL"):
        return f"{column}::double"
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({column} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"
    if type_.startswith("TIMESTAMP"):
        return f"strftime({column}::timestamp, '%Y-%m-%dT%H:%M:%S.%g')"
    if re.fullmatch(rf"{_NUMBER}\[\d*\]", type_):
        return f"{column}::double[]"
    if type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION")) or type_ == "BLOB":
        return None
    return f"{column}::varchar"


def _csv(connection: duckdb.DuckDBPyConnection, file: Path, raw: Callable[[str], bool]) -> TableFile:
    """Texts, as they stand there; the first line has the names. A column all of whose texts are numbers, or booleans, is one of these."""
    found = connection.execute(f"select Delimiter, Quote, Escape from sniff_csv({sql_file(file)})").fetchone()
    dialect = zip(("delim", "quote", "escape"), found or (), strict=False)
    options = ", ".join(f"{key} = {sql_text('' if value in (None, '(empty)') else str(value))}" for key, value in dialect)
    read = f"read_csv({sql_file(file)}, {options}, header = false, all_varchar = true, hive_partitioning = false)"
    first = connection.execute(f"select * from {read} limit 1")
    cells, known = first.fetchone(), [str(column[0]) for column in first.description or ()]
    if cells is None:
        msg = f"{file} is empty"
        raise UnusableTable(msg)
    written = [f"column{i}" if cell is None else str(cell) for i, cell in enumerate(cells)]
    names = _once(file, [written[0].removeprefix("\ufeff"), *written[1:]])
    relation = f"(select * from (select *, row_number() over () as {ROW} from {read}) where {ROW} > 1)"
    kinds = [f"count({quoted(c)})" for c in known]
    for pattern in (_INTEGERS, _NUMBERS, _BOOLEANS):
        kinds += [f"count(*) filter (regexp_full_match({quoted(c)}, '{pattern}'))" for c in known]
    counts = connection.execute(f"select {', '.join(kinds)} from {relation}").fetchone() or ()
    there, integers, numbers, booleans = (counts[i * len(known) : (i + 1) * len(known)] for i in range(4))
    columns = {}
    for i, (name, column) in enumerate(zip(names, map(quoted, known), strict=True)):
        text = f"regexp_replace({column}, '^([+-]?[0-9]+)\\.0+$', '\\1')"
        if raw(name) or not there[i]:
            columns[name] = ReadColumn(column, text, "VARCHAR", loose=True)
        elif integers[i] == there[i]:
            columns[name] = ReadColumn(f"{column}::bigint", text, "BIGINT", loose=True)
        elif numbers[i] == there[i]:
            columns[name] = ReadColumn(f"{column}::double", text, "DOUBLE", loose=True)
        elif booleans[i] == there[i]:
            columns[name] = ReadColumn(f"{column}::boolean", text, "BOOLEAN", loose=True)
        else:
            columns[name] = ReadColumn(column, text, "VARCHAR", loose=True)
    return TableFile(relation, columns)


def _json(connection: duckdb.DuckDBPyConnection, file: Path) -> TableFile:
    """Objects, one by one: their members are read as those of messages are, and so have no SQL but for the texts of roles."""
    relation = f"(select json as j, row_number() over () as {ROW} from read_json_objects({sql_file(file)}))"
    keys = f"select unnest(json_keys(j)) as k, {ROW} as r, generate_subscripts(json_keys(j), 1) as n from {relation}"
    found = connection.execute(f"select k from ({keys}) group by k order by min((r, n))").fetchall()
    if len(found) > _MOST_NAMES:
        msg = f"{file}: {len(found):,} names of members; a table has at most {_MOST_NAMES:,}"
        raise UnusableTable(msg)
    return TableFile(relation, {str(name): ReadColumn(None, _member_text(str(name)), "JSON") for (name,) in found})


def _member_text(name: str) -> str:
    """By a JSON pointer. A number that is whole names the same model however it is written."""
    pointer = sql_text("/" + name.replace("~", "~0").replace("/", "~1"))
    text = f"(j ->> {pointer})"
    return f"case json_type(j, {pointer}) when 'DOUBLE' then regexp_replace({text}, '\\.0+$', '') else {text} end"


def _once(file: Path, names: list[str]) -> list[str]:
    """The same names, none of them twice."""
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        msg = f"{file} has two columns of the name {twice!r}: rename one of them"
        raise UnusableTable(msg)
    return names
