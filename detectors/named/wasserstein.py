"""Wasserstein's distance over a sliding window."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from ...schemas.fact import Setting
from ..betting.scores import probabilities
from ..effects.two_sample import wasserstein
from .interface import Floats, Unsuited, WatchedSignal, Watcher
from .windowed import Rows, Windowed, noise, rows_needed

#: The tail of the distance over that of the difference of means, at levels of 1e-2 to 1e-4: 1.0 to 1.5 in smooth, heavy-tailed and
#: bimodal laws, 1.9 where nine rows of ten are the same (simulated: docs/detectors.md).
_TAIL = 2.0
#: Tilts of the reference for which the mean is tabulated, per standard deviation: a step is 5 %.
_TILTS = np.geomspace(1e-4, 1e3, 400)


class Wasserstein(Setting):
    """The area between the distribution functions of window and reference, in the reference's standard deviations."""

    rows: Rows = 1_000

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On numbers.

        In the limit of many rows the distance is a norm of a Gaussian process, whose tail has the exponent of its most variable direction
        (Marcus & Shepp 1972). That is the difference of the means, since no f with slopes up to 1 varies more than f(x) = x. At the few
        rows there are, the exponent for a mean is that of the exponentially tilted reference (Cramer), which knows of heavy tails.
        """
        profile = watched.numeric("distances")
        order = watched.order
        reference, values = watched.counts[order], np.asarray(profile.values)[order] / profile.sd
        if len(np.unique(values[reference > 0])) < 2:
            msg = f"{watched.name} has one value in the reference, and distances no unit: use ks"
            raise Unsuited(msg)
        means = Means.of(probabilities(profile)[order], values)

        def threshold(rows: int, level: float) -> float:
            z = float(special.ndtri(level / (2 * _TAIL)))
            return means.farthest(z * z * noise(watched, rows))

        return Windowed(rows_needed(self.rows, watched), share, lambda counts: wasserstein(reference, counts[order], values), threshold)


@dataclass(frozen=True)
class Means:
    """How far the mean of a law can move for a likelihood ratio, upwards and downwards."""

    ratios: tuple[Floats, Floats]  #: twice the Kullback-Leibler divergence of the tilted law from the law, ascending
    distances: tuple[Floats, Floats]

    @classmethod
    def of(cls, shares: Floats, values: Floats) -> "Means":
        """Of a law on these values."""
        mean = float((shares * values).sum())
        ratios, distances = [], []
        for sign in (1.0, -1.0):
            exponents = sign * _TILTS[:, None] * (values - mean)
            highest = exponents.max(axis=1, keepdims=True)
            weights = shares * np.exp(exponents - highest)
            total = weights.sum(axis=1)
            moved = (weights * (values - mean)).sum(axis=1) / total
            ratios.append(2 * (sign * _TILTS * moved - highest[:, 0] - np.log(total)))
            distances.append(np.abs(moved))
        return cls((ratios[0], ratios[1]), (distances[0], distances[1]))

    def farthest(self, ratio: float) -> float:
        """The distance, at this ratio."""
        return max(float(np.interp(ratio, known, distance)) for known, distance in zip(self.ratios, self.distances, strict=True))
