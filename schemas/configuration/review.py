"""``models.NAME.review:`` of the configuration: how many predictions people are asked about, which, and what they are shown."""

import re
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ..duration import Duration
from ..fact import Setting
from .units import HOUR_MS

_PER = {"hour": HOUR_MS, "day": 24 * HOUR_MS}
#: Cases of one slot: so many at most, and some more, travel with what is shown of them in every run.
MOST_CASES = 10_000


class ReviewBudget(NamedTuple):
    """So many cases in an hour, or a day."""

    cases: int
    per: str

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.cases} per {self.per}"

    def due(self, end: int) -> int:
        """Cases of all slots through this time, ms: what a slot may have is the difference over it.

        >>> [ReviewBudget(3, "hour").due(minutes * 60_000) for minutes in (0, 10, 20, 30, 40, 60)]
        [0, 0, 1, 1, 2, 3]
        """
        return self.cases * end // _PER[self.per]


def _budget(text: object) -> ReviewBudget:
    if isinstance(text, ReviewBudget):
        return text
    match = re.fullmatch(r"(\d{1,6}) per (hour|day)", str(text).strip())
    if match is None or not int(match[1]):
        msg = f'"{text}" is not a budget of reviews; write 60 per hour, or 100 per day'
        raise ValueError(msg)
    return ReviewBudget(int(match[1]), match[2])


Budget = Annotated[
    ReviewBudget, BeforeValidator(_budget), PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string"}, mode="validation")
]


class Review(Setting):
    """People are asked about some predictions of a model."""

    budget: Budget = Field(ReviewBudget(60, "hour"), validate_default=True, description="cases of the model")
    slot: Duration = Field(600_000, ge=1_000, description="drawn at once; rounded up to whole panes")
    uniform: float = Field(0.333, ge=0, le=1, description="share of a slot that is drawn uniformly")
    classes: dict[str, Annotated[float, Field(gt=0, le=100)]] = Field({}, description="weight of a predicted class; 1 of all others")
    twice: float = Field(0.1, ge=0, le=1, description="share of the cases that two people are to answer")
    show: tuple[str, ...] | None = Field(None, description="fields, by name or pattern; null: all that are watched but texts and vectors")
