"""Columns as a reference is built from them: the kinds of values they hold, and what a field's type makes of them."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple, Protocol

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ....schemas.stored.reference import Role
from ....schemas.text import CATEGORY, fitted
from ....schemas.unusable import Unusable
from ...decode.interface import MARKS
from ...decode.scalars import FieldType, classify

Integers = NDArray[np.int64]
#: Numbers with NaN for null (one of `MARKS` says more), or Python's values as JSON has them (``UNSET``: missing). Once a type is known:
#: vectors too, shape [rows, size], of which the first number says whether they are there.
Column = NDArray[np.float64] | NDArray[np.int64] | list[object]
#: Beyond these a float does not tell neighbouring integers apart.
EXACT = 2**53

#: Index of every state in `driftbus.schemas.stored.reference.AVAILABILITY`.
PRESENT, NULL, INVALID, MISSING = range(4)
_STATES = {MARKS.null: NULL, MARKS.invalid: INVALID, MARKS.missing: MISSING}


class UnusableReference(Unusable):
    """Data that no reference can be built from. Its text says what to change."""


class Key(NamedTuple):
    """A column: its role, and its name as a feature."""

    role: Role
    name: str


class Chunk(NamedTuple):
    """The next rows: their times (ms; None: the source has none) and columns; a column that is not there is missing in all rows."""

    rows: int
    times: Integers | None
    columns: Mapping[Key, Column]
    ids: Sequence[object] | None = None  #: of the rows; where all columns are asked for, and there are any
    loose: frozenset[Key] = frozenset()  #: whose numbers or booleans may be texts in messages, for the source does not have JSON's types


class Source(Protocol):
    """Rows in the order of their time (or of the file), as often as asked for."""

    label: str

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """These columns, or all, chunk by chunk."""
        ...

    def remarks(self) -> Sequence[str]:
        """What the reader of a reference should know about the rows that were read."""
        ...


class Kind(Enum):
    """What stands in a row."""

    NULL = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    TEXT = auto()
    NESTED = auto()
    MISSING = auto()


_KINDS: dict[type, Kind] = {
    type(None): Kind.NULL,
    bool: Kind.BOOLEAN,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    type(UNSET): Kind.MISSING,
}


def column_of(values: list[object]) -> Column:
    """Python's values, as an array where that loses nothing.

    >>> column_of([1, None, 0.5]), column_of([1, "a"])
    (array([1. , nan, 0.5]), [1, 'a'])
    """
    types = set(map(type, values))
    if (
        types == {type(None)}
        or not types <= {int, float, type(None)}
        or (int in types and any(abs(v) >= EXACT for v in values if type(v) is int))
    ):
        return values
    return np.array(values, dtype=np.float64)


def kinds(column: Column) -> Counter[Kind]:
    """How many rows of each kind; NaN is a null."""
    if isinstance(column, np.ndarray):
        nulls = int(np.isnan(column).sum())
        return Counter({Kind.NULL: nulls, Kind.NUMBER: len(column) - nulls})
    counts: Counter[Kind] = Counter()
    for type_, rows in Counter(map(type, column)).items():
        counts[_KINDS.get(type_, Kind.NESTED)] += rows
    return counts


def numbers(column: Column, *, parse: bool) -> tuple[NDArray[np.float64], Integers]:
    """The value and the state of every row; only values of present rows mean anything.

    >>> [part.tolist() for part in numbers(["1.5", "nil", None], parse=True)]
    [[1.5, 0.0, 0.0], [0, 2, 1]]
    """
    if isinstance(column, np.ndarray):
        values = column.astype(np.float64)
        return values, states_of(values)
    read = _classified(column, "numeric", parse)
    states = np.array([PRESENT if type(v) is float else _STATES[v] for v in read], dtype=np.int64)  # type: ignore[index]  # else a mark
    return np.array([v if type(v) is float else 0.0 for v in read], dtype=np.float64), states


def states_of(numbers: NDArray[np.float64]) -> Integers:
    """The state of every row of numbers."""
    states = np.where(np.isnan(numbers), NULL, np.where(np.isinf(numbers), INVALID, PRESENT))
    bits = np.ascontiguousarray(numbers).view(np.uint64)
    states[bits == MARKS.invalid], states[bits == MARKS.missing] = INVALID, MISSING
    return states


def categories(column: Column, type_: FieldType, *, parse: bool = False) -> list[float | str | int]:
    """The category's text as it is counted, or the mark, of every row; of type text, the whole of it."""
    if isinstance(column, np.ndarray):
        distinct, place = np.unique(column, return_inverse=True)
        texts = [classify(type_, parse, None if math.isnan(value) else value) for value in distinct.tolist()]
        return [texts[i] for i in place.tolist()]
    read = _classified(column, type_, parse)
    return read if type_ == "text" else [fitted(v, CATEGORY) if type(v) is str and len(v) > CATEGORY.most else v for v in read]


def _classified(column: list[object], type_: FieldType, parse: bool = False) -> list[float | str | int]:
    types = set(map(type, column)) - {type(None)}
    if len(types) == 1 and types <= {str, bool}:
        # Each value but once. (Values of several types would meet in one key: 1 == True == 1.0.)
        memory = {value: classify(type_, parse, value) for value in set(column)}
        return [memory[value] for value in column]
    return [classify(type_, parse, value) for value in column]


def codes(read: Sequence[float | str | int], known: Mapping[object, int]) -> tuple[Integers, Integers]:
    """The index of every row's category (of *other*: one behind the last), and the state of every row."""
    other = len(known)
    places = known | {mark: -state for mark, state in _STATES.items()}  # type: ignore[operator]  # a dict
    found = np.array([places.get(value, other) for value in read], dtype=np.int64)
    return found, np.where(found < 0, -found, PRESENT)
