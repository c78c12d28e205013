"""Metrics as a user writes them."""

from collections.abc import Mapping, Sequence

import numpy as np

from driftbus.detectors.outcomes.own import Labelled, LabelledRows, OwnMetric
from driftbus.detectors.outcomes.values import Integers

Sums = Mapping[str, Integers | int]


def costs(rows: LabelledRows) -> Integers:
    """A loan that was not repaid costs ten times what a refused one would have brought."""
    cost = 10 * ((rows.predicted == 1) & (rows.outcome == 0)) + ((rows.predicted == 0) & (rows.outcome == 1))
    return np.stack((cost, np.ones(len(cost), dtype=np.int64)), axis=1)


def sure(row: Labelled) -> Sequence[int]:
    """Raises where the score is below a tenth."""
    assert row.score is not None
    if row.score < 0.1:
        raise LookupError(row.score)
    return [int(row.score >= 0.9)]


MEAN_COST = OwnMetric("mean_cost", lambda sums: int(sums["cost"]) / int(sums["decided"]), ("cost", "decided"), of_rows=costs)
SURE = OwnMetric("sure", lambda sums: int(sums["sure"]) / int(sums["labelled"]), ("sure",), of_row=sure)
FAILS = OwnMetric("fails", lambda sums: 1 / 0 if sums["labelled"] else 1 // int(sums["nothing"]))
NO_METRIC = 7
