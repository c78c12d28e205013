"""How well scores rank outcomes, from counts of both per bin of scores: rows of one bin are ties."""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
#: Rows by bin, lowest scores first; counts, or what is expected of them.
Counts = Integers | NDArray[np.float64]
#: Rows with outcome 1 of a bin that are looked at one by one; of more, so many stand for all.
_POINTS = 64


def auc(negative: Counts, positive: Counts) -> float | None:
    """The area under the ROC curve: how often a row with outcome 1 has the higher score than one with 0, ties half.

    Scores themselves would give one that differs by at most `tied` / 2.

    >>> auc(np.array([3, 1, 0]), np.array([0, 1, 3]))
    0.96875
    """
    pairs = float(negative.sum()) * float(positive.sum())
    if pairs <= 0:
        return None
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum()) / pairs


def tied(negative: Counts, positive: Counts) -> float | None:
    """The share of pairs of unlike outcomes whose scores lie in one bin.

    >>> tied(np.array([3, 1, 0]), np.array([0, 1, 3]))
    0.0625
    """
    pairs = float(negative.sum()) * float(positive.sum())
    return float((positive * negative).sum()) / pairs if pairs > 0 else None


def average_precision(negative: Integers, positive: Integers) -> float | None:
    """The mean precision over rows with outcome 1, each at its own threshold, as if the outcomes of a bin came evenly mixed.

    Scores themselves would give one within `average_precision_within`.

    >>> average_precision(np.array([3, 1, 0]), np.array([0, 1, 3]))
    0.9722222222222222
    """
    total = int(positive.sum())
    if total <= 0:
        return None
    rows, others = positive[::-1, None], negative[::-1, None]
    before, others_before = np.cumsum(rows)[:, None] - rows, np.cumsum(others)[:, None] - others
    points = np.minimum(rows, _POINTS)
    each = rows / np.maximum(points, 1)
    at = np.arange(_POINTS)
    place = at * each + (each + 1) / 2  # of those that a point stands for the one in the middle, counted from 1
    precision = (before + place) / (before + place + others_before + others * (place - 0.5) / np.maximum(rows, 1))
    return float(np.where(at < points, precision * each, 0.0).sum()) / total


def average_precision_within(negative: Integers, positive: Integers) -> tuple[float, float] | None:
    """Between what scores themselves would give: in every bin all outcomes 0 first, or all outcomes 1.

    >>> average_precision_within(np.array([3, 1, 0]), np.array([0, 1, 3]))
    (0.95, 1.0)
    """
    total = float(positive.sum())
    if total <= 0:
        return None
    high = np.repeat(np.cumsum(negative[::-1]) - negative[::-1], positive[::-1])
    low = np.repeat(np.cumsum(negative[::-1]), positive[::-1])
    right = np.arange(1, len(high) + 1)
    return float((right / (right + low)).sum() / total), float((right / (right + high)).sum() / total)
