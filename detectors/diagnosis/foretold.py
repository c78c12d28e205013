"""Values that are missing where they always were: more often, for more rows are as those were that had none.

A wind without gusts has no speed of gusts, and summer has more of these days. What a pipeline loses is missing in other rows than before.
"""

import numpy as np
from numpy.typing import NDArray

from .inquiry import Inquiry
from .relations import Relations, Stretch
from .statistics import Step, rounded

Columns = NDArray[np.int64]

#: Of the excess of missing values, what the groups of one other feature must foretell.
FORETOLD = 0.5
#: Rows without the value in the baseline, and rows of a group, from which on anything is foretold.
_LEAST_MISSING, _LEAST_OF_GROUP = 50, 20
#: Rows with outcomes since an onset without which nothing is said.
_LEAST_ROWS = 500


def foretold(inquiry: Inquiry, relations: Relations, name: str, step: Step) -> tuple[str, float] | None:
    """The feature in whose groups the value was missing in the baseline so that it had to be missing more often since an onset.

    Returns the feature, and of the excess the share that its groups foretell; None: no feature does. Counted are rows with outcomes.
    """
    base, now, own = relations.base(False), relations.since(step.onset, inner=False), relations.columns.get(name)
    if base is None or now is None or own is None or now.rows < _LEAST_ROWS:
        return None
    (before, missing), since = _missing(base, own), _missing(now, own)[0]
    if missing < _LEAST_MISSING or since - before < inquiry.thresholds.null / 2:
        return None
    found = [
        (rounded((_expected(base, now, own, columns) - before) / (since - before)), other)
        for other, columns in relations.columns.items()
        if other != name and other not in inquiry.claimed
    ]
    part, other = max(found, default=(0.0, ""))
    return (other, part) if part >= FORETOLD else None


def _missing(of: Stretch, columns: Columns) -> tuple[float, float]:
    """The share of rows without a value, and how many these are."""
    rows = of.rows - float(np.diag(of.hh)[columns].sum())
    return rows / of.rows, rows


def _expected(base: Stretch, now: Stretch, own: Columns, columns: Columns) -> float:
    """The share without a value now, if in each group of another feature as many are as were; where that one is missing, too, as in all."""
    of_all, groups, groups_now = _missing(base, own)[0], np.diag(base.hh)[columns], np.diag(now.hh)[columns]
    gone = 1 - base.hh[np.ix_(own, columns)].sum(axis=0) / np.maximum(groups, 1.0)
    gone = np.where(groups >= _LEAST_OF_GROUP, gone, of_all)
    return float(gone @ groups_now + of_all * (now.rows - groups_now.sum())) / now.rows
