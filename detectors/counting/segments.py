"""Which segment a row belongs to."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration.segments import Condition, conditions
from ...schemas.stored.reference import ProfiledField
from ...schemas.stored.segmentation import Segmentation
from ...schemas.text import CATEGORY, fitted
from .layout import Layout

Codes = NDArray[np.int64]

_COMPARED: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}


class LookedUp(Protocol):
    """Categorical columns, however they are kept."""

    def looked_up(self, column: int, found: Callable[[object], int]) -> Codes:
        """A number for every row, by its value."""
        ...


class Coded:
    """Categorical columns as codes, with the values that they stand for."""

    def __init__(self, codes: Sequence[Codes], values: Sequence[Sequence[object]]) -> None:
        self.codes, self.values = codes, values

    def looked_up(self, column: int, found: Callable[[object], int]) -> Codes:
        """A number for every row, by its value: asked once per value."""
        table = np.array([found(value) for value in self.values[column]], dtype=np.int64)
        return table[self.codes[column]]


class Segmenter:
    """The segments of a reference: for every row the index of its segment."""

    def __init__(self, segmentation: Segmentation, layout: Layout) -> None:
        self.names = tuple(fitted(name, CATEGORY) for name in segmentation.names)
        self._numeric = _places(layout.numeric)
        self._categorical = _places(layout.categorical)
        self._by = None if segmentation.by is None else self._categorical[segmentation.by]
        self._rules = [conditions(segmentation.rules[name]) for name in segmentation.names[:-1]] if self._by is None else []
        self._places = {name: place for place, name in enumerate(self.names[:-1])}

    def of(self, numeric: NDArray[np.float64], categorical: LookedUp) -> Codes:
        """The segment of every row; what is absent fulfils no condition."""
        other = len(self.names) - 1
        if self._by is not None:
            # By the texts only: a mark of an absent value is an int, and no name.
            return categorical.looked_up(self._by, lambda value: self._places.get(value, other) if isinstance(value, str) else other)
        segment = np.full(len(numeric), other, dtype=np.int64)
        for place in reversed(range(other)):
            holds = np.ones(len(numeric), dtype=np.bool_)
            for condition in self._rules[place]:
                holds &= self._holds(condition, numeric, categorical)
            segment[holds] = place
        return segment

    def _holds(self, condition: Condition, numeric: NDArray[np.float64], categorical: LookedUp) -> NDArray[np.bool_]:
        if condition.field in self._numeric:
            column, value = numeric[:, self._numeric[condition.field]], float(condition.value)
            if condition.operator == "!=":
                return np.asarray((column != value) & ~np.isnan(column), dtype=np.bool_)
            return np.asarray(_COMPARED[condition.operator](column, value), dtype=np.bool_)
        text, wanted = fitted(condition.text, CATEGORY), condition.operator == "=="
        found = categorical.looked_up(self._categorical[condition.field], lambda of: isinstance(of, str) and (of == text) == wanted)
        return np.asarray(found > 0, dtype=np.bool_)


def unusable(rule: str, layout: Layout) -> str | None:
    """Why a rule does not suit these fields; None: it does."""
    numeric, categorical = _places(layout.numeric), _places(layout.categorical)
    for condition in conditions(rule):
        if condition.field in numeric:
            if not isinstance(condition.value, float):
                return f"{condition.field} is numeric, and {condition.text!r} is no number; write one, or set its type: categorical"
        elif condition.field not in categorical:
            return f"there is no field {condition.field!r}"
        elif condition.operator not in ("==", "!="):
            return f"{condition.field} is not numeric: only == and != can be asked"
    return None


def _places(fields: Sequence[ProfiledField]) -> dict[str, int]:
    return {field.name: place for place, field in enumerate(fields)}
