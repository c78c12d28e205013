"""The bins of a numeric column: where they are cut, how they are filled, and the profile that comes of it."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Of about equal mass; a value that holds a bin's mass by itself is a bin of its own.
BINS = 64
#: Of two numbers that differ by less, as a share of them, one may be the other, written with fewer digits: float32 has seven.
SAME = 1e-6
#: So many times its range from a reference a trend has been told long ago; another unit is so many times as large.
RANGES, TIMES = 3.0, 10.0
#: Of the column's largest: no number that is smaller is told from zero.
SAME_AS_ZERO = 1e-15
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def cut_points(sample: Floats, minimum: float, maximum: float) -> Floats:
    """The edges of a column's bins, from a sample of its finite values and its exact extremes.

    Of a column that has other than whole numbers an atom is as wide as `SAME`, for it may be written with other last digits tomorrow.

    >>> cut_points(np.array([0.0] * 90 + list(range(1, 11))), 0, 10).tolist()
    [0.0, 5e-324, 2.0, 4.0, 6.0, 7.0, 9.0, 10.000000000000002]
    >>> cut_points(np.array([0.5, 0.25]), 0.25, 0.5).round(8).tolist()
    [0.24999975, 0.25000025, 0.4999995, 0.5000005]
    """
    values, counts = np.unique(sample, return_counts=True)
    if (sample != np.floor(sample)).any():
        return _cut_wide(values, counts, minimum, maximum)
    atom = counts * BINS >= len(sample)
    rest = values[~atom]
    cuts = _cuts(rest, counts[~atom], len(sample))
    with np.errstate(over="ignore"):  # nothing lies above the largest float, and it needs no edge there
        above = np.nextafter(np.append(values[atom], maximum), np.inf)
    edges = np.unique(np.concatenate(([minimum], values[atom], cuts, above))) + 0.0  # no edge is -0.0
    return edges[np.isfinite(edges)]


def _cuts(values: Floats, counts: Integers, total: int) -> Floats:
    """Where distinct values, which are no atoms, are cut into parts of about equal mass."""
    behind = np.cumsum(counts)
    rows = int(behind[-1]) if len(values) else 0
    parts = max(1, round(BINS * rows / total))
    return values[np.searchsorted(behind, rows * np.arange(1, parts) // parts, side="right")]


def _cut_wide(values: Floats, counts: Integers, minimum: float, maximum: float) -> Floats:
    """Of distinct values, and how often each comes. Those that are the same but for their last digits are one atom, if they are any."""
    width = widths(values, max(abs(minimum), abs(maximum)))
    first = _first_of_each(values, width)
    cluster = np.cumsum(first) - 1
    mass = np.bincount(cluster, weights=counts).astype(np.int64)
    lows = np.flatnonzero(first)
    highs = np.append(lows[1:], len(values)) - 1
    chosen = mass * BINS >= counts.sum()
    rest = ~chosen[cluster]
    with np.errstate(over="ignore"):  # nothing lies above the largest float, and it needs no edge there
        below = np.append(-np.inf, values)[lows[chosen]]  # the neighbours of each atom
        beyond = np.append(values, np.inf)[highs[chosen] + 1]
        low, high = values[lows[chosen]], values[highs[chosen]]
        low_edges = np.maximum(np.maximum(low - width[lows[chosen]], low - (low - below) / 2), -np.finfo(np.float64).max)
        high_edges = np.maximum(np.minimum(high + width[highs[chosen]], high + (beyond - high) / 2), np.nextafter(high, np.inf))
        ends = [*([minimum] if rest[0] or not len(low) else []), *([np.nextafter(maximum, np.inf)] if rest[-1] or not len(high) else [])]
    edges = np.unique(np.concatenate((_cuts(values[rest], counts[rest], int(counts.sum())), low_edges, high_edges, ends))) + 0.0
    return edges[np.isfinite(edges)]


def widths(values: Floats, largest: float) -> Floats:
    """How far other values may be and still be the same; ``largest``: of the column's absolute values."""
    zero = SAME_AS_ZERO * largest
    return np.where(np.abs(values) <= zero, zero, SAME * np.abs(values))


def _first_of_each(values: Floats, width: Floats) -> NDArray[np.bool_]:
    """Which of ascending values begin another cluster: each reaches from its first value as far as that one's width."""
    first = np.append(True, np.diff(values) > width[:-1])
    for start in np.flatnonzero(first[:-1] & ~first[1:]).tolist():
        place = start + 1
        while place < len(values) and not first[place]:
            if values[place] - values[start] > width[start]:
                first[place], start = True, place
            place += 1
    return first


def intervals(edges: Floats, values: Floats) -> Integers:
    """The interval of every value: 0 below the first edge, i + 1 from edge i on."""
    return np.asarray(np.searchsorted(edges, values, side="right"), dtype=np.int64)


def bins_of(profile: NumericProfile, values: Floats) -> Integers:
    """The bin of every value.

    >>> bins_of(profile_of(np.array([1.0, 2.0, 2.0])), np.array([0.0, 1.0, 1.5, 2.0, 3.0])).tolist()
    [0, 1, 4, 2, 3]
    """
    return np.asarray(profile.bin_of, dtype=np.int64)[intervals(np.asarray(profile.edges), values)]


def with_far(profile: NumericProfile) -> NumericProfile:
    """The profile with bins for what lies `RANGES` below the minimum and above the maximum, and is of another magnitude or sign.

    >>> profile = with_far(profile_of(np.array([1.0, 2.0, 2.0])))
    >>> profile.edges[0], profile.edges[-1], bins_of(profile, np.array([-3.0, 0.0, 21.0])).tolist(), profile.far
    (-2.0, 20.0, [5, 0, 6], (5, 6))
    >>> profile = with_far(profile_of(np.array([1.7670e9, 1.7671e9])))
    >>> profile.edges[0], profile.edges[-1]
    (176700000.0, 17671000000.0)
    """
    least, most = profile.minimum, profile.maximum
    reach = RANGES * (most - least)
    low = min(least - reach, least / TIMES if least > 0 else least * TIMES)
    high = max(most + reach, most * TIMES if most > 0 else most / TIMES)
    if not (np.isfinite([low, high]).all() and low < profile.edges[0] and high > profile.edges[-1]):
        return profile
    bins = len(profile.counts)
    return profile.model_copy(
        update={
            "edges": (low, *profile.edges, high),
            "bin_of": (bins, *profile.bin_of, bins + 1),
            "counts": (*profile.counts, 0, 0),
            "values": (*profile.values, low, high),
            "far": (bins, bins + 1),
        }
    )


class Filling:
    """Exact counts and moments of a column, over chunks of its finite values.

    Sums are kept in units of the power of two above the largest value: no square of a value can overflow, and no digit is lost.
    """

    def __init__(self, sample: Floats, minimum: float, maximum: float) -> None:
        self._sample = np.sort(sample)
        self._minimum, self._maximum = float(minimum) + 0.0, float(maximum) + 0.0
        self._edges = cut_points(sample, self._minimum, self._maximum)
        self._exponent = int(np.frexp(max(abs(minimum), abs(maximum)))[1])
        self._centre = float(np.mean(self._scaled(sample)))
        self._counts = np.zeros(len(self._edges) + 1, dtype=np.int64)
        self._sums = np.zeros(len(self._edges) + 1)
        self._deviation = self._square = 0.0

    def _scaled(self, values: Floats) -> Floats:
        return np.ldexp(values, -self._exponent)

    def _unscaled(self, value: float) -> float:
        return float(np.ldexp(value, self._exponent))

    def add(self, values: Floats) -> None:
        """Count these."""
        places = intervals(self._edges, values)
        scaled = self._scaled(values)
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sums += np.bincount(places, weights=scaled, minlength=len(self._counts))
        scaled -= self._centre
        self._deviation += float(scaled.sum())
        self._square += float((scaled * scaled).sum())

    def profile(self, *, parse: bool = False) -> NumericProfile:
        """What was counted; its taus are for somebody who knows the rows' order."""
        n, counts, edges = int(self._counts.sum()), self._counts, self._edges
        shift = self._deviation / n
        mean = min(max(self._unscaled(self._centre + shift), self._minimum), self._maximum)
        sd = self._unscaled(np.sqrt(max(self._square / n - shift * shift, 0.0))) if self._minimum < self._maximum else 0.0

        filled = np.flatnonzero(counts)
        above, gap = len(filled) + 1, len(filled) + 2
        bin_of = np.full(len(counts), gap)
        bin_of[0] = 0
        if edges[-1] > self._maximum:  # else the maximum is the largest float, and nothing lies above
            bin_of[-1] = above
        bin_of[filled] = np.arange(1, above)
        has_gap = bool((bin_of == gap).any())

        # A mean of rounded sums may leave its bin by a digit: an atom's value must be the atom.
        last = np.append(np.nextafter(edges[1:], -np.inf), self._maximum)[filled - 1]
        means = np.clip(np.ldexp(self._sums[filled] / counts[filled], self._exponent), edges[filled - 1], np.minimum(last, self._maximum))
        ranks = np.ceil(np.array(QUANTILES) * len(self._sample)).astype(np.int64) - 1
        return NumericProfile(
            edges=tuple(edges.tolist()),
            bin_of=tuple(bin_of.tolist()),
            counts=(0, *counts[filled].tolist(), 0, *([0] if has_gap else [])),
            values=(self._minimum, *means.tolist(), self._maximum, *([mean] if has_gap else [])),
            above=above,
            gap=gap if has_gap else None,
            mean=mean,
            sd=sd or 1.0,
            minimum=self._minimum,
            maximum=self._maximum,
            quantiles=tuple((self._sample[ranks] + 0.0).tolist()),
            distinct=len(np.unique(self._sample)),
            parse=parse,
        )


def profile_of(values: Floats) -> NumericProfile:
    """The profile of a column that is at hand as a whole; what is not finite is left out."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        msg = f"none of {len(values)} values is a finite number: there is nothing to cut bins from"
        raise ValueError(msg)
    filling = Filling(finite, float(finite.min()), float(finite.max()))
    filling.add(finite)
    return filling.profile()
