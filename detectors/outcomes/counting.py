"""What one version's rows add to the vectors of its basis: whole batches at once, every sum exact."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .cells import binned
from .delays import DELAY_BINS, bins_of
from .layout import LARGEST, RANKED_BINS, Layout
from .products import Measured, Products
from .target import Target
from .values import BITS, NONE, UNIT, Classes, Integers, Rows, numbers_of

Truths = NDArray[np.bool_]

#: No probability is told apart from 0 by less: half a step of fixed point. So no loss is larger than 14.6.
LEAST_PROBABILITY = 0.5 / UNIT
#: Squares of probabilities' errors, which have 40 bits, are summed in steps of 2^-30.
SQUARE_BITS = 30

#: Columns of a user's own metrics: from rows and the outcomes that are taken to be theirs, integers of shape (n, columns).
Own = Callable[[Rows, Integers], Integers]


def log_losses(scores: Integers, happened: Truths) -> Integers:
    """Logarithmic losses of probabilities in fixed point, in fixed point.

    >>> log_losses(np.array([0, UNIT // 2, UNIT]), np.array([True, True, True])).tolist()
    [15263167, 726817, 0]
    """
    probability = np.maximum(np.where(happened, scores, UNIT - scores) / UNIT, LEAST_PROBABILITY)
    return np.asarray(np.rint(-np.log(probability) * UNIT), dtype=np.int64)


def square_losses(scores: Integers, happened: Truths) -> Integers:
    """Squares of what probabilities were off, in steps of 2^-30.

    >>> square_losses(np.array([0, UNIT // 2]), np.array([True, True])).tolist()
    [1073741824, 268435456]
    """
    off = np.where(happened, UNIT, 0) - scores
    dropped = 2 * BITS - SQUARE_BITS
    return (off * off + (1 << (dropped - 1))) >> dropped


class Counting:
    """Adds rows to vectors of a layout."""

    def __init__(self, layout: Layout, own: Own | None = None) -> None:
        self.layout = layout
        self._at = {name: section.start for name, section in layout.sections.items()}
        self._task = layout.basis.task
        self._classes = Classes(layout.basis) if self._task != "number" else None
        self._products, self._own = Products(layout), own
        self._losses = np.asarray(layout.basis.losses, dtype=np.int64)

    def each(self, name: str, target: Target) -> None:
        """Each row once, under this name."""
        target.add_to(self._at[name], 1)

    def in_cells(self, name: str, target: Target, rows: Rows, amounts: Integers | int = 1) -> None:
        """So much of each row in its cell."""
        cells = rows["cell"].astype(np.int64)
        target.add(np.where(cells < self.layout.cells, self._at[name] + cells, -1), amounts)

    def change(self, target: Target, rows: Rows, was: Integers, now: Integers) -> None:
        """Rows' outcomes were these, and now are those: the difference."""
        for outcomes, sign in ((was, -1), (now, 1)):
            there = np.flatnonzero(outcomes != NONE)
            if len(there):
                of_these = target.of(there), rows[there], outcomes[there], sign
                self._first_part(*of_these)
                self._second_part(*of_these)
        self._products.add(target, rows, self._measured(rows, was), self._measured(rows, now))

    def arrivals(self, target: Target, rows: Rows, outcomes: Integers) -> None:
        """Rows' first outcomes, in vectors that have the first part only."""
        self._first_part(target, rows, outcomes, 1)
        self.delays(target, rows, outcomes)

    def delays(self, target: Target, rows: Rows, outcomes: Integers) -> None:
        """How long rows' first outcomes took."""
        wrong = np.zeros(len(rows), dtype=np.int64) if self._task == "number" else (outcomes != rows["value"]).astype(np.int64)
        target.add(self._at["delays"] + wrong * DELAY_BINS + bins_of(rows["delay"]), 1)

    def _first_part(self, target: Target, rows: Rows, outcomes: Integers, sign: int) -> None:
        target.add_to(self._at["labelled"], sign)
        self.in_cells("cell labelled", target, rows, sign)
        if self._task != "number":
            right = (outcomes == rows["value"]).astype(np.int64)
            target.add_to(self._at["errors"], sign * (1 - right))
            self.in_cells("cell right", target, rows, sign * right)
            return
        measured, clipped = self._fixed(rows, outcomes)
        absolute = np.abs(measured.r[:, 0])
        for name, amounts in (("measured", measured.there), ("clipped", clipped), ("absolute", absolute)):
            target.add_to(self._at[name], sign * amounts)
        cells, bins = rows["cell"].astype(np.int64), len(self._losses) + 1
        place = self._at["cell losses"] + cells * bins + np.searchsorted(self._losses, absolute, side="right")
        target.add(np.where(measured.there & (cells < self.layout.cells), place, -1), sign)
        self.in_cells("cell measured", target, rows, sign * measured.there)
        self.in_cells("cell absolute", target, rows, sign * absolute)

    def _second_part(self, target: Target, rows: Rows, outcomes: Integers, sign: int) -> None:
        if self._own is not None:
            columns = np.arange(len(self.layout.basis.own))
            target.add(self._at["own"] + np.tile(columns, (len(rows), 1)), sign * self._own(rows, outcomes))
        if self._classes is None:
            return
        true, predicted = self._classes.of(outcomes), self._classes.of(rows["value"])
        target.add(self._at["confusion"] + true * (len(self.layout.classes) + 1) + predicted, sign)
        binary = self._task == "binary"
        # Nothing was said of the probability of an outcome that is neither 0 nor 1.
        scored = np.flatnonzero((rows["score"] >= 0) & (true < 2) if binary else rows["score"] >= 0)
        target, rows, true, outcomes = target.of(scored), rows[scored], true[scored], outcomes[scored]
        scores = np.minimum(rows["score"].astype(np.int64), UNIT)
        happened = true == 1 if binary else outcomes == rows["value"]
        target.add_to(self._at["scored"], sign)
        target.add_to(self._at["log loss"], sign * log_losses(scores, happened))
        target.add_to(self._at["squares"], sign * square_losses(scores, happened))
        self.in_cells("cell scores", target, rows, sign * scores)
        if binary:
            target.add(self._at["score bins"] + 2 * binned(rows["score"], RANKED_BINS) + true, sign)

    def _measured(self, rows: Rows, outcomes: Integers) -> Measured:
        """In the products' terms."""
        if (outcomes == NONE).all():
            nothing = np.zeros((len(rows), self.layout.targets), dtype=np.int64)
            return Measured(nothing[:, 0], nothing, nothing)
        if self._classes is None:
            return self._fixed(rows, outcomes)[0]
        true, predicted = self._classes.of(outcomes)[:, None], self._classes.of(rows["value"])[:, None]
        there = (outcomes != NONE).astype(np.int64)
        targets = np.array([1]) if self._task == "binary" else np.arange(self.layout.targets)
        y, expected = (true == targets) * UNIT, (predicted == targets) * UNIT
        if self._task == "binary":
            scores = rows["score"].astype(np.int64)[:, None]
            expected = np.where(scores >= 0, np.minimum(scores, UNIT), expected)
        return Measured(there, y * there[:, None], (y - expected) * there[:, None])

    def _fixed(self, rows: Rows, outcomes: Integers) -> tuple[Measured, Integers]:
        """Numbers in fixed point, and which of them were cut."""
        basis = self.layout.basis
        y, predicted = numbers_of(outcomes), numbers_of(rows["value"])
        there = (outcomes != NONE) & np.isfinite(y) & np.isfinite(predicted)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is cut, what is no number is left out
            scaled = np.where(there, np.stack(((y - basis.centre) / basis.scale, (y - predicted) / basis.scale)), 0.0)
        clipped = np.asarray((np.abs(scaled) > LARGEST).any(axis=0), dtype=np.int64)
        fixed = np.rint(np.clip(scaled, -LARGEST, LARGEST) * UNIT).astype(np.int64)
        return Measured(there.astype(np.int64), fixed[0][:, None], fixed[1][:, None]), clipped
