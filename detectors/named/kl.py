"""The Kullback-Leibler divergence over a sliding window."""

from ...schemas.fact import Setting
from ..effects.two_sample import kl
from .divergence import Groups, divergence
from .interface import WatchedSignal, Watcher
from .windowed import Rows


class KL(Setting):
    """The divergence of the window from the reference, in nats."""

    rows: Rows = 1_000
    groups: Groups = 10

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On numbers and categories."""
        return divergence(kl, watched, self.rows, self.groups, share)
