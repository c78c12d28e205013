"""What became known in one step: predictions whose first outcome arrived, each of them once, for ever."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..episodes.step import Bucket, Offsets

Counts = NDArray[np.int64]


def _none() -> Counts:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Arrivals:
    """One step of a model version, summed over all partitions. Times in ms."""

    start: int
    end: int
    rows: Counts  #: labelled, per cell
    errors: Counts  #: of these, per cell; of a model of numbers those whose loss is large
    losses: Counts = field(default_factory=_none)  #: of a model of numbers: rows per bin of the loss (`grid`)
    delays: Counts = field(default_factory=_none)  #: rows per bin of the ms from prediction to label; empty where nobody tells them

    def bucket(self, *, complete: bool = True, clock_decided: bool = False, offsets: tuple[Offsets, ...] = ()) -> Bucket:
        """What the lane's step is given."""
        counts = np.concatenate((self.rows, self.errors, self.losses))
        return Bucket(self.start, self.end, int(self.rows.sum()), 0, counts, _none(), complete, clock_decided, offsets)
