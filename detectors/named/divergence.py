"""Divergences of two histograms, judged alike: chi-square, PSI, Jensen-Shannon, Kullback-Leibler."""

import math
from collections.abc import Callable, Iterable
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy import special

from .interface import Counts, Floats, Unsuited, WatchedSignal
from .windowed import Windowed, noise, rows_needed

#: Rows that a group has at least, in the mean, in the window: with fewer no law of many rows holds.
LEAST_EXPECTED = 5

Groups = Annotated[int, Field(ge=2, le=64, description="of neighbouring bins with about equal mass; categories are not grouped")]


def divergence(
    measure: Callable[[Counts | Floats, Counts | Floats], float], watched: WatchedSignal, rows: int, groups: int, share: float
) -> Windowed:
    """The windowed test of ``measure(reference, window)``, on groups that are never nearly empty.

    Near no drift all these measures are multiples of the likelihood ratio's G, whose tail is chi-square's at any level (Sanov). Farther
    out they differ: at a level of 1e-7 Pearson's sum is a third too large where a group of 100 rows moved alone. So the threshold is the
    largest value of the measure that a move of the smallest or the largest group can have, upwards or downwards, whose G lies on
    chi-square's quantile.
    """
    needed = rows_needed(rows, watched)
    group_of = grouped(watched, groups, LEAST_EXPECTED * noise(watched, needed))
    reference = _added(watched.counts, group_of)
    if len(reference) < 2:
        msg = f"{watched.name} is nearly always the same in the reference, so there are no two groups to compare: leave it to the default"
        raise Unsuited(msg)
    shares = reference / reference.sum()
    extremes = {int(np.argmin(shares)), int(np.argmax(shares))}

    def threshold(rows: int, level: float) -> float:
        limit = _g_quantile(shares, rows / watched.tau, reference.sum() / watched.tau, level)
        g = limit * noise(watched, rows)
        moved = (_moved(shares, group, factor) for group in extremes for factor in _factors(float(shares[group]), g))
        return max(measure(reference, rows * q) for q in moved)

    return Windowed(needed, share, lambda counts: measure(reference, _added(counts, group_of)), threshold)


def _g_quantile(shares: Floats, rows: float, reference_rows: float, level: float) -> float:
    """Of the likelihood ratio's G in a table of two rows: chi-square's, with Williams' correction (1976) for small groups."""
    freedom, total = len(shares) - 1, rows + reference_rows
    correction = (total / rows + total / reference_rows - 1) * (float((1 / shares).sum()) - 1) / (6 * total * freedom)
    return (1 + correction) * float(special.chdtri(freedom, level))


def _factors(share: float, g: float) -> tuple[float, float]:
    """By what a group's share is multiplied, upwards and downwards, if G per row is ``g``: u ln u - u + 1 = g (1 - share) / (2 share)."""
    exponent = g * (1 - share) / (2 * share)
    up = math.exp(1 + float(special.lambertw((exponent - 1) / math.e, 0).real))
    down = math.exp(1 + float(special.lambertw((exponent - 1) / math.e, -1).real)) if exponent < 1 else 0.0
    return min(up, 1 / share), down


def _moved(shares: Floats, group: int, factor: float) -> Floats:
    """One share multiplied, the others in proportion."""
    share = float(shares[group])
    moved = shares * ((1 - share * factor) / (1 - share))
    moved[group] = share * factor
    return moved


def grouped(watched: WatchedSignal, groups: int, least: float) -> Counts:
    """The group of every bin: of numbers about ``groups`` of neighbours, of categories each its own; none with a share below ``least``."""
    shares = watched.counts / max(int(watched.counts.sum()), 1)
    if watched.profile.kind == "numeric":
        return _neighbours(shares, watched.order, max(least, 1 / groups), least)
    common = np.flatnonzero(shares[:-1] >= least)
    rest = np.delete(np.arange(len(shares)), common)
    group_of = np.full(len(shares), len(common))
    group_of[common] = np.arange(len(common))
    if len(common) and shares[rest].sum() < least:
        group_of[rest] = np.argmin(shares[common])
    return group_of


def _neighbours(shares: Floats, order: Iterable[int], full: float, least: float) -> Counts:
    group_of = np.zeros(len(shares), dtype=np.int64)
    group, mass = 0, 0.0
    for bin_ in order:
        # A value that fills a group by itself has one of its own, if those before it can do without.
        if mass >= full or (mass >= least and shares[bin_] >= full):
            group, mass = group + 1, 0.0
        group_of[bin_] = group
        mass += float(shares[bin_])
    if mass < max(least, full / 2) and group:
        group_of[group_of == group] = group - 1
    return group_of


def _added(counts: Counts, group_of: Counts) -> Counts:
    """Counts summed over each group; exact below 2^53."""
    return np.bincount(group_of, weights=counts).astype(np.int64)
