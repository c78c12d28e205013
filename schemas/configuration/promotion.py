"""``models.NAME.promotion:`` of the configuration: what a new version must show before it serves, and who has the last word."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..duration import Duration, written
from ..fact import Setting

DAY_MS = 86_400_000
#: Of fewer days nobody knows how they hang together, and nothing is decided.
FEWEST_DAYS = 7
#: Days of a shadow: as many means of days tell how labels hang together.
DAYS = 21
_Long = Annotated[Duration, Field(ge=DAYS, le=366 * DAY_MS)]


class Promotion(Setting):
    """How a version that is registered comes to serve."""

    by: Literal["test", "person"] = Field("test", description="whether the test promotes, or a person who has seen it")
    golden: float | None = Field(0.05, gt=0, le=10, description="share by which its loss may be worse on the golden set; null: not asked")
    shadow: _Long = Field(DAYS * DAY_MS, description="clean days beside its parent")
    evidence: float = Field(20.0, ge=2, le=1e6, description="what a bet of 1 on the version must become")
    within: _Long | None = Field(None, description="when it is refused, if nothing was decided; null: three times shadow")
    rollback: _Long | None = Field(None, description="how long its parent may win its place back; null: as long as shadow")
    hold: bool = Field(True, description="no further job of the model starts meanwhile")

    @model_validator(mode="after")
    def _decided_before_it_is_over(self) -> "Promotion":
        if self.within is not None and self.within <= self.shadow:
            msg = f"within: {written(self.within)} is over before shadow, {written(self.shadow)}, so no test promotes; write more"
            raise ValueError(msg)
        return self

    @property
    def day(self) -> int:
        """What is taken for a day, ms: a part of `shadow`."""
        return max(1, self.shadow // DAYS)

    @property
    def expires(self) -> int:
        """So long after it was registered it is refused, ms."""
        return 3 * self.shadow if self.within is None else self.within

    @property
    def watch(self) -> int:
        """So long after it was promoted its parent may win, ms."""
        return self.shadow if self.rollback is None else self.rollback
