"""Effect size of a pair: how far its correlation moved."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Important
from ...schemas.messages.drift import Effect
from ...schemas.stored.reference import PairProfile
from ..counting.layout import Signal
from ..counting.products import PAIR_SCALE
from .size import Change, rounded

Counts = NDArray[np.int64]
#: The mean of |Z|, Z standard normal.
_ABSOLUTE_MEAN = math.sqrt(2 / math.pi)


@dataclass(frozen=True)
class PairMeasure:
    """The rank correlation of two fields, of the reference and now."""

    signal: Signal
    important: Important

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        profile, rows = self.signal.profile, self.rows(vector)
        assert isinstance(profile, PairProfile)
        if rows <= 0:
            return Change(Effect(), 0.0, 0)
        now = float(vector[self.signal.start]) / PAIR_SCALE / rows
        sd = math.sqrt(max(profile.square - profile.correlation**2, 0.0))
        noise = _ABSOLUTE_MEAN * sd * math.sqrt(1 / rows + 1 / profile.rows)
        moved = max(abs(now - profile.correlation) - noise, 0.0)
        # a product of scores whose fields have moved themselves may be larger than any correlation
        effect = Effect(correlation=(rounded(profile.correlation), rounded(min(max(now, -1.0), 1.0))))
        return Change(effect, moved / self.important.correlation, rows)

    def rows(self, vector: Counts) -> int:
        """Rows that have both values."""
        return int(vector[self.signal.rows].sum())
