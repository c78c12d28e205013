"""The population stability index over a sliding window."""

from ...schemas.fact import Setting
from ..effects.two_sample import psi
from .divergence import Groups, divergence
from .interface import WatchedSignal, Watcher
from .windowed import Rows


class PSI(Setting):
    """The symmetrised Kullback-Leibler divergence of window and reference."""

    rows: Rows = 1_000
    groups: Groups = 10

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On numbers and categories."""
        return divergence(psi, watched, self.rows, self.groups, share)
