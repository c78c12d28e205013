"""A table's rows as prediction messages in the canonical form: what `replay` puts on the bus."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import repeat, starmap
from typing import NamedTuple

import msgspec
import numpy as np

from ..reference.building.tables import ReadRows, TableRows, listed

#: Rows at a time: few enough that their Python values stay in the cache's reach.
_ROWS = 16_384


class Message(NamedTuple):
    """A record's timestamp (ms), key and value."""

    timestamp: int
    key: bytes
    value: bytes


def messages(rows: TableRows, model: str, version: str = "-", *, numbered: bool = False) -> Iterator[Message]:
    """A message per row, in the rows' order. Columns of the model and its version, where the table names them, go before the arguments.

    ``numbered``: a row's id is its number in the file.

    Nulls and NaN become null; an infinity the text ``"Infinity"``, since JSON has no number for it: an invalid value either way.
    """
    table, features, encode = rows.table, rows.features, msgspec.json.Encoder().encode
    for chunk in rows.chunks(rows=_ROWS):
        models, versions = _texts(chunk, table.model, model), _texts(chunk, table.version, version)
        outputs = [repeat(None) if name is None else values_of(chunk, name) for name in (table.prediction, table.score)]
        times = chunk.times.tolist()
        ids = ids_of(chunk, table.id) if numbered or table.id is not None else repeat(msgspec.UNSET)
        keys = [repeat(msgspec.UNSET) if name is None else values_of(chunk, name) for name in (table.entity, table.as_of)]
        members = zip(*(values_of(chunk, name) for name in features), strict=True) if features else repeat((), len(times))
        held = starmap(_members(tuple(features)), members)
        for message in map(_Message, models, versions, ids, times, held, *outputs, *keys):
            yield Message(message.time, message.model.encode(), encode(message))


class _Message(msgspec.Struct, gc=False):
    """`driftbus.schemas.messages.prediction.Prediction`, as the encoder is fastest with it."""

    model: str
    version: str
    id: object
    time: int
    features: object
    prediction: object
    score: object
    entity: object
    as_of: object


@cache
def _members(features: tuple[str, ...]) -> Callable[..., object]:
    """An object with these members; a struct's names are written faster than those of a dictionary, but none that JSON must escape."""
    if any(json.dumps(name, ensure_ascii=False) != f'"{name}"' for name in features):
        return lambda *values: dict(zip(features, values, strict=True))
    fields = [(f"f{number}", object) for number in range(len(features))]
    return msgspec.defstruct("Features", fields, rename={f"f{number}": name for number, name in enumerate(features)}, gc=False)


def _texts(chunk: ReadRows, column: str | None, otherwise: str) -> Iterator[str]:
    if column is None:
        return repeat(otherwise)
    return (otherwise if value is None else str(value) for value in values_of(chunk, column))


def ids_of(chunk: ReadRows, column: str | None) -> list[object]:
    """The ids of rows; None: their numbers in the file are."""
    return [f"row {number}" for number in chunk.numbers.tolist()] if column is None else values_of(chunk, column)


def values_of(chunk: ReadRows, name: str) -> list[object]:
    """Python's values; a NaN is left to the encoder, which writes null."""
    values = chunk.columns[name]
    if isinstance(values, list):
        return values
    if values.dtype.kind == "f" and np.isinf(values).any():
        return [str(v).replace("inf", "Infinity") if v in (np.inf, -np.inf) else v for v in listed(values)]
    return listed(values)
