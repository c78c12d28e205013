"""A reference's rows in the very form that a profiler decodes messages to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....detectors.counting.segments import Coded
from ....schemas.stored.reference import EmbeddingProfile, NumericProfile, ProfiledField
from ...decode.interface import MARKS
from .columns import PRESENT, Chunk, Column, Key, categories, numbers

_MARKS = np.array([0, MARKS.null, MARKS.invalid, MARKS.missing], dtype=np.uint64)  # by state


class Decoded(NamedTuple):
    """Rows as `driftbus.detectors.counting.Counting` takes them."""

    numeric: NDArray[np.float64]
    categorical: Sequence[Sequence[object]]
    vectors: Sequence[NDArray[np.float64]]

    def of(self, rows: NDArray[np.int64]) -> "Decoded":
        """Some of the rows."""
        chosen = rows.tolist()
        return Decoded(
            self.numeric[rows], [[column[row] for row in chosen] for column in self.categorical], [each[rows] for each in self.vectors]
        )


def decoded(chunk: Chunk, fields: Sequence[ProfiledField], keys: Sequence[Key]) -> Decoded:
    """The columns of a chunk, in the order of the fields; ``keys`` are theirs."""
    columns = {field.name: chunk.columns.get(key) for field, key in zip(fields, keys, strict=True)}
    numeric = [_numbers(field, columns[field.name], chunk) for field in fields if field.type in ("numeric", "timestamp")]
    texts = [_texts(field, columns[field.name], chunk.rows) for field in fields if field.type in ("categorical", "boolean", "text")]
    vectors = [_vectors(field, columns[field.name], chunk.rows) for field in fields if field.type == "embedding"]
    return Decoded(np.stack(numeric, axis=1) if numeric else np.zeros((chunk.rows, 0)), texts, vectors)


def _numbers(field: ProfiledField, column: Column | None, chunk: Chunk) -> NDArray[np.float64]:
    if column is None:
        return np.full(chunk.rows, MARKS.missing, dtype=np.uint64).view(np.float64)
    values, states = numbers(column, parse=isinstance(field.values, NumericProfile) and field.values.parse)
    return np.where(states == PRESENT, values.view(np.uint64), _MARKS[states]).view(np.float64)


def _vectors(field: ProfiledField, column: Column | None, rows: int) -> NDArray[np.float64]:
    if column is None:
        size = field.values.size if isinstance(field.values, EmbeddingProfile) else 1
        return np.full((rows, size), MARKS.missing, dtype=np.uint64).view(np.float64)
    return np.asarray(column, dtype=np.float64)


def _texts(field: ProfiledField, column: Column | None, rows: int) -> Sequence[object]:
    if column is None:
        return [MARKS.missing] * rows
    return categories(column, field.type)


def coded(rows: Decoded) -> Coded:
    """The categorical columns as codes."""
    codes, values = [], []
    for column in rows.categorical:
        places: dict[object, int] = {}
        codes.append(np.array([places.setdefault(value, len(places)) for value in column], dtype=np.int64))
        values.append(list(places))
    return Coded(codes, values)
