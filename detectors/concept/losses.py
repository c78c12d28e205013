"""Losses of a model of numbers, as counts in bins between fixed edges: what a bin stands for, and which losses are large."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Of a cell's losses so many are large, as nearly as its bins allow. That is all that is told of a cell, and it keeps some 60 % of what a
#: spread that grows by a quarter shows in all bins, whether residuals are normal or have long tails; a quarter keeps 54 %.
LARGE = 0.15


def middles(edges: Sequence[int]) -> Floats:
    """What the losses in each bin are taken for: its middle; of the last, one and a half times where it begins.

    >>> middles((2, 4, 8)).tolist()
    [1.0, 3.0, 6.0, 12.0]
    >>> middles(()).tolist()
    [1.0]
    """
    bounds = np.array([0, *edges], dtype=np.float64)
    last = 1.5 * bounds[-1] if len(edges) else 1.0
    return np.append((bounds[:-1] + bounds[1:]) / 2, last)


def large_from(losses: Counts) -> Counts:
    """Per cell the first bin that is large, by its own rows: those of a cell where predictions are surer are smaller.

    >>> large_from(np.array([[50, 20, 30, 0], [0, 0, 0, 9], [0, 0, 0, 0]])).tolist()
    [2, 3, 3]
    """
    rows = losses.sum(axis=1, keepdims=True)
    behind = losses[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]  # rows in the second bin or behind it, and so on
    share = (behind + 0.5 * LARGE) / (rows + 0.5)
    distance = np.abs(np.log(share / (1 - share)) - np.log(LARGE / (1 - LARGE)))
    nearest = distance.shape[1] - 1 - distance[:, ::-1].argmin(axis=1) if distance.shape[1] else np.zeros(len(losses), dtype=np.int64)
    return np.asarray(nearest + 1, dtype=np.int64) if distance.shape[1] else nearest
