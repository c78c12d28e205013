"""A user's own metrics: functions of sums, and columns of whole numbers that add up like the others."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...schemas.stored.outcomes import OutcomeBasis
from ...schemas.unusable import Unusable
from .counting import Own
from .layout import NAMES, Layout
from .values import NO_SCORE, UNIT, Classes, Integers, Rows, numbers_of

#: 2^31 rows of it sum up to less than 2^63; what a function says beyond it counts as this.
MOST = 2**31

Value = int | float | str | None


class Labelled(NamedTuple):
    """A row as a function sees it. A number is a float, binary is 0 or 1, a category its text, None if it is none of the known ones."""

    predicted: Value
    outcome: Value
    score: float | None


#: From a row to a whole number for each of a metric's columns.
OfRow = Callable[[Labelled], Sequence[int]]


@dataclass(frozen=True)
class OwnMetric:
    """A metric that a user wrote.

    Parameters
    ----------
    of
        From the sums to the metric. Sums have the names and shapes of `driftbus.detectors.outcomes.layout`; the metric's columns stand
        there by their own names, each a whole number.
    columns, of_row
        What of a row is summed, if the metric needs more than there is.
    """

    name: str
    of: Callable[[Mapping[str, Integers | int]], float | None]
    columns: tuple[str, ...] = ()
    of_row: OfRow | None = None

    def __post_init__(self) -> None:
        if bool(self.columns) != (self.of_row is not None):
            msg = f"metric {self.name}: columns and the function of a row that fills them go together; give both, or neither"
            raise Unusable(msg)
        if taken := sorted(NAMES & {*self.columns}):
            msg = f"metric {self.name}: there is a sum {taken[0]!r} already; give the column another name"
            raise Unusable(msg)

    def told(self, layout: Layout, vector: Integers) -> float | None:
        """The metric of a vector: None where it divides by zero, overflows, or is not finite."""
        sums: dict[str, Integers | int] = {name: layout.take(vector, name) for name in layout.sections}
        sums |= dict(zip(layout.basis.own, layout.take(vector, "own").tolist(), strict=True))
        try:
            value = self.of(sums)
        except ArithmeticError:
            return None
        return float(value) if value is not None and math.isfinite(value) else None


def columns_of(metrics: Sequence[OwnMetric]) -> tuple[str, ...]:
    """All columns, as they stand in a basis."""
    return tuple(column for metric in metrics for column in metric.columns)


def counted(basis: OutcomeBasis, metrics: Sequence[OwnMetric]) -> Own | None:
    """What rows add to these columns; None: the metrics have none. The functions are asked row by row, as they were written."""
    asked = [(metric, metric.of_row) for metric in metrics if metric.of_row is not None]
    if not asked:
        return None

    def own(rows: Rows, outcomes: Integers) -> Integers:
        scores = [None if score == NO_SCORE else score / UNIT for score in rows["score"].tolist()]
        each = list(map(Labelled, _readable(basis, rows["value"]), _readable(basis, outcomes), scores))
        return np.array([[number for metric, of_row in asked for number in _checked(metric, of_row(row))] for row in each], dtype=np.int64)

    return own


def _readable(basis: OutcomeBasis, values: Integers) -> list[Value]:
    if basis.task == "number":
        return [*numbers_of(values).tolist()]
    names: list[Value] = [0, 1, None] if basis.task == "binary" else [*basis.classes, None]
    return [names[code] for code in Classes(basis).of(values).tolist()]


def _checked(metric: OwnMetric, numbers: Sequence[int]) -> list[int]:
    if len(numbers) != len(metric.columns) or not all(isinstance(number, int | np.integer) for number in numbers):
        msg = f"metric {metric.name}: {numbers!r} of a row; its columns are {', '.join(metric.columns)}, and each needs a whole number"
        raise Unusable(msg)
    return [max(-MOST, min(int(number), MOST)) for number in numbers]
