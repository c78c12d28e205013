"""Kolmogorov-Smirnov over a sliding window."""

import math

from ...schemas.fact import Setting
from ..effects.two_sample import ks
from .interface import WatchedSignal, Watcher
from .windowed import Rows, Windowed, noise, rows_needed


class KS(Setting):
    """The largest distance of the distribution functions of window and reference."""

    rows: Rows = 1_000

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On numbers.

        The threshold is that of the two-sample Dvoretzky-Kiefer-Wolfowitz-Massart inequality, P(D >= t) <= 2 exp(-2 t^2 / (1/n + 1/m))
        (Wei & Dudley 2012): at small levels hardly above Kolmogorov's law, at no sample size below it, and safe where values tie.
        """
        watched.numeric("an order")
        reference, order = watched.counts[watched.order], watched.order
        return Windowed(
            rows_needed(self.rows, watched),
            share,
            lambda counts: ks(reference, counts[order]),
            lambda rows, level: math.sqrt(math.log(2 / level) / 2 * noise(watched, rows)),
        )
