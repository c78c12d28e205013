"""Effect size of a pair: how far its correlation moved."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important
from ...schemas.drift import Effect, Histogram
from ...schemas.reference import PairProfile
from ..counting.products import PAIR_SCALE
from ..layout import Signal
from .size import Size, rounded

Counts = NDArray[np.int64]
#: The mean of |Z|, Z standard normal.
_ABSOLUTE_MEAN = math.sqrt(2 / math.pi)


@dataclass(frozen=True)
class PairMeasure:
    """The rank correlation of two fields, of the reference and now."""

    signal: Signal
    important: Important

    def on(self, counts: Counts) -> tuple[Size, Counts]:
        """The effect in a vector of the space, and the signal's own sum in it."""
        current, profile = counts[self.signal.span], self.signal.profile
        assert isinstance(profile, PairProfile)
        rows = self.rows(counts)
        if rows <= 0:
            return Size(Effect(), 0.0), current
        now = float(current[0]) / PAIR_SCALE / rows
        sd = math.sqrt(max(profile.square - profile.correlation**2, 0.0))
        noise = _ABSOLUTE_MEAN * sd * math.sqrt(1 / rows + 1 / profile.rows)
        moved = max(abs(now - profile.correlation) - noise, 0.0)
        effect = Effect(correlation=(rounded(profile.correlation), rounded(now)))
        return Size(effect, moved / self.important.correlation), current

    @property
    def reference(self) -> Histogram:
        """Nothing: a correlation has no histogram."""
        return Histogram()

    def histogram(self, current: Counts) -> Histogram:
        """Nothing either."""
        return Histogram()

    def rows(self, counts: Counts) -> int:
        """Rows that have both values."""
        return int(counts[self.signal.rows].sum())
