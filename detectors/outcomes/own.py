"""A user's own metrics: functions of sums, and columns of whole numbers that add up like the others.

*Guarantee.* A function that raises on a row, or says what is no whole number for each column, costs that row in its own metric and nothing
else: the row is counted as failed. So nothing that a user wrote stops who sums. What it says of a row must follow from the row alone: a
correction takes back what it said, by asking again.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.outcomes import OutcomeBasis
from ...schemas.unusable import Unusable
from .counting import Own
from .layout import NAMES, Layout, layout
from .values import NO_SCORE, UNIT, Classes, Floats, Integers, Rows, numbers_of, values_of_numbers

#: 2^31 rows of it sum up to less than 2^63; what a function says beyond it counts as this.
MOST = 2**31
#: Of a metric's columns the last, in a basis: rows on which its function failed.
FAILED = "(failed)"
#: What driftbus itself tells under these names.
TAKEN = frozenset(
    {
        *("accuracy", "precision", "recall", "f1", "auc", "average_precision", "log_loss", "brier", "calibration_error"),
        *("confidence_log_loss", "confidence_brier", "mae", "rmse", "bias", "r2"),
    }
)

Value = int | float | str | None


class Labelled(NamedTuple):
    """A row as a function sees it. A number is a float, binary is 0 or 1, a category its text, None if it is none of the known ones."""

    predicted: Value
    outcome: Value
    score: float | None


class LabelledRows(NamedTuple):
    """Many rows as columns. Numbers are floats, binary is 0 or 1 (-1: neither), categories are texts or None; no score is NaN."""

    predicted: NDArray[Any]  # of int64, float64 or objects, by task
    outcome: NDArray[Any]
    score: Floats

    def each(self) -> Iterator[Labelled]:
        """Row by row."""
        scores = (None if math.isnan(score) else score for score in self.score.tolist())
        return map(Labelled, _known(self.predicted), _known(self.outcome), scores)

    def of(self, rows: slice) -> "LabelledRows":
        """Some of them."""
        return LabelledRows(self.predicted[rows], self.outcome[rows], self.score[rows])


#: From a row to a whole number for each of a metric's columns.
OfRow = Callable[[Labelled], Sequence[int]]
#: The same of many: shape [rows, columns].
OfRows = Callable[[LabelledRows], Integers]


@dataclass(frozen=True)
class OwnMetric:
    """A metric that a user wrote.

    Parameters
    ----------
    name
        Under which it is told.
    of
        From the sums to the metric. Sums have the names and shapes of `driftbus.detectors.outcomes.layout`, and are whole numbers where
        they are but one; the metric's columns stand there by their own names.
    columns, of_row, of_rows
        What of a row is summed, if the metric needs more than there is: by a function of one row, or, many times as fast, of many.
    """

    name: str
    of: Callable[[Mapping[str, Integers | int]], float | None]
    columns: tuple[str, ...] = ()
    of_row: OfRow | None = None
    of_rows: OfRows | None = None

    def __post_init__(self) -> None:
        functions = [function for function in (self.of_row, self.of_rows) if function is not None]
        if len(functions) != bool(self.columns):
            msg = f"metric {self.name}: columns and the one function that fills them go together, of_row or of_rows; give both, or neither"
            raise Unusable(msg)
        if taken := sorted(NAMES & {*self.columns}):
            msg = f"metric {self.name}: there is a sum {taken[0]!r} already; give the column another name"
            raise Unusable(msg)
        if len({*self.columns, FAILED}) <= len(self.columns):
            msg = f"metric {self.name}: columns {', '.join(self.columns)}: one is there twice, or is called {FAILED}; give each its name"
            raise Unusable(msg)
        if self.name in TAKEN:
            msg = f"metric {self.name}: driftbus tells one of this name; give it another"
            raise Unusable(msg)
        for function in (self.of, *functions):
            try:
                inspect.signature(function).bind(None)
            except ValueError:  # of some functions that are not written in Python nobody knows
                continue
            except TypeError as error:
                msg = f"metric {self.name}: a function that is given one thing, the sums or the rows, is needed: {error}"
                raise Unusable(msg) from error

    @property
    def own(self) -> tuple[str, ...]:
        """Its columns as they stand in a basis."""
        return tuple(f"{self.name}.{column}" for column in (*self.columns, FAILED)) if self.columns else ()

    def told(self, layout: Layout, vector: Integers) -> float | None:
        """The metric of a vector: None where its function fails, or says what is not finite."""
        try:
            return self._told(layout, vector)
        except Exception:  # noqa: BLE001  # whatever a user's function raises: the metric is not known then, and all else is
            return None

    def failed(self, layout: Layout, vector: Integers) -> int:
        """Labelled rows of a vector on which its function failed."""
        return int(layout.take(vector, "own")[layout.basis.own.index(self.own[-1])]) if self.own else 0

    def _told(self, layout: Layout, vector: Integers) -> float | None:
        sums: dict[str, Integers | int] = {
            name: int(vector[section.start]) if section.shape == (1,) else layout.take(vector, name)
            for name, section in layout.sections.items()
        }
        own = dict(zip(layout.basis.own, layout.take(vector, "own").tolist(), strict=True))
        sums |= {column: own[name] for column, name in zip(self.columns, self.own, strict=False)}
        value = self.of(sums)
        return float(value) if value is not None and math.isfinite(value) else None


def columns_of(metrics: Sequence[OwnMetric]) -> tuple[str, ...]:
    """All columns, as they stand in a basis."""
    return tuple(column for metric in metrics for column in metric.own)


def counted(basis: OutcomeBasis, metrics: Sequence[OwnMetric]) -> Own | None:
    """What rows add to these columns; None: the metrics have none."""
    asked = [metric for metric in metrics if metric.columns]
    if not asked:
        return None

    def own(rows: Rows, outcomes: Integers) -> Integers:
        seen = _readable(basis, rows, outcomes)
        return np.concatenate([_of(metric, seen) for metric in asked], axis=1)

    return own


def tried(metric: OwnMetric, basis: OutcomeBasis) -> None:
    """Try its functions on a few ordinary rows. Raises `Unusable` with what went wrong. Of categories nobody knows what is ordinary."""
    if basis.task == "category":
        return
    pairs = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    columns = values_of_numbers(pairs.astype(np.float64)).reshape(-1, 2) if basis.task == "number" else pairs
    rows = np.zeros(len(pairs), [("value", np.int64), ("score", np.int32)])
    rows["value"], rows["score"] = columns[:, 0], NO_SCORE if basis.task == "number" else UNIT // 2
    plan = layout(basis)
    vector = np.zeros(plan.size, dtype=np.int64)
    try:
        if metric.columns:
            seen = _readable(basis, rows, np.ascontiguousarray(columns[:, 1]))
            sums = _of_columns(metric, seen) if metric.of_rows else np.array([_of_row(metric, row) for row in seen.each()])
            place = basis.own.index(metric.own[0])
            plan.take(vector, "own")[place : place + len(metric.columns)] = sums.sum(axis=0)
        metric._told(plan, vector)
    except ArithmeticError:  # of no rows many a metric is not known
        return
    except Exception as error:
        msg = f"metric {metric.name} fails on ordinary rows: {type(error).__name__}: {error}; mend its functions"
        raise Unusable(msg) from error


def _of(metric: OwnMetric, seen: LabelledRows) -> Integers:
    """Its columns of all rows, and which of them failed."""
    found = np.zeros((len(seen.score), len(metric.columns) + 1), dtype=np.int64)
    if metric.of_rows is None:
        for place, row in enumerate(seen.each()):
            found[place] = _or_failed(metric, _of_row, row)
    elif len(seen.score):
        together = _or_failed(metric, _of_columns, seen)
        one_by_one = len(seen.score) > 1 and bool(together.reshape(-1)[-1])
        for place in range(len(seen.score)) if one_by_one else ():
            found[place] = _or_failed(metric, _of_columns, seen.of(slice(place, place + 1)))
        if not one_by_one:
            found[:] = together
    return found


def _or_failed(metric: OwnMetric, ask: Callable[[OwnMetric, Any], Integers], of: Labelled | LabelledRows) -> Integers:
    """What the function says, each with 0 behind it; or that it failed."""
    try:
        said = ask(metric, of)
    except Exception:  # noqa: BLE001  # whatever a user's function raises is counted
        return np.array([*(0 for _ in metric.columns), 1], dtype=np.int64)
    return np.concatenate((said, np.zeros((*said.shape[:-1], 1), dtype=np.int64)), axis=-1)


def _of_row(metric: OwnMetric, row: Labelled) -> Integers:
    assert metric.of_row is not None
    said = metric.of_row(row)
    if len(said) != len(metric.columns) or not all(isinstance(number, int | np.integer) for number in said):
        raise Unusable(_complaint(metric, f"{said!r} of a row"))
    return np.array([max(-MOST, min(int(number), MOST)) for number in said], dtype=np.int64)


def _of_columns(metric: OwnMetric, seen: LabelledRows) -> Integers:
    assert metric.of_rows is not None
    said = np.asarray(metric.of_rows(seen))
    if said.shape != (len(seen.score), len(metric.columns)) or said.dtype.kind not in "iub":
        raise Unusable(_complaint(metric, f"{said.dtype} of shape {said.shape} of {len(seen.score)} rows"))
    signed = (np.minimum(said, np.uint64(MOST)) if said.dtype == np.uint64 else said).astype(np.int64)
    return np.clip(signed, -MOST, MOST)


def _complaint(metric: OwnMetric, said: str) -> str:
    return f"metric {metric.name}: {said}; its columns are {', '.join(metric.columns)}, and each needs a whole number"


def _readable(basis: OutcomeBasis, rows: Rows, outcomes: Integers) -> LabelledRows:
    scores = np.where(rows["score"] == NO_SCORE, np.nan, rows["score"] / UNIT)
    return LabelledRows(_values(basis, rows["value"]), _values(basis, outcomes), scores)


def _values(basis: OutcomeBasis, values: Integers) -> NDArray[Any]:  # of the type that the task has
    if basis.task == "number":
        return numbers_of(values)
    codes = Classes(basis).of(values)
    if basis.task == "binary":
        return np.where(codes > 1, -1, codes)
    return np.array([*basis.classes, None], dtype=object)[codes]


def _known(column: NDArray[Any]) -> list[Value]:
    values: list[Value] = column.tolist()
    return [None if value == -1 else value for value in values] if column.dtype.kind == "i" else values
