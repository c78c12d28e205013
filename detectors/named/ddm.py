"""DDM, by river: the drift detection method (Gama et al. 2004)."""

from pydantic import Field

from ...schemas.fact import Setting
from .interface import WatchedSignal, Watcher
from .row_by_row import RowByRow
from .units import two_valued


class DDM(Setting):
    """The share of errors against its lowest value so far."""

    warm_start: int = Field(30, ge=1)
    warning_threshold: float = Field(2.0, gt=0)
    drift_threshold: float = Field(3.0, gt=0)

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On two values, as errors have: 1 is the rarer one in the reference."""
        return RowByRow("river.drift.binary", "DDM", self.model_dump(), two_valued(watched))
