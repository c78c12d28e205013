"""A series of numbers on its way from rows to a profile."""

import numpy as np
from numpy.typing import NDArray

from ....detectors.betting.scores import scores
from ....detectors.counting.bins import Filling, bins_of, with_far
from ....detectors.profiling.dependence import Dependence
from ....schemas.stored.reference import NumericProfile


class Series:
    """Finite numbers: their extremes and a sample, then their bins, then the dependence of their scores. Each pass takes all of them."""

    def __init__(self, parse: bool = False) -> None:
        self.rows = 0
        self._parse = parse
        self._sample: list[NDArray[np.float64]] = []
        self._minimum, self._maximum = np.inf, -np.inf
        self._filling: Filling | None = None
        self._profile: NumericProfile | None = None
        self._dependence: Dependence | None = None

    def look(self, values: NDArray[np.float64], sampled: NDArray[np.bool_]) -> None:
        """First pass."""
        if len(values):
            self.rows += len(values)
            self._minimum = min(self._minimum, float(values.min()))
            self._maximum = max(self._maximum, float(values.max()))
            self._sample.append(values[sampled])

    def count(self, values: NDArray[np.float64]) -> None:
        """Second pass."""
        if self._filling is None:
            self._filling = Filling(np.concatenate(self._sample), self._minimum, self._maximum)
            self._sample.clear()
        self._filling.add(values)

    def follow(self, values: NDArray[np.float64]) -> None:
        """Third pass."""
        if self._profile is None or self._dependence is None:
            assert self._filling is not None, "numbers are counted before they are followed"
            self._profile = self._filling.profile(parse=self._parse)
            self._dependence = Dependence(scores(self._profile).T)
        self._dependence.add(bins_of(self._profile, values))

    def profile(self) -> NumericProfile:
        """The result."""
        assert self._profile is not None, "numbers are followed before there is a profile"
        assert self._dependence is not None
        location, spread, skew, tails = self._dependence.tau().tolist()
        profile = self._profile.model_copy(update={"tau": (location, spread, skew, tails), **self._dependence.swung(1)})
        return profile if profile.calm_tau is None else with_far(profile)
