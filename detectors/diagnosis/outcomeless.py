"""Requests of which nothing becomes: a cancelled flight has no delay, and never an outcome.

A pipeline that fails leaves a feature out of rows that have outcomes like all others. Where the rows without it are those without an
outcome, the value is missing because what it is about did not take place: the population moved.
"""

from typing import NamedTuple

import numpy as np

from .inquiry import Inquiry
from .relations import Relations
from .statistics import Step

#: Of the rows with the value, whose outcomes must be known in a window, as a part of the baseline: early ones are not like all.
_KNOWN = 0.5
#: Of the excess of missing values in all rows, what rows with outcomes may have of it.
_PART = 0.25
#: Rows with outcomes without which nothing is said.
_LEAST_ROWS = 100


class Nothing(NamedTuple):
    """A feature is missing more often in rows without an outcome alone."""

    known: bool  #: of windows behind the one in which that began, too: of this one's outcomes those of its first rows are known first


def nothing_came(inquiry: Inquiry, relations: Relations, name: str, step: Step) -> Nothing | None:
    """Whether it is in rows without an outcome that a feature is missing more often, since an onset.

    An outage in the middle of a window looks like it until outcomes of the rows behind it come: so the window in which it began says so
    only while it is the newest.
    """
    columns = relations.columns.get(name)
    usual = inquiry.base.labelled.sum() / max(inquiry.base.predicted.sum(), 1.0)
    if columns is None or usual <= 0:
        return None
    absent = inquiry.now.absent[:, inquiry.layout.place[name]] / np.maximum(inquiry.now.rows, 1.0)
    least, gone = inquiry.thresholds.null / 2, absent[step.onset :]
    began = step.onset + int(np.argmax(gone - step.before > least))
    behind = [*zip(inquiry.case.monitored, absent.tolist(), strict=True)][began + 1 :]
    chosen = behind or [(inquiry.case.monitored[began], float(absent[began]))]
    expected = found = rows = 0.0
    for window, missing in chosen:
        relation = None if window.outcomes is None else window.outcomes.relation
        if relation is None or relation.hh.shape[0] != relations.width or relation.rows < _KNOWN * usual * window.rows * (1 - missing):
            continue
        rows += relation.rows
        expected += relation.rows * (missing - step.before)
        found += relation.rows * (1 - step.before) - float(relation.by_group[columns].sum())
    there = rows >= _LEAST_ROWS and expected > least * rows and found < _PART * expected
    return Nothing(known=bool(behind)) if there else None
