"""``models.NAME.outcomes:`` of the configuration: what of a model's predictions is summed with their outcomes, beside what always is."""

from typing import Annotated

from pydantic import AfterValidator, Field

from ..fact import Setting
from ..messages.block import MOST_BINNED
from .importable import importable

#: Metrics of one's own: each costs time for every label.
MOST_METRICS = 16


def _names(written: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({name for name in written if written.count(name) > 1}):
        msg = f"{', '.join(twice)}: twice in the list; write each once"
        raise ValueError(msg)
    return written


def _metric(written: str) -> str:
    return importable(written, "metric", "NAME")


_Features = Annotated[tuple[str, ...], Field(max_length=MOST_BINNED), AfterValidator(_names)]
_Metric = Annotated[str, AfterValidator(_metric)]


class OutcomesOf(Setting):
    """What is counted of one model's outcomes, beside what always is."""

    features: Annotated[int, Field(ge=0, le=MOST_BINNED, strict=True)] | _Features | None = Field(
        None,
        description="features by whose groups outcomes are summed: their names, or how many, those that the output depends on most; "
        f"null: {MOST_BINNED} where causes are looked for, else none",
    )
    metrics: Annotated[tuple[_Metric, ...], Field(max_length=MOST_METRICS), AfterValidator(_names)] = Field(
        (), description="of your own: package.module:NAME, each an `OwnMetric`"
    )
