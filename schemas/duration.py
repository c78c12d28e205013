"""Durations as users write them: ``10s``, ``5m``, ``1h``, ``30d``."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

#: Where panes are counted in rows, a row's time is its offset, a second for each.
ROW_MS = 1_000
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(text: object) -> int:
    """The length of a written duration.

    >>> milliseconds("10s"), milliseconds("1h"), milliseconds("250ms")
    (10000, 3600000, 250)
    """
    if isinstance(text, bool) or not isinstance(text, str | int):
        msg = f"{text!r} is not a duration; write 10s, 5m, 1h or 1d"
        raise ValueError(msg)
    if isinstance(text, int):
        return text
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text.strip())
    if match is None or int(match[1]) == 0:
        msg = f'"{text}" is not a duration; write 10s, 5m, 1h or 1d'
        raise ValueError(msg)
    return int(match[1]) * _UNITS_MS[match[2]]


def written(length_ms: int) -> str:
    """The shortest way to write a length.

    >>> written(3_600_000), written(90_000), written(0)
    ('1h', '90s', '0ms')
    """
    for unit in ("d", "h", "m", "s"):
        if length_ms and length_ms % _UNITS_MS[unit] == 0:
            return f"{length_ms // _UNITS_MS[unit]}{unit}"
    return f"{length_ms}ms"


_as_text = PlainSerializer(written, return_type=str, when_used="json")
#: A duration in milliseconds, written as ``10s`` in configuration.
Duration = Annotated[int, Field(ge=1), BeforeValidator(milliseconds, json_schema_input_type=str | Annotated[int, Field(ge=1)]), _as_text]
#: One that may be none at all: ``0``.
DurationOrNone = Annotated[
    int, Field(ge=0), BeforeValidator(milliseconds, json_schema_input_type=str | Annotated[int, Field(ge=0)]), _as_text
]
