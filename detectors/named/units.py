"""Counts as rows again, in units that no scale of the data changes: what is fed to detectors that read one number after another."""

import numpy as np

from ...schemas.stored.reference import CategoricalProfile
from .interface import Counts, Floats, Unsuited, WatchedSignal

#: A bucket is told to such detectors by no more rows than these.
MOST_ROWS = 500


def ranks(watched: WatchedSignal) -> Floats:
    """Per bin its mid-rank in the reference, between 0 and 1; of two categories the rarer is 1."""
    if isinstance(watched.profile, CategoricalProfile):
        return two_valued(watched)
    shares, order = watched.counts / watched.counts.sum(), watched.order
    middle = np.empty(len(shares))
    middle[order] = np.cumsum(shares[order]) - shares[order] / 2
    return np.clip(middle, 0.0, 1.0)


def deviations(watched: WatchedSignal) -> Floats:
    """Per bin its value, less the reference's mean, in its standard deviations; of two categories the rarer is 1."""
    if isinstance(watched.profile, CategoricalProfile):
        return two_valued(watched)
    profile = watched.profile
    return (np.asarray(profile.values) - profile.mean) / profile.sd


def two_valued(watched: WatchedSignal) -> Floats:
    """Per bin of a signal with two values 1 for the error (if nobody says which, the rarer in the reference), else 0; without one nan."""
    filled = np.flatnonzero(watched.counts)
    if isinstance(watched.profile, CategoricalProfile):
        two = len(watched.profile.categories) == 2
        values = np.arange(len(watched.profile.categories))
    else:
        two, values = watched.profile.distinct == 2 and len(filled) == 2, filled
    if not two:
        msg = f"{watched.name} has not two values, as errors have: use ks, chi_square or psi"
        raise Unsuited(msg)
    units = np.full(len(watched.counts), np.nan)
    units[values] = 0.0
    rarest = min(watched.counts[values])
    units[[bin_ for bin_ in values if watched.counts[bin_] == rarest][-1] if watched.ones is None else watched.ones] = 1.0
    return units


def rows_of(counts: Counts, units: Floats, seed: int, most: int = MOST_ROWS) -> Floats:
    """A bucket's rows, of many ``most`` evenly spaced quantiles, in an order drawn from ``seed``; bins without a unit are left out.

    >>> sorted(rows_of(np.array([1, 0, 3]), np.array([0.1, 0.5, 0.9]), 7).tolist())
    [0.1, 0.9, 0.9, 0.9]
    """
    order = np.argsort(units, kind="stable")
    order = order[~np.isnan(units[order])]
    behind = np.cumsum(counts[order])
    rows = int(behind[-1]) if len(behind) else 0
    fed = min(rows, most)
    places = (2 * np.arange(fed, dtype=np.int64) + 1) * (rows / (2 * fed)) if fed else np.zeros(0)
    values = units[order[np.searchsorted(behind, places, side="right")]]
    # numpy promises the same raw numbers in all releases, of its shuffles it does not.
    return np.asarray(values[np.argsort(np.random.PCG64(seed).random_raw(fed), kind="stable")])
