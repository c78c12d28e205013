"""What became known in one step: predictions whose first outcome arrived, each of them once, for ever."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..episodes.step import Bucket, Offsets
from ..outcomes.layout import Layout

Counts = NDArray[np.int64]


def _none() -> Counts:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Arrivals:
    """One step of a model version, summed over all partitions; or what is known of the predictions of an interval. Times in ms."""

    start: int
    end: int
    rows: Counts  #: labelled, per cell
    errors: Counts  #: of these, per cell; of a model of numbers none are
    losses: Counts = field(default_factory=_none)  #: of a model of numbers: rows per cell and bin of the loss
    absolute: int = 0  #: and the sum of the losses, in fixed point
    delays: Counts = field(default_factory=_none)  #: rows per bin of the ms from prediction to label; empty where nobody tells them

    @classmethod
    def of(cls, plan: Layout, vector: Counts, start: int, end: int) -> "Arrivals":
        """Of a vector of outcomes, or of its first part."""
        rows = plan.take(vector, "cell measured" if plan.basis.task == "number" else "cell labelled")
        delays = plan.take(vector, "delays").sum(axis=0)
        if plan.basis.task == "number":
            return cls(start, end, rows, np.zeros_like(rows), plan.take(vector, "cell losses"), plan.number(vector, "absolute"), delays)
        return cls(start, end, rows, rows - plan.take(vector, "cell right"), delays=delays)

    def bucket(
        self,
        large: Sequence[int] = (),
        *,
        complete: bool = True,
        clock_decided: bool = False,
        offsets: tuple[Offsets, ...] = (),
    ) -> Bucket:
        """What the lane's step is given. ``large``: of a model of numbers, per cell the first bin of losses that is an error."""
        if not len(self.losses):
            counts, sums = np.concatenate((self.rows, self.errors)), _none()
        else:
            errors = errors_of(self.losses, large)
            counts, sums = np.concatenate((self.rows, errors, self.losses.sum(axis=0))), np.array([self.absolute], dtype=np.int64)
        return Bucket(self.start, self.end, int(self.rows.sum()), 0, counts, sums, complete, clock_decided, offsets)


def errors_of(losses: Counts, large: Sequence[int]) -> Counts:
    """Per cell the rows whose loss lies in the first bin that is large, or behind it.

    >>> errors_of(np.array([[5, 3, 1], [9, 0, 2]]), [1, 2]).tolist()
    [4, 2]
    """
    return np.asarray((losses * (np.arange(losses.shape[1]) >= np.asarray(large)[:, None])).sum(axis=1), dtype=np.int64)
