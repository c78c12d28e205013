"""Distances of two binned samples, as scipy computes them on the bins' values; 0 where a sample is empty."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Counts = NDArray[np.int64] | NDArray[np.float64]

#: Added to every group: with a tiny epsilon instead, a single row in an empty group would dominate the index.
PSEUDO_COUNT = 0.5


class ChiSquare(NamedTuple):
    """A test of homogeneity: its statistic, and the probability of a larger one if nothing differs."""

    statistic: float
    p_value: float


def _apart(reference: Counts, current: Counts) -> NDArray[np.float64]:
    """The distance of the distribution functions behind each bin."""
    expected, observed = np.cumsum(reference, dtype=np.float64), np.cumsum(current, dtype=np.float64)
    if not len(expected) or expected[-1] <= 0 or observed[-1] <= 0:
        return np.zeros(len(expected))
    apart: NDArray[np.float64] = np.abs(expected / expected[-1] - observed / observed[-1])
    return apart


def ks(reference: Counts, current: Counts) -> float:
    """Kolmogorov-Smirnov: the largest distance of the distribution functions, over bins in the order of distinct values.

    >>> ks(np.array([50, 50]), np.array([10, 30]))
    0.25
    """
    return float(_apart(reference, current).max(initial=0.0))


def cramer_von_mises(reference: Counts, current: Counts) -> float:
    """Anderson's two-sample statistic (1962), over bins in the order of distinct values: nm / (n + m) times the mean squared distance.

    Within a bin the mean is of the squares at its two ends: without ties that is his, with ties the one by mid-ranks for n = m. (The
    latter grows with (n - m)^2 if n and m differ, drift or no drift.)

    >>> cramer_von_mises(np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0]))
    0.125
    """
    n, m = float(reference.sum()), float(current.sum())
    if n <= 0 or m <= 0:
        return 0.0
    squares = np.concatenate(([0.0], _apart(reference, current) ** 2))
    pooled = (reference + current) / (n + m)
    return n / (n + m) * m * float((pooled * (squares[:-1] + squares[1:])).sum()) / 2


def wasserstein(reference: Counts, current: Counts, values: NDArray[np.float64]) -> float:
    """The area between the distribution functions, over bins in the order of their values: in the values' unit.

    >>> wasserstein(np.array([1, 1]), np.array([0, 1]), np.array([0.0, 3.0]))
    1.5
    """
    return float((_apart(reference, current)[:-1] * (values[1:] - values[:-1])).sum())


def psi(reference: Counts, current: Counts) -> float:
    """Population stability index: the symmetrised Kullback-Leibler divergence of two histograms.

    >>> psi(np.array([500, 500]), np.array([5, 5]))
    0.0
    """
    expected, observed = _shares(reference, current)
    return float(((observed - expected) * np.log(observed / expected)).sum())


def kl(reference: Counts, current: Counts) -> float:
    """Kullback-Leibler divergence of the current histogram from the reference's, in nats.

    >>> kl(np.array([500, 500]), np.array([5, 5]))
    0.0
    """
    expected, observed = _shares(reference, current)
    return float((observed * np.log(observed / expected)).sum())


def jensen_shannon(reference: Counts, current: Counts) -> float:
    """Jensen-Shannon distance, to base 2: the root of the mean divergence of two histograms from their mixture, between 0 and 1.

    >>> jensen_shannon(np.array([500, 500]), np.array([5, 5]))
    0.0
    """
    expected, observed = _shares(reference, current)
    mixed = (expected + observed) / 2
    divergence = float((expected * np.log2(expected / mixed) + observed * np.log2(observed / mixed)).sum()) / 2
    return math.sqrt(max(divergence, 0.0))


def _shares(reference: Counts, current: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shares of each group, none of them 0; those of an empty sample are the other's."""
    expected, observed = reference + PSEUDO_COUNT, current + PSEUDO_COUNT
    if reference.sum() <= 0 or current.sum() <= 0:
        observed = expected
    return expected / expected.sum(), observed / observed.sum()


def chi_square(reference: Counts, current: Counts) -> ChiSquare:
    """Pearson's test that both samples come from one distribution; bins empty in both do not count.

    >>> chi_square(np.array([10, 10]), np.array([10, 10]))
    ChiSquare(statistic=0.0, p_value=1.0)
    """
    table = np.array([reference, current], dtype=np.float64)
    table = table[:, table.sum(axis=0) > 0]
    rows = table.sum(axis=1)
    if table.shape[1] < 2 or rows.min() <= 0:
        return ChiSquare(0.0, 1.0)
    expected = rows[:, None] * (table.sum(axis=0) / rows.sum())
    statistic = float(((table - expected) ** 2 / expected).sum())
    return ChiSquare(statistic, float(special.chdtrc(table.shape[1] - 1, statistic)))
