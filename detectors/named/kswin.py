"""KSWIN, by river: the newest rows of a window against some of its older ones (Raab et al. 2020)."""

from typing import Self

from pydantic import Field, model_validator

from ...schemas.fact import Setting
from .interface import WatchedSignal, Watcher
from .row_by_row import RowByRow
from .units import ranks


class KSWIN(Setting):
    """A window whose newest rows are compared with a random sample of the others, at every row."""

    alpha: float = Field(0.005, gt=0, lt=1)
    window_size: int = Field(100, ge=4, le=100_000)
    stat_size: int = Field(30, ge=2, le=50_000)
    seed: int = 0

    @model_validator(mode="after")
    def _enough_older_rows(self) -> Self:
        if 2 * self.stat_size > self.window_size:
            msg = f"stat_size {self.stat_size} needs a window_size of at least twice that, not {self.window_size}"
            raise ValueError(msg)
        return self

    def on(self, watched: WatchedSignal, share: float) -> Watcher:
        """On mid-ranks, which are all that this test looks at."""
        return RowByRow("river.drift", "KSWIN", self.model_dump(), ranks(watched))
