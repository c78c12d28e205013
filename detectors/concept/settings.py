"""What may be set of the watch over outcomes."""

from typing import Annotated, Literal

from pydantic import Field

from ...schemas.configuration import Chosen
from ...schemas.fact import Setting


class Worse(Setting):
    """From which effect on a change of outcomes matters: below it an episode is *minor*."""

    accuracy: float = Field(0.02, gt=0, le=1, description="by which the share of right answers falls")
    loss: float = Field(0.05, gt=0, description="by which the mean loss grows, as a part of what it was")


class OutcomeSettings(Setting):
    """Of one model."""

    budget_seconds: Annotated[float, Field(gt=0)]  #: one false alarm of all lanes together in so many
    false_alarms: str = "1 per 30d"  #: the same, as it was written: it stands in events
    min_effect: float = Field(0.0, ge=0, le=3, description="in sd of a label: of an error, of a loss's score")
    direction: Literal["both", "up"] = Field("both", description="up: that there are fewer errors is not told")
    important: Worse = Worse()
    detectors: tuple[Chosen, ...] = Field((), description="asked for by name, on errors")
    by: Literal["labels", "reviews"] = Field("labels", description="whose word decides what is an error")
    reviewed: bool = Field(False, description="of labels: errors that people find are watched beside them, with part of their weight")
    elsewhere: int = Field(0, ge=0, description="pairs of a detector by name and a signal in the model's other lanes")
