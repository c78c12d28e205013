"""Probabilities and scores of a reference's bins: what every bet on them is made of."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...schemas.stored.reference import CategoricalProfile, NumericProfile

#: Orders of the scores: location, spread, skew, tails.
ORDERS = 4
#: A score that varies less than this (sd under the reference) says nothing.
_LEAST_SD = 1e-6
#: Normal scores are clipped here: the rarest bin of a huge reference is no further out than that of a small one.
FARTHEST = 3.0


def _rare(profile: NumericProfile | CategoricalProfile) -> list[int]:
    """The bins in which a reference may have no row at all: outside and in gaps; *other*."""
    if isinstance(profile, CategoricalProfile):
        return [len(profile.counts) - 1]
    return list(profile.rare)


def probabilities(profile: NumericProfile | CategoricalProfile) -> NDArray[np.float64]:
    """The probability of every bin: its share of the reference's rows, (rows + 1) / (n + 1) for the rare bins, normalised.

    >>> probabilities(CategoricalProfile(categories=("a", "b"), counts=(2, 1, 0))).tolist()
    [0.5333333333333333, 0.26666666666666666, 0.2]
    """
    counts = np.asarray(profile.counts, dtype=np.float64)
    n = max(float(counts.sum()), 1.0)
    shares = counts / n
    rare = _rare(profile)
    shares[rare] = (counts[rare] + 1) / (n + 1)
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _polynomials(middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Location and spread by Hermite polynomials of the normal score, skew and tails by Legendre polynomials of the rank.

    Normal scores find shifts of location that ranks find 15 % later; of skew and tails they would see little but the outermost rows.
    """
    z = np.clip(special.ndtri(middle), -FARTHEST, FARTHEST)
    x = 2 * middle - 1
    return np.stack([z, z**2 - 1, (5 * x**3 - 3 * x) / 2, (35 * x**4 - 30 * x**2 + 3) / 8])


def scores(profile: NumericProfile) -> NDArray[np.float64]:
    """The scores phi_1..4 of every bin, shape [4, bins], mean 0 and sd 1 under the reference.

    Bins are taken in the order of their values. An order is dropped, all zeros, where the reference has too few bins to tell it.
    """
    p = probabilities(profile)
    order = np.argsort(np.asarray(profile.values), kind="stable")
    middle = np.empty(len(p))
    middle[order] = np.cumsum(p[order]) - p[order] / 2
    phi = _polynomials(middle)
    phi -= (phi * p).sum(axis=1)[:, None]  # not a matrix product: its last digits may depend on where the arrays lie in memory
    sd = np.sqrt((phi**2 * p).sum(axis=1))
    filled = sum(count > 0 for count in profile.counts)
    kept = (sd >= _LEAST_SD) & (np.arange(1, ORDERS + 1) <= filled - 1)
    return np.where(kept[:, None], phi / np.where(kept, sd, 1.0)[:, None], 0.0)
