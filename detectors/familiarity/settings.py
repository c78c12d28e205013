"""What may be set of the watch over queries unlike the training data."""

from typing import Annotated

from pydantic import Field

from ...schemas.configuration import Model
from ...schemas.fact import Setting
from ...schemas.stored.reference import Reference
from ..betting.margin import budget


class FamiliaritySettings(Setting):
    """Of one model version."""

    budget_seconds: Annotated[float, Field(gt=0)]  #: one false alarm of all lanes together in so many
    budget_rows: float | None = None  #: in so many rows, where their rate is known
    false_alarms: str = "1 per 30d"  #: the same, as it was written: it stands in events
    min_effect: float = Field(0.0, ge=0, le=3, description="in sd of a flag")
    important: float = Field(0.02, gt=0, le=1, description="by which the share flagged grows, from which on it matters")

    @classmethod
    def of(cls, reference: Reference, model: Model) -> "FamiliaritySettings":
        """What a model's settings mean here: where detectors by name are asked for, these have half of the false alarms."""
        allowed, factor = budget(reference, model), 2 if any(own.detectors for own in model.features.values()) else 1
        return cls(
            budget_seconds=factor * allowed.seconds,
            budget_rows=None if allowed.rows is None else factor * allowed.rows,
            false_alarms=str(model.false_alarms),
            min_effect=model.min_effect,
            important=0.02 if model.ood is None else model.ood.important,
        )
