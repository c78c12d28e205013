"""``models.NAME.learner:`` of the configuration: a model that learns from the labelled rows of this one, as they come."""

from typing import Literal

from pydantic import Field

from ..duration import Duration
from ..fact import Setting

#: Rows that wait for labels, about: what a learner remembers of them is written down with it.
MOST_WAITING = 1_000_000


class LearnerOf(Setting):
    """What learns, and what is told of it."""

    kind: Literal["logistic", "tree", "forest"] = Field("logistic", description="what learns; another one begins anew")
    seed: int = Field(0, ge=0, le=2**31, description="of trees; another one begins anew")
    wait: Duration | None = Field(None, description="how long a prediction waits for labels and reviewers; null: as its labels do")
    backtest: int = Field(
        10_000,
        ge=0,
        description="labels from which it is learnt how they hang together, before fast can serve; a quarter as many before are left out",
    )
    every: Duration = Field(86_400_000, description="from one state that it can go back to, to the next")
    kept: int = Field(40, ge=1, le=1_000, description="such states")
    losses: Duration = Field(86_400_000, description="length of the intervals for which losses are told")
    publish_every: int = Field(1_000, ge=1, description="labels from one model that is published to the next")
    version: str = Field("online", min_length=1, max_length=200, description="of what it serves, in predictions")
