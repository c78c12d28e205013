"""A baseline of outcomes: how often a model version was wrong when all was well, and how much its outcomes hang together."""

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from ..fact import Fact
from ..identity import content_hash
from ..integers import Count, Time

Counts = tuple[Count, ...]


class OutcomeBaseline(Fact):
    """What became of the first predictions of a model version whose labels came to be known in production, in that order.

    A cell is a predicted class and a bin of its score; of a model of numbers, a bin of the prediction. All numbers are integers.
    """

    kind: Literal["outcomes"] = "outcomes"
    format: Literal[2] = 2
    model: str
    version: str
    first: Time  #: when the first step began, and the last one ended, that it was counted from
    last: Time
    rows: Annotated[Counts, Field(min_length=1)]  #: labelled, per cell
    errors: Counts  #: of these, per cell; of a model of numbers those whose loss is large
    losses: Counts = ()  #: of a model of numbers: rows per bin of the loss, the absolute residual
    edges: Counts = ()  #: between these bins, in fixed point
    large: Counts = ()  #: per cell, the first bin that counts as large
    absolute: Count = 0  #: the sum of all losses, in fixed point
    unit: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0  #: of fixed point, in that of the outcome
    tau: Annotated[int, Field(ge=1000)] = 1000  #: how many labels count as one independent label, in thousandths
    delay: Annotated[int, Field(ge=0)] | None = None  #: ms after which 99 % of the labels had come; None: nobody told delays

    @property
    def labelled(self) -> int:
        """Rows of all cells."""
        return sum(self.rows)

    @property
    def wrong(self) -> int:
        """Errors of all cells."""
        return sum(self.errors)

    @property
    def dependence(self) -> float:
        """Its tau, in rows."""
        return self.tau / 1000

    @property
    def rate(self) -> float | None:
        """Labels per second; None where all came at once."""
        return self.labelled / ((self.last - self.first) / 1000) if self.last > self.first else None

    def encoded(self) -> bytes:
        """The content that is stored, and hashed into `name`."""
        return msgspec.json.encode(self.model_dump(), order="sorted")

    @property
    def name(self) -> str:
        """``sha256:...`` of the stored content."""
        return content_hash(self.encoded())

    @classmethod
    def decoded(cls, content: bytes) -> "OutcomeBaseline":
        """What `encoded` wrote."""
        return cls.model_validate(msgspec.json.decode(content))
