"""What messages have in common that any Kafka client may write: names, times, and errors of one line that name each field at fault."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from ..cloud_events import microseconds
from ..integers import Time
from ..text import MODEL, unfit

Message = TypeVar("Message", bound=BaseModel)


def _text(value: object) -> object:
    """Registries number versions: 7 is the text "7"."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _name(name: str) -> str:
    if problem := "an empty text" if name == "" else unfit(name, MODEL):
        raise ValueError(problem)
    return name


def milliseconds(value: object) -> object:
    """Of ISO 8601; all else as it is."""
    return round(microseconds(value) / 1000) if isinstance(value, str) else value


#: A name as models and versions have it; a whole number is one too.
Name = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_name),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": MODEL.most}, {"type": "integer"}]}),
]
#: Milliseconds, or ISO 8601; UTC unless it says otherwise.
Moment = Annotated[Time, BeforeValidator(milliseconds), WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]})]
#: For whom it is, where several applications share a topic; None: for all on it.
Application = Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


def of_fields(message: type[Message], plain: Mapping[str, object]) -> Message:
    """The message with these fields. Raises `ValueError` that names each one at fault."""
    try:
        return message.model_validate(plain)
    except ValidationError as error:
        raise ValueError("; ".join(f"{'.'.join(map(str, one['loc'])) or 'event'}: {_reason(one)}" for one in error.errors())) from None


def of_json(message: type[Message], value: bytes, called: str) -> Message:
    """The message that anybody wrote as JSON. Raises `ValueError` as `of_fields` does."""
    plain = msgspec.json.decode(value)
    if not isinstance(plain, Mapping):
        msg = f"{called} is an object, not {type(plain).__name__}"
        raise ValueError(msg)
    return of_fields(message, plain)


def _reason(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")
