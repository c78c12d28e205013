"""Which messages are rows: those that have features. Labels, heartbeats, and what deletes something may stand in the same topic."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from ...schemas.configuration.mapping import Mapping, Place
from ...schemas.stored.reference import ProfiledField
from .interface import MARKS, Columns
from .tolerant import NotAnObject, member


def is_row(message: dict[str, Any], mapping: Mapping) -> bool:
    """Whether there is anything where the features should be; their object may be empty, or something that it should not be.

    >>> is_row({"features": {}}, Mapping()), is_row({"features": None}, Mapping()), is_row({"label": 1}, Mapping())
    (True, False, False)
    """
    one = isinstance(mapping.features, Place)
    places = [mapping.features] if isinstance(mapping.features, Place) else list(mapping.features)
    for place in (*places, *mapping.beside):
        try:
            found = member(message, place.path)
        except NotAnObject:
            return True
        if found is not UNSET and not (found is None and one):
            return True
    return False


def featureless(columns: Columns, fields: Sequence[ProfiledField]) -> NDArray[np.int64]:
    """The rows in which every feature is missing; none where the reference knows no features."""
    numeric = [field.role == "feature" for field in fields if field.type in ("numeric", "timestamp")]
    categorical = [field.role == "feature" for field in fields if field.type in ("categorical", "boolean", "text")]
    vectors = [field.role == "feature" for field in fields if field.type == "embedding"]
    if not any((*numeric, *categorical, *vectors)):
        return np.zeros(0, dtype=np.int64)
    rows = np.arange(len(columns.numeric))
    for place, own in enumerate(numeric):
        if own and len(rows):
            rows = rows[columns.numeric[rows, place].view(np.uint64) == MARKS.missing]
    for column, own in zip(columns.categorical, categorical, strict=True):
        if own and len(rows):
            rows = np.array([row for row in rows.tolist() if column[row] == MARKS.missing], dtype=np.int64)
    for vector, own in zip(columns.vectors, vectors, strict=True):
        if own and len(rows):
            rows = rows[np.ascontiguousarray(vector[rows, 0]).view(np.uint64) == MARKS.missing]
    return rows
