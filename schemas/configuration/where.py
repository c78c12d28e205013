"""``where:`` of a stream: which of its records are rows."""

from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from .mapping import Place, place_of
from .segments import Condition, conditions


class Where(NamedTuple):
    """Conditions that must hold together, each of a place in the record."""

    written: str
    terms: tuple[tuple[Place, Condition], ...]


def _where(written: object) -> Where:
    if isinstance(written, Where):
        return written
    if not isinstance(written, str):
        msg = f"{written!r} is not a condition; write type == prediction, header:kind != shadow, several joined by and"
        raise ValueError(msg)
    terms = []
    for condition in conditions(written):
        place = place_of(condition.field)
        if place.source == "constant":
            msg = f'"{written}": {place} is always the same; compare a path, header:NAME, or key'
            raise ValueError(msg)
        terms.append((place, condition))
    return Where(written, tuple(terms))


#: As it is written in a configuration.
AnyWhere = Annotated[
    Where, BeforeValidator(_where), PlainSerializer(lambda where: where.written, return_type=str), WithJsonSchema({"type": "string"})
]
