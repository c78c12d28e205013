"""How rows are divided into segments: by the values of a categorical field, or by rules of which the first that holds decides."""

import re
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from ..fact import Setting

#: The segment of rows that belong to no other.
OTHER = "(other)"
Operator = Literal["<", "<=", ">", ">=", "==", "!="]
_CONDITION = re.compile(r"\s*(.+?)\s*(<=|>=|==|!=|<|>)\s*(.+?)\s*")
#: Between conditions; not within quotes.
_AND = re.compile(r"""\s+and\s+(?=(?:[^'"]|'[^']*'|"[^"]*")*$)""")
_ORDERING = ("<", "<=", ">", ">=")


class Condition(NamedTuple):
    """A comparison of a field with a constant."""

    field: str
    operator: Operator
    value: float | str


def conditions(rule: str) -> tuple[Condition, ...]:
    """What must hold together.

    >>> conditions("age < 25 and country == DE")
    (Condition(field='age', operator='<', value=25.0), Condition(field='country', operator='==', value='DE'))
    >>> conditions("country != 'Trinidad and Tobago'")
    (Condition(field='country', operator='!=', value='Trinidad and Tobago'),)
    """
    return tuple(map(_condition, _AND.split(rule)))


def _condition(text: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        msg = f'"{text}" is not a condition; write FIELD < 25, FIELD == DE, several joined by and'
        raise ValueError(msg)
    name, operator, written = match.groups()
    value: float | str
    try:
        value = float(written)
    except ValueError:
        value = written.strip("'\"")
    if operator in _ORDERING and not isinstance(value, float):
        msg = f'"{text}": {operator} needs a number, not {written}'
        raise ValueError(msg)
    return Condition(name, operator, value)  # type: ignore[arg-type]  # one of the operators: the pattern has no others


class Segments(Setting):
    """Which segments of a model's rows are watched by themselves."""

    by: str | None = None
    rules: dict[str, str] = {}
    most: int = Field(8, ge=1, le=64, description="segments by a field, the commonest first; all others are one")

    @model_validator(mode="after")
    def _one_way(self) -> "Segments":
        if (self.by is None) == (not self.rules):
            msg = "write either by: FIELD (a categorical field), or rules: {NAME: CONDITION}"
            raise ValueError(msg)
        for name, rule in self.rules.items():
            try:
                conditions(rule)
            except ValueError as error:
                msg = f"rules.{name}: {error}"
                raise ValueError(msg) from None
        if OTHER in self.rules:
            msg = f"rules.{OTHER}: that name is taken by the rows of no other segment"
            raise ValueError(msg)
        return self
