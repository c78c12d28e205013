"""Does a value still mean what it meant? Where a population moves it does; where values are re-expressed it does not.

P(sibling | value) stays when the population moves. So by how much it changed, as a part of how much there is to change, tells the two
apart: about 0 where values mean what they meant, about 1 where they mean something else. Where no sibling hangs together with a feature,
the outcome says it.
"""

import numpy as np

from .inquiry import Inquiry
from .relations import Relations, Stretch
from .statistics import rounded, shares

#: Rows since the onset, rows of a group, and its rows where the mean of outcomes is all that is asked of it.
_LEAST_ROWS, _LEAST_OF_GROUP, _LEAST_OF_MEAN = 300, 50, 30
#: Total variation by which a sibling must hang together with a feature, at least, and in sampling errors.
_ASSOCIATED, _ERRORS = 0.05, 2.5
#: Nothing can tell.
UNKNOWN = -1.0


def face(inquiry: Inquiry, relations: Relations, name: str, onset: int) -> float:
    """About 0: values mean what they meant; about 1: they do not; `UNKNOWN`: nothing hangs together with it."""
    base, now = relations.base(False), relations.since(onset, inner=False)
    if base is None or now is None or now.rows < _LEAST_ROWS or name not in relations.columns:
        return UNKNOWN
    by_sibling = _by_sibling(inquiry, relations, name, base, now)
    return rounded(by_sibling if by_sibling >= 0 else _by_outcome(relations, name, base, now))


def _by_sibling(inquiry: Inquiry, relations: Relations, name: str, base: Stretch, now: Stretch) -> float:
    """By the one that hangs together with it most, among those that nothing happened to."""
    own, best, found = relations.columns[name], 0.0, UNKNOWN
    for sibling, columns in relations.columns.items():
        if sibling == name or sibling in inquiry.claimed or sibling in inquiry.shifts:
            continue
        cells = np.ix_(own, columns)
        before, since = base.hh[cells], now.hh[cells]
        rows_before, rows = before.sum(axis=1), since.sum(axis=1)
        there = (rows_before > _LEAST_OF_GROUP) & (rows > _LEAST_OF_GROUP)
        if not there.any():
            continue
        given_before, given, weights = shares(before[there]), shares(since[there]), shares(rows[there])
        noise = float((0.5 * np.sqrt(len(columns) / rows[there]) * weights).sum())
        together = float((0.5 * np.abs(given_before - shares(before.sum(axis=0))).sum(axis=1) * weights).sum())
        changed = max(0.0, float((0.5 * np.abs(given - given_before).sum(axis=1) * weights).sum()) - 0.6 * noise)
        if together > max(_ASSOCIATED, _ERRORS * noise) and together > best:
            best, found = together, changed / together
    return found


def _by_outcome(relations: Relations, name: str, base: Stretch, now: Stretch) -> float:
    """By how much the mean outcome of equal values moved, in its spread over values."""
    columns = relations.columns[name]
    rows_before, rows = np.diag(base.hh)[columns], np.diag(now.hh)[columns]
    there = (rows_before > _LEAST_OF_MEAN) & (rows > _LEAST_OF_MEAN)
    if there.sum() < 2:
        return UNKNOWN
    before, since = base.hy[columns][there] / rows_before[there], now.hy[columns][there] / rows[there]
    mean = np.average(before, weights=rows_before[there])
    spread = np.sqrt(np.average((before - mean) ** 2, weights=rows_before[there]))
    noise = np.sqrt(max(now.spread, 0.0) / now.rows * there.sum() / now.rows)
    if spread < 2 * noise or spread <= 0:
        return UNKNOWN
    return float(np.sqrt(np.average((since - before) ** 2, weights=rows[there])) / spread)
