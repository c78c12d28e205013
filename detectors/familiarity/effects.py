"""How many more queries are unlike the training data, less what two samples of one law would show: in points of the share at p <= .05."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.drift import Effect, Histogram, Statistics
from ...schemas.stored.familiarity import LEVELS
from ...schemas.stored.reference import CategoricalProfile
from ..counting.layout import Signal
from ..effects import Change, rounded

Counts = NDArray[np.int64]
#: As cells are shown.
_SHOWN = ("p <= .005", ".005 < p <= .05", "p > .05")
#: The mean of max(Z, 0), Z standard normal.
_MEAN_ABOVE = 1 / math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class FlaggedMeasure:
    """By how many points the share flagged at .05 has grown. That it fell is no effect."""

    signal: Signal
    important: float

    def on(self, vector: Counts) -> Change:
        """The change in a vector of the space."""
        cells = np.maximum(vector[self.signal.span], 0)
        profile = self.signal.profile
        assert isinstance(profile, CategoricalProfile)
        n, n_ref = int(cells.sum()), max(sum(profile.counts), 1)
        if n <= 0:
            return Change(Effect(), 0.0, 0)
        was = max(LEVELS) if self.signal.segment is None else sum(profile.counts[:2]) / n_ref
        now = int(cells[:2].sum()) / n
        noise = math.sqrt(was * (1 - was) * profile.tau[1] * (1 / n + 1 / n_ref)) * _MEAN_ABOVE
        return Change(
            Effect(flagged=(rounded(was), rounded(now))),
            max(now - was - noise, 0.0) / self.important,
            n,
            reference=Histogram(bins=_SHOWN, counts=profile.counts),
            current=Histogram(counts=tuple(cells.tolist())),
            was=Statistics(rows=n_ref, mean=rounded(was)),
            now=Statistics(rows=n, mean=rounded(now)),
        )

    def rows(self, vector: Counts) -> int:
        """Rows scored."""
        return int(np.maximum(vector[self.signal.span], 0).sum())
