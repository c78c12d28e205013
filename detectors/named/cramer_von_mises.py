"""Cramer-von Mises over a sliding window."""

from typing import NamedTuple

import numpy as np
from scipy import linalg, special

from ...schemas.fact import Setting
from ..effects.two_sample import cramer_von_mises
from .interface import Counts, Unsuited, WatchedSignal, Watcher
from .windowed import Rows, Windowed, rows_needed

#: The law below is an approximation from below: by 7 % at a level of 1e-2, by 3 % at 1e-3, by less beyond.
_KEPT_BACK = 1.1


class CramerVonMises(Setting):
    """The mean squared distance of the distribution functions of window and reference."""

    rows: Rows = 1_000

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On numbers."""
        watched.numeric("an order")
        reference, order = watched.counts[watched.order], watched.order
        law = Law.of(watched.name, reference)
        return Windowed(
            rows_needed(self.rows, watched),
            share,
            lambda counts: cramer_von_mises(reference, counts[order]),
            lambda rows, level: watched.tau * law.quantile(level),
        )


class Law(NamedTuple):
    """The statistic's limit law on binned values, sum_k lambda_k Z_k^2 with Z_k independent and normal, in its upper tail.

    P(sum_k lambda_k Z_k^2 > x) ~ prod_{k > 1} (1 - lambda_k / lambda_1)^(-1/2) P(lambda_1 Z^2 > x) (Zolotarev 1961); on
    continuous values that of Anderson & Darling (1952).
    """

    largest: float  #: lambda_1
    factor: float

    @classmethod
    def of(cls, name: str, reference: Counts) -> "Law":
        """Of a reference's counts, in the order of the values.

        The distance of two distribution functions is in the limit a Brownian bridge at the bins' bounds. The inverse of its covariance
        is tridiagonal, and so is the symmetric matrix whose eigenvalues are 1 / lambda_k.
        """
        shares = reference[reference > 0] / max(int(reference.sum()), 1)
        if len(shares) < 2:
            msg = f"{name} has one value in the reference, whose distribution has no distance: use ks"
            raise Unsuited(msg)
        weights = (shares[:-1] + shares[1:]) / 2
        diagonal = (1 / shares[:-1] + 1 / shares[1:]) / weights
        beside = -1 / shares[1:-1] / np.sqrt(weights[:-1] * weights[1:])
        # Not by a driver that calls BLAS, whose last digits depend on where arrays lie.
        inverses = np.sort(linalg.eigvalsh_tridiagonal(diagonal, beside, lapack_driver="sterf"))
        return cls(1 / float(inverses[0]), float(np.prod((1 - inverses[0] / inverses[1:]) ** -0.5)))

    def quantile(self, level: float) -> float:
        """What is exceeded with at most this probability."""
        return self.largest * float(special.ndtri(level / _KEPT_BACK / (2 * self.factor))) ** 2
