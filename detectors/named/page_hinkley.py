"""Page-Hinkley, by river (Page 1954)."""

from typing import Literal

from pydantic import Field

from ...schemas.fact import Setting
from .interface import WatchedSignal, Watcher
from .row_by_row import RowByRow
from .units import deviations


class PageHinkley(Setting):
    """The sum of the deviations from the mean so far, and how far it has come from its extreme."""

    min_instances: int = Field(30, ge=1)
    delta: float = Field(0.005, ge=0, description="deviation that is allowed, in standard deviations")
    threshold: float = Field(50.0, gt=0)
    alpha: float = Field(0.9999, gt=0, le=1, description="forgetting per row")
    mode: Literal["up", "down", "both"] = "both"

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On values in the reference's standard deviations, in which `delta` and `threshold` are meant."""
        return RowByRow("river.drift", "PageHinkley", self.model_dump(), deviations(watched))
