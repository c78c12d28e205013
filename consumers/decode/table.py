"""Payloads to columns of one schema: the fast path for most, the tolerant one for those it refuses, the same result from either."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ...schemas.mapping import Mapping
from ...schemas.reference import NumericProfile, ProfiledField
from .interface import MARKS, Columns, InvalidField, Rejected
from .reader import Leaf, Reader
from .scalars import FieldType, classify, complaint
from .tolerant import NotAnObject, Undecodable, decode_generic, member

_BOOLEAN = {True: "true", False: "false", None: MARKS.null, UNSET: MARKS.missing}


class Wanted(NamedTuple):
    """One field of a schema: where it is and how it is read."""

    path: tuple[str, ...]
    type: FieldType
    parse: bool = False

    @property
    def leaf(self) -> Leaf:
        """What the fast path takes for it; all else goes the tolerant way."""
        if self.type == "numeric":
            return Leaf(self.path, str | float | None if self.parse else None)
        return Leaf(self.path, bool | None if self.type == "boolean" else str | int | float | bool | None)


def wanted(mapping: Mapping, fields: Sequence[ProfiledField]) -> tuple[Wanted, ...]:
    """The schema of a reference's fields."""
    return tuple(Wanted(mapping.field(f.role, f.name), f.type, isinstance(f.values, NumericProfile) and f.values.parse) for f in fields)


class Read(NamedTuple):
    """What one pass over payloads found."""

    beside: list[list[Any]]  # JSON scalars: the columns of the leaves read beside the schema's own
    refused: list[int]  #: rows in which the fast path read nothing, `beside` neither
    columns: Columns


class Table:
    """Columns of one schema; other leaves (whose rows they are) can be read beside them, for one pass instead of two."""

    def __init__(self, schema: Sequence[Wanted], beside: Sequence[Leaf] = ()) -> None:
        self._beside = len(beside)
        self._numeric = [f for f in schema if f.type == "numeric"]
        self._categorical = [f for f in schema if f.type != "numeric"]
        self._slots = [*((f, i) for i, f in enumerate(self._numeric)), *((f, i) for i, f in enumerate(self._categorical))]
        self._packed = [i for i, f in enumerate(self._numeric) if not f.parse]
        self._parsed = [i for i, f in enumerate(self._numeric) if f.parse]
        leaves = [self._numeric[i].leaf for i in (*self._packed, *self._parsed)] + [f.leaf for f in self._categorical]
        self._reader = Reader((*beside, *leaves))

    @property
    def fast(self) -> bool:
        """Whether there is a message type for all that is read; else every payload goes the tolerant way."""
        return self._reader.fits

    def read(self, values: Sequence[bytes | None]) -> Read:
        """All fields of all payloads."""
        members = self._reader.read(values)
        beside, others = members.others[: self._beside], members.others[self._beside :]
        invalid: list[InvalidField] = []
        numeric = members.numbers
        if self._parsed:
            numeric = np.empty((len(values), len(self._numeric)))
            numeric[:, self._packed] = members.numbers
            for i, column in zip(self._parsed, others, strict=False):
                self._put_parsed(numeric[:, i], self._numeric[i], column, invalid)
        categorical = [_texts(f.type, column) for f, column in zip(self._categorical, others[len(self._parsed) :], strict=True)]
        columns = Columns(numeric, categorical, invalid)
        for row in sorted({*members.refused, *_not_utf8(values)}):
            try:
                self._put(row, decode_generic(values[row]), columns, categorical)
            except Undecodable as reason:
                self._put(row, {}, columns, categorical)
                columns.rejected.append(Rejected(row, str(reason)))
        invalid.sort(key=lambda field: field.row)
        return Read(beside, members.refused, columns)

    def _put_parsed(self, numbers: NDArray[np.float64], field: Wanted, column: Sequence[object], invalid: list[InvalidField]) -> None:
        """Numbers that travel as text."""
        for row, value in enumerate(column):
            number = classify("numeric", True, value)
            if isinstance(number, float):
                numbers[row] = number
            else:
                numbers.view(np.uint64)[row] = number
            if number == MARKS.invalid:
                invalid.append(_invalid(row, field, value))

    def _put(self, row: int, message: dict[str, Any], columns: Columns, categorical: Sequence[list[object]]) -> None:
        """The fields of one message, each by itself."""
        invalid: dict[str, InvalidField] = {}  # by place: a wrong object on the way to many fields is said once
        for field, index in self._slots:
            try:
                value = member(message, field.path)
                found = classify(field.type, field.parse, value)
                if found == MARKS.invalid:
                    invalid[".".join(field.path)] = _invalid(row, field, value)
            except NotAnObject as error:
                found = MARKS.invalid
                invalid[error.where] = InvalidField(row, error.where, str(error))
            if field.type != "numeric":
                categorical[index][row] = found
            elif isinstance(found, float):
                columns.numeric[row, index] = found
            else:
                columns.numeric.view(np.uint64)[row, index] = found
        columns.invalid.extend(invalid.values())


def _invalid(row: int, field: Wanted, value: object) -> InvalidField:
    where = ".".join(field.path)
    return InvalidField(row, where, f"{where}: {complaint(field.type, value)}")


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
