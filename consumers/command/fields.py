"""What is given to a verb, and becomes a field of a message: judged as that field is, before anything is done."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import click
from pydantic import BaseModel, TypeAdapter, ValidationError

#: Characters of a value that an error repeats.
_SHOWN = 60


class FiniteRange(click.FloatRange):
    """Of numbers: nan is none, and lies within no bounds, though no comparison says so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # as click declares it
        """The number. A mistake names the option and the value."""
        number: float = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return number


def field_of(message: type[BaseModel], field: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Of an option that is a field of a message: its value as it is, else an error that names the option and the value."""
    judge: TypeAdapter[Any] = TypeAdapter(message.model_fields[field].rebuild_annotation())  # whatever type that field has

    def judged(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            judge.validate_python(value)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}... ({len(value):,} characters)"
            msg = f"{shown!r}: {reason}"
            raise click.BadParameter(msg, context, option) from None
        return value

    return judged
