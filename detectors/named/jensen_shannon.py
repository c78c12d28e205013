"""Jensen-Shannon's distance over a sliding window."""

from ...schemas.fact import Setting
from ..effects.two_sample import jensen_shannon
from .divergence import Groups, divergence
from .interface import WatchedSignal, Watcher
from .windowed import Rows


class JensenShannon(Setting):
    """The distance of window and reference from their mixture: 0 if equal, 1 if they share no group."""

    rows: Rows = 1_000
    groups: Groups = 10

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On numbers and categories."""
        return divergence(jensen_shannon, watched, self.rows, self.groups, share)
