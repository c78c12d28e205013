"""How rows are divided into segments: by the values of a categorical field, or by rules of which the first that holds decides."""

import math
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
#: A number as JSON writes one, or without the 0 in front of its point. What else a programming language reads as a number is a text:
#: 01234 is a code, and so are 1_000, INF and nan.
_NUMBER = re.compile(r"-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


class Condition(NamedTuple):
    """A comparison of a field with a constant."""

    field: str
    operator: Operator
    value: float | str  #: what a numeric field is compared with; a text: it is no number
    text: str  #: what any other field is compared with: as it is written, without quotes


def conditions(rule: str) -> tuple[Condition, ...]:
    """What must hold together.

    >>> conditions("age < 25 and country == DE")
    (Condition(field='age', operator='<', value=25.0, text='25'), Condition(field='country', operator='==', value='DE', text='DE'))
    >>> conditions("country != 'Trinidad and Tobago'")
    (Condition(field='country', operator='!=', value='Trinidad and Tobago', text='Trinidad and Tobago'),)
    >>> conditions("zip == 01234")
    (Condition(field='zip', operator='==', value='01234', text='01234'),)
    """
    return tuple(map(_condition, _AND.split(rule)))


def _condition(text: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        msg = f'"{text}" is not a condition; write FIELD < 25, FIELD == DE, several joined by and'
        raise ValueError(msg)
    name, operator, written = match.groups()
    plain = written[1:-1] if _QUOTED.fullmatch(written) else written
    number = float(written) if _NUMBER.fullmatch(written) else math.inf
    value: float | str = number if math.isfinite(number) else plain
    if operator in _ORDERING and not isinstance(value, float):
        msg = f'"{text}": {operator} needs a number, not {written}'
        raise ValueError(msg)
    return Condition(name, operator, value, plain)  # type: ignore[arg-type]  # one of the operators: the pattern has no others


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
