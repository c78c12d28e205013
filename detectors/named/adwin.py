"""ADWIN, by river: adaptive windowing (Bifet & Gavalda 2007)."""

from pydantic import Field

from ...schemas.fact import Setting
from .interface import WatchedSignal, Watcher
from .row_by_row import RowByRow
from .units import ranks


class ADWIN(Setting):
    """A window that is cut where the means of its two parts differ."""

    delta: float = Field(0.002, gt=0, lt=1, description="level of each cut")
    clock: int = Field(32, ge=1, description="rows from one look to the next")
    max_buckets: int = Field(5, ge=1, le=100)
    min_window_length: int = Field(5, ge=1)
    grace_period: int = Field(10, ge=0)

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On mid-ranks between 0 and 1: what a unit or an outlier is like does not matter."""
        return RowByRow("river.drift", "ADWIN", self.model_dump(), ranks(watched))
