"""Payloads to columns of one schema: the fast path for most, the tolerant one for those it refuses, the same result from either."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ...schemas.configuration.mapping import Mapping
from ...schemas.stored.reference import CategoricalProfile, EmbeddingProfile, NumericProfile, ProfiledField, Values
from .interface import MARKS, Columns, InvalidField, Rejected
from .nulls import Nulls
from .personal import NO_KEYS, NO_RULE, Keys, Rule
from .reader import JSONReader, Leaf
from .scalars import FieldType, classify, complaint, vector_of
from .times import seconds_of_numbers, seconds_of_texts
from .tolerant import NotAnObject, Undecodable, decode_generic, member

_BOOLEAN = {True: "true", False: "false", None: MARKS.null, UNSET: MARKS.missing}


class Wanted(NamedTuple):
    """One field of a schema: where it is and how it is read."""

    path: tuple[str, ...]
    type: FieldType
    parse: bool = False
    size: int = 0  #: of an embedding; 0: of any size, of which only the first number is read
    nulls: Nulls = Nulls()
    zone: str = "UTC"
    rule: Rule = NO_RULE

    def read(self, value: object) -> float | str | int:
        """One value, as `classify` says it; of vectors: `vector_of`."""
        if self.nulls.hold(value):
            return MARKS.null
        found = classify(self.type, self.parse, value, self.zone)
        return self.rule.of_text(found) if isinstance(found, str) else found

    @property
    def leaf(self) -> Leaf:
        """What the fast path takes for it; all else goes the tolerant way."""
        match self.type:
            case "numeric":
                return Leaf(self.path, str | float | None if self.parse or self.nulls.texts else None)
            case "timestamp":
                return Leaf(self.path, str | int | float | None)
            case "boolean":
                return Leaf(self.path, bool | str | int | float | None if self.parse else bool | None)
            case "text":
                return Leaf(self.path, str | None)
            case "embedding":
                return Leaf(self.path, size=self.size)
        return Leaf(self.path, str | int | float | bool | None)


def wanted(mapping: Mapping, fields: Sequence[ProfiledField], keys: Keys = NO_KEYS) -> tuple[Wanted, ...]:
    """The schema of a reference's fields; ``keys``: of the hashes by which some are known."""
    return tuple(
        Wanted(mapping.field(f.role, f.name), f.type, *form_of(f.values), Nulls.of(f.nulls), f.zone, keys.rule(f.rule)) for f in fields
    )


def form_of(values: Values | None) -> tuple[bool, int]:
    """Whether texts are parsed, and the size of vectors."""
    parse = isinstance(values, NumericProfile | CategoricalProfile) and values.parse
    return parse, values.size if isinstance(values, EmbeddingProfile) else 0


class DecodedRows(NamedTuple):
    """What one pass over payloads found."""

    beside: list[list[Any]]  # JSON scalars: the columns of the leaves read beside the schema's own
    refused: list[int]  #: rows in which the fast path read nothing, `beside` neither
    columns: Columns


class ColumnDecoder:
    """Columns of one schema; other leaves (whose rows they are) can be read beside them, for one pass instead of two."""

    def __init__(self, schema: Sequence[Wanted], beside: Sequence[Leaf] = ()) -> None:
        self._beside = len(beside)
        self._numeric = [f for f in schema if f.type in ("numeric", "timestamp")]
        self._categorical = [f for f in schema if f.type in ("categorical", "boolean", "text")]
        self._vectors = [f for f in schema if f.type == "embedding"]
        self._slots = [(f, i) for fields in (self._numeric, self._categorical, self._vectors) for i, f in enumerate(fields)]
        self._packed = [i for i, f in enumerate(self._numeric) if f.leaf.number]
        self._parsed = [i for i, f in enumerate(self._numeric) if not f.leaf.number]
        numeric = [self._numeric[i] for i in (*self._packed, *self._parsed)]
        self._reader = JSONReader((*beside, *(f.leaf for f in (*numeric, *self._categorical, *self._vectors))))

    @property
    def fast(self) -> bool:
        """Whether there is a message type for all that is read; else every payload goes the tolerant way."""
        return self._reader.fits

    def read(self, values: Sequence[bytes | None]) -> DecodedRows:
        """All fields of all payloads."""
        members = self._reader.read(values)
        beside, others = members.others[: self._beside], members.others[self._beside :]
        invalid: list[InvalidField] = []
        numeric = members.numbers
        for i, field in enumerate(self._numeric[i] for i in self._packed):
            field.nulls.put(numeric[:, i])
        if self._parsed:
            numeric = np.empty((len(values), len(self._numeric)))
            numeric[:, self._packed] = members.numbers
            for i, column in zip(self._parsed, others, strict=False):
                self._put_parsed(numeric[:, i], self._numeric[i], column, invalid)
        categorical = [self._texts(f, column, invalid) for f, column in zip(self._categorical, others[len(self._parsed) :], strict=True)]
        columns = Columns(numeric, categorical, invalid, vectors=members.vectors)
        for row in sorted({*members.refused, *_not_utf8(values)}):
            try:
                self._put(row, decode_generic(values[row]), columns, categorical)
            except Undecodable as reason:
                self._put(row, {}, columns, categorical)
                columns.rejected.append(Rejected(row, str(reason)))
        invalid.sort(key=lambda field: field.row)
        return DecodedRows(beside, members.refused, columns)

    def _put_parsed(self, numbers: NDArray[np.float64], field: Wanted, column: Sequence[object], invalid: list[InvalidField]) -> None:
        """Numbers that travel as text, and times."""
        rows: Sequence[int] = range(len(column))
        if field.type == "timestamp":
            if field.nulls:
                column = [None if field.nulls.hold(value) else value for value in column]
            numbers[:], rows = _seconds(column, field.zone)
        for row in rows:
            number = field.read(column[row])
            if isinstance(number, float):
                numbers[row] = number
            else:
                numbers.view(np.uint64)[row] = number
            if number == MARKS.invalid:
                invalid.append(_invalid(row, field, column[row]))

    def _texts(self, field: Wanted, column: list[Any], invalid: list[InvalidField]) -> list[object]:
        """Of a categorical field; of booleans that may be written otherwise, each by itself."""
        if not field.parse:
            read = _texts(field.type, column)
            if field.nulls:
                read = [MARKS.null if field.nulls.hold(value) else value for value in read]
            return read if field.rule is NO_RULE else field.rule.column(read)
        found: list[object] = [field.read(value) for value in column]
        invalid += [_invalid(row, field, column[row]) for row, value in enumerate(found) if value == MARKS.invalid]
        return found

    def _put(self, row: int, message: dict[str, Any], columns: Columns, categorical: Sequence[list[object]]) -> None:
        """The fields of one message, each by itself."""
        invalid: dict[str, InvalidField] = {}  # by place: a wrong object on the way to many fields is said once
        for field, index in self._slots:
            try:
                value = member(message, field.path)
                found = vector_of(field.size, value) if field.type == "embedding" else field.read(value)
                if found == MARKS.invalid:
                    invalid[".".join(field.path)] = _invalid(row, field, value)
            except NotAnObject as error:
                found = MARKS.invalid
                invalid[error.where] = InvalidField(row, error.where, str(error))
            if field.type in ("categorical", "boolean", "text"):
                categorical[index][row] = found
            elif field.type == "embedding":
                vector = columns.vectors[index][row]
                if isinstance(found, list):
                    vector[:] = found[: len(vector)]
                else:
                    vector.view(np.uint64)[0] = found
            elif isinstance(found, float):
                columns.numeric[row, index] = found
            else:
                columns.numeric.view(np.uint64)[row, index] = found
        columns.invalid.extend(invalid.values())


def _invalid(row: int, field: Wanted, value: object) -> InvalidField:
    where = ".".join(field.path)
    return InvalidField(row, where, f"{where}: {complaint(field.type, value, field.size)}")


def _seconds(column: Sequence[Any], zone: str) -> tuple[NDArray[np.float64], list[int]]:
    """The times of a column as far as they are texts or numbers of times, and the rows in which there is something else."""
    seconds = np.full(len(column), np.nan)
    read: Callable[[list[Any]], NDArray[np.float64]]  # of values of these kinds
    for kinds, read in (({str}, partial(seconds_of_texts, zone=zone)), ({int, float}, seconds_of_numbers)):
        rows = [row for row, value in enumerate(column) if type(value) in kinds]
        seconds[rows] = read([column[row] for row in rows])
    return seconds, np.flatnonzero(np.isnan(seconds)).tolist()


def _texts(kind: FieldType, column: list[Any]) -> list[object]:
    """A categorical column as the fast path read it, all of it valid. By the values' types, never by the values: 1 == True == 1.0."""
    if kind == "boolean":
        return list(map(_BOOLEAN.__getitem__, column))
    types = set(map(type, column))
    if types <= {str}:
        return column
    if types <= {str, int}:
        return list(map(str, column))
    return [value if type(value) is str else classify(kind, False, value) for value in column]


def _not_utf8(values: Sequence[bytes | None]) -> list[int]:
    """Rows with bytes that are no text: the fast path looks only at what it reads, the verdict on a payload must not depend on that."""
    try:
        if all(map(bytes.isascii, values)):  # type: ignore[arg-type]  # a tombstone ends it: looked at below
            return []
    except TypeError:
        pass
    return [row for row, value in enumerate(values) if value and not _is_utf8(value)]


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
