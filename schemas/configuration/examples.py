"""``models.NAME.examples:`` of the configuration: predictions are written down with all their features, and their labels behind them."""

from pydantic import Field

from ..fact import Setting


class ExamplesOf(Setting):
    """Predictions and their first labels go to a topic of their own, for whoever learns from them."""

    sample: float = Field(1.0, gt=0, le=1, description="share of the ids; among those that wait for labels")
