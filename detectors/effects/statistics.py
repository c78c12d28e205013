"""What everybody looks at first: count, mean, median, sd, quantiles, distinct values, nulls; of the reference and now."""

import math

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.drift import Statistics
from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from ..counting.bins import QUANTILES
from ..counting.layout import CELLS, Signal
from ..counting.numbers import SCALE, SQUARE_SCALE
from .size import rounded

Counts = NDArray[np.int64]
_MEDIAN = QUANTILES.index(0.5)
_SHARES = np.array(QUANTILES)


def of_reference(signal: Signal, nulls: float | None) -> Statistics:
    """As the reference's rows say."""
    rows, absent = int(signal.reference_counts.sum()), None if nulls is None else rounded(nulls)
    match signal.profile:
        case NumericProfile() as profile:
            quantiles = tuple(map(rounded, profile.quantiles))
            return Statistics(
                rows=rows,
                nulls=absent,
                mean=rounded(profile.mean),
                sd=rounded(profile.sd if profile.minimum < profile.maximum else 0.0),
                median=quantiles[_MEDIAN] if quantiles else None,
                quantiles=quantiles,
                distinct=profile.distinct or None,
            )
        case CategoricalProfile() as profile:
            return Statistics(rows=rows, nulls=absent, distinct=profile.distinct or None)
    return Statistics(rows=rows, nulls=absent)


class Telling:
    """The statistics of a signal's counts."""

    def __init__(self, signal: Signal) -> None:
        self._signal, self._profile = signal, signal.profile
        if isinstance(self._profile, NumericProfile):
            self._order = np.argsort(np.asarray(self._profile.values), kind="stable")
            self._low, self._high = _ends(self._profile)

    def of(self, vector: Counts, nulls: float | None) -> Statistics:
        """As far as counts can tell: moments in steps of 2^-20 sd, within +-1,000 of them; quantiles interpolated in their bins."""
        signal, counts = self._signal, np.maximum(vector[self._signal.span], 0)
        rows = int(counts.sum())
        match self._profile:
            case NumericProfile() as profile if rows > 0 and signal.moments is not None and signal.cells is not None:
                mean, square = vector[signal.moments] / SCALE / rows, vector[signal.moments + 1] / SQUARE_SCALE / rows
                quantiles = tuple(map(rounded, self._quantiles(counts)))
                return Statistics(
                    rows=rows,
                    nulls=nulls,
                    mean=rounded(profile.mean + profile.sd * float(mean)),
                    sd=rounded(profile.sd * math.sqrt(max(float(square - mean * mean), 0.0))),
                    median=quantiles[_MEDIAN],
                    quantiles=quantiles,
                    distinct=_distinct(vector[signal.cells : signal.cells + CELLS]),
                )
            case CategoricalProfile() if rows > 0:
                return Statistics(rows=rows, nulls=nulls, distinct=_filled(counts))
        return Statistics(rows=rows, nulls=nulls)

    def law(self, counts: Counts, nulls: float | None) -> Statistics:
        """Of what counts are compared with, where that is not all of the reference: a bin's rows are taken to be at its value."""
        rows = int(counts.sum())
        if not isinstance(self._profile, NumericProfile) or rows <= 0:
            return Statistics(rows=rows, nulls=nulls, distinct=_filled(counts) if isinstance(self._profile, CategoricalProfile) else None)
        z = (np.asarray(self._profile.values) - self._profile.mean) / self._profile.sd
        mean, square = float((counts * z).sum()) / rows, float((counts * z * z).sum()) / rows
        quantiles = tuple(map(rounded, self._quantiles(counts)))
        return Statistics(
            rows=rows,
            nulls=nulls,
            mean=rounded(self._profile.mean + self._profile.sd * mean),
            sd=rounded(self._profile.sd * math.sqrt(max(square - mean * mean, 0.0))),
            median=quantiles[_MEDIAN],
            quantiles=quantiles,
        )

    def _quantiles(self, counts: Counts) -> list[float]:
        """Rows are taken to lie evenly between a bin's ends; those beyond the reference's extremes at these."""
        behind = np.cumsum(counts[self._order])
        ranks = _SHARES * behind[-1]
        place = np.searchsorted(behind, ranks, side="left")
        bins = self._order[place]
        within = 1 - (behind[place] - ranks) / np.maximum(counts[bins], 1)
        found: list[float] = (self._low[bins] + within * (self._high[bins] - self._low[bins])).tolist()
        return found


def _ends(profile: NumericProfile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where every bin begins and ends, within the reference's extremes; a gap, as what is far out, is at its value."""
    low, high = np.asarray(profile.values, dtype=np.float64).copy(), np.asarray(profile.values, dtype=np.float64).copy()
    ends = np.concatenate(([-np.inf], profile.edges, [np.inf]))
    for interval, bin_ in enumerate(profile.bin_of):
        if bin_ not in profile.rare:
            low[bin_] = min(low[bin_], max(float(ends[interval]), profile.minimum))
            high[bin_] = max(high[bin_], min(float(np.nextafter(ends[interval + 1], -np.inf)), profile.maximum))
    return low, high


def _filled(counts: Counts) -> int:
    return int(np.count_nonzero(counts))


def _distinct(cells: Counts) -> int | None:
    """Linear counting (Whang, Vander-Zanden & Taylor 1990): -m ln(share of empty cells); None: too many for so few cells."""
    empty = int(np.count_nonzero(cells <= 0))
    return round(-len(cells) * math.log(empty / len(cells))) if empty else None
