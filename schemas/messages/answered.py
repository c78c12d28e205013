"""Of kind `reviewed`: what people's first answer says of one prediction that was drawn uniformly."""

from typing import Annotated

from pydantic import Field

from ..fact import Fact


class AnsweredCase(Fact):
    """How far the prediction was off. Model and version stand in the `Evidence` that carries it, whose ``fact_id`` is the case."""

    reference: str | None = None  #: content hash of that against which the row was counted: a loss is told in its scale
    numeric: bool  #: the outcome is a number
    loss: Annotated[float, Field(ge=0, allow_inf_nan=False)]  #: the distance of prediction and answer; else 1 where they differ, or 0
    complete: bool = True  #: all of the slot's predictions were there when it was drawn
    clock_decided: bool = False  #: that was the wall clock's word
