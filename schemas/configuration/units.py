"""What is written as one word and means several numbers: the length of a pane, the rate of false alarms."""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from ..cloud_events import iso
from ..duration import ROW_MS, milliseconds, written

#: Of which each has a law of its own in a reference by season.
HOUR_MS = 3_600_000


class PaneLength(NamedTuple):
    """How long a bucket is: milliseconds, calendar months, or rows of a topic's one partition."""

    unit: Literal["time", "month", "rows"]
    length: int = 1

    def __str__(self) -> str:
        """As it is written."""
        return "month" if self.unit == "month" else f"{self.length} rows" if self.unit == "rows" else written(self.length)

    @property
    def milliseconds(self) -> int:
        """Of a bucket: of the longest month; of rows, each of which is a second."""
        return {"time": 1, "month": 31 * 86_400_000, "rows": ROW_MS}[self.unit] * self.length

    def place(self, time: int) -> str:
        """How people are told a time: as ISO 8601, or as the number of a row.

        >>> PaneLength("time", 1000).place(0), PaneLength("rows", 500).place(30_000_000)
        ('1970-01-01T00:00:00Z', 'row 30000')
        """
        return f"row {time // ROW_MS}" if self.unit == "rows" else iso(time)


def pane_length(text: object) -> PaneLength:
    """What is written of a pane's length, read."""
    if isinstance(text, PaneLength):
        return text
    if text == "month":
        return PaneLength("month")
    if (rows := re.fullmatch(r"(\d[\d_,]*) rows", str(text).strip())) and (length := _rows(rows[1])):
        return PaneLength("rows", length)
    try:
        if (length := milliseconds(text)) < 1:
            raise ValueError
    except ValueError:
        msg = f'"{text}" is not a duration; write 10s, 5m, 1h, 1d, month or 500 rows'
        raise ValueError(msg) from None
    return PaneLength("time", length)


def _rows(digits: str) -> int:
    return int(re.sub(r"[_,]", "", digits))


_as_text = PlainSerializer(str, return_type=str)
_in_schema = WithJsonSchema({"type": "string"})


class FalseAlarms(NamedTuple):
    """How often a model may raise a false alarm: once in so many milliseconds of its traffic, or once in so many rows."""

    per: int
    of: Literal["time", "rows"]

    def __str__(self) -> str:
        """As it is written."""
        return f"1 per {written(self.per) if self.of == 'time' else f'{self.per} rows'}"


def _false_alarms(text: object) -> FalseAlarms:
    if isinstance(text, FalseAlarms):
        return text
    match = re.fullmatch(r"1 per (?:(\d[\d_,]*) rows|(\d+(?:ms|s|m|h|d)))", str(text).strip())
    if match is None:
        msg = f'"{text}" is not a rate of false alarms; write 1 per 30d or 1 per 100000 rows'
        raise ValueError(msg)
    if match[1]:
        return FalseAlarms(_rows(match[1]), "rows")
    return FalseAlarms(milliseconds(match[2]), "time")


Pane = Annotated[PaneLength, BeforeValidator(pane_length), _as_text, _in_schema]
Rate = Annotated[FalseAlarms, BeforeValidator(_false_alarms), _as_text, _in_schema]
