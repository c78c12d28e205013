"""The bins of a numeric column: where they are cut, how they are filled, and the profile that comes of it."""

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Of about equal mass; a value that holds a bin's mass by itself is a bin of its own.
BINS = 64
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def cut_points(sample: Floats, minimum: float, maximum: float) -> Floats:
    """The edges of a column's bins, from a sample of its finite values and its exact extremes.

    >>> cut_points(np.array([0.0] * 90 + list(range(1, 11))), 0, 10).tolist()
    [0.0, 5e-324, 2.0, 4.0, 6.0, 7.0, 9.0, 10.000000000000002]
    """
    values, counts = np.unique(sample, return_counts=True)
    atom = counts * BINS >= len(sample)
    rest, behind = values[~atom], np.cumsum(counts[~atom])
    rows = int(behind[-1]) if len(rest) else 0
    parts = max(1, round(BINS * rows / len(sample)))
    cuts = rest[np.searchsorted(behind, rows * np.arange(1, parts) // parts, side="right")]
    with np.errstate(over="ignore"):  # nothing lies above the largest float, and it needs no edge there
        above = np.nextafter(np.append(values[atom], maximum), np.inf)
    edges = np.unique(np.concatenate(([minimum], values[atom], cuts, above))) + 0.0  # no edge is -0.0
    return edges[np.isfinite(edges)]


def intervals(edges: Floats, values: Floats) -> Integers:
    """The interval of every value: 0 below the first edge, i + 1 from edge i on."""
    return np.asarray(np.searchsorted(edges, values, side="right"), dtype=np.int64)


def bins_of(profile: NumericProfile, values: Floats) -> Integers:
    """The bin of every value.

    >>> bins_of(profile_of(np.array([1.0, 2.0, 2.0])), np.array([0.0, 1.0, 1.5, 2.0, 3.0])).tolist()
    [0, 1, 4, 2, 3]
    """
    return np.asarray(profile.bin_of, dtype=np.int64)[intervals(np.asarray(profile.edges), values)]


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
