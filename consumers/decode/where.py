"""``where:`` of a stream: which records are its rows, by comparisons of what messages, headers and keys hold."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ...schemas.cloud_events import Headers
from ...schemas.configuration.segments import Condition
from ...schemas.configuration.where import Where
from .reader import JSONReader, Leaf
from .scalars import category_text
from .tolerant import NotAnObject, Undecodable, decode_generic, member

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Chooser:
    """Tells of records whether the conditions hold; of a place that holds nothing only ``!=`` does."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._paths = [place.path for place, _ in where.terms if place.source == "path"]
        self._reader = JSONReader([Leaf(path, str | int | float | bool | None) for path in dict.fromkeys(self._paths)])
        self._places = {path: index for index, path in enumerate(dict.fromkeys(self._paths))}

    def needs(self, source: str) -> bool:
        """Whether a condition is about that: ``key``, ``header``, ``path``."""
        return any(place.source == source for place, _ in self._where.terms)

    def chosen(
        self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None, headers: Sequence[Headers] | None
    ) -> NDArray[np.bool_]:
        """Which records are rows; one that cannot be read is, so that its dead letter is written."""
        kept = np.ones(len(values), dtype=bool)
        read = self._reader.read(values) if self._paths else None
        columns = [] if read is None else read.others
        unreadable = dict.fromkeys(read.refused if read is not None else [])
        for row in unreadable:
            try:
                message = decode_generic(values[row])
            except Undecodable:
                unreadable[row] = values[row] is not None
                continue
            for path, index in self._places.items():
                columns[index][row] = _at(message, path)
        for place, condition in self._where.terms:
            if place.source == "path":
                column: Sequence[object] = columns[self._places[place.path]]
            elif place.source == "key":
                assert keys is not None
                column = keys
            else:
                assert headers is not None
                column = [dict(own).get(place.name) for own in headers]
            kept &= np.fromiter((holds(condition, value) for value in column), np.bool_, len(values))
        for row, is_row in unreadable.items():
            if is_row:
                kept[row] = True
        return kept


def _at(message: dict[str, Any], path: tuple[str, ...]) -> object:  # any JSON
    try:
        return member(message, path)
    except NotAnObject:
        return UNSET


def holds(condition: Condition, value: object) -> bool:
    """Whether a value is as the condition says.

    >>> from ...schemas.configuration.segments import conditions
    >>> [holds(conditions("kind == prediction")[0], value) for value in ("prediction", b"prediction", "label", UNSET)]
    [True, True, False, False]
    >>> [holds(conditions("amount > 10")[0], value) for value in (11, "11", None)]
    [True, False, False]
    """
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if condition.operator in _ORDERS:
        return isinstance(value, int | float) and not isinstance(value, bool) and _ORDERS[condition.operator](value, condition.value)
    text = category_text(value) if isinstance(value, str | int | float) and value == value else None  # not of NaN
    same = text == condition.text or (
        isinstance(value, int | float) and not isinstance(value, bool) and isinstance(condition.value, float) and value == condition.value
    )
    return same == (condition.operator == "==")
