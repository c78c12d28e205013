"""Pearson's chi-square over a sliding window."""

from ...schemas.fact import Setting
from ..effects.two_sample import chi_square
from .divergence import Groups, divergence
from .interface import WatchedSignal, Watcher
from .windowed import Rows


class ChiSquare(Setting):
    """Pearson's sum of squared departures from the counts expected if window and reference had one law."""

    rows: Rows = 1_000
    groups: Groups = 10

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On numbers and categories."""
        return divergence(lambda reference, window: chi_square(reference, window).statistic, watched, self.rows, self.groups, share)
