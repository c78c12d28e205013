"""EDDM, by river: the early drift detection method (Baena-Garcia et al. 2006)."""

from typing import Self

from pydantic import Field, model_validator

from ...schemas.fact import Setting
from .interface import WatchedSignal, Watcher
from .row_by_row import RowByRow
from .units import two_valued


class EDDM(Setting):
    """The distance between errors against its largest value so far."""

    warm_start: int = Field(30, ge=1)
    alpha: float = Field(0.95, gt=0, lt=1, description="of a warning; at least beta")
    beta: float = Field(0.9, gt=0, lt=1)

    @model_validator(mode="after")
    def _warned_before(self) -> Self:
        if self.alpha < self.beta:
            msg = f"alpha {self.alpha} must be at least beta, {self.beta}"
            raise ValueError(msg)
        return self

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On two values, as errors have: 1 is the rarer one in the reference."""
        return RowByRow("river.drift.binary", "EDDM", self.model_dump(), two_valued(watched))
