"""HDDM-W, by river: weighted moving averages under McDiarmid's inequality (Frias-Blanco et al. 2015)."""

from pydantic import Field

from ...schemas.fact import Setting
from .interface import WatchedSignal, Watcher
from .row_by_row import RowByRow
from .units import two_valued


class HDDMW(Setting):
    """An exponentially weighted mean against its lowest value so far, and its highest if asked for."""

    drift_confidence: float = Field(0.001, gt=0, lt=1)
    warning_confidence: float = Field(0.005, gt=0, lt=1)
    lambda_val: float = Field(0.05, gt=0, lt=1, description="weight of the newest row")
    two_sided_test: bool = False

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On two values, as errors have: 1 is the rarer one in the reference."""
        return RowByRow("river.drift.binary", "HDDMW", self.model_dump(), two_valued(watched))
