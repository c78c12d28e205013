"""Drawing so many rows of a slot: some uniformly, the others by weight, each with the probability that it was drawn.

Every row has a chance u, uniform on (0, 1], and a weight w. The m smallest u are the uniform part. Of the others the k - m with the
smallest u / w are drawn too (priority sampling; Duffield, Lund, Thorup 2007). So exactly k are, without knowing what is to come, and the
rows that must be kept to decide it are few, and merge.

*Probability.* Hold the chances of all other rows fast. Let t be the m-th smallest u of these, and tau the (k - m)-th smallest u / w of
those of them that are not among their m smallest. The row is drawn if u < t, or else if u < w tau: with probability min(1, max(t, w tau)),
which does not depend on its own u. So the sum of y / probability over what is drawn has the sum of y over all rows as its mean, for
whatever y.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .weights import DRIFTING

#: By so much at most a weight may be greater when a slot is drawn than when the row was kept.
GROWS = DRIFTING

Numbers = NDArray[np.float64]


class Drawn(NamedTuple):
    """What is drawn of n rows."""

    rows: NDArray[np.int64]  #: which, in the order of their chances
    probability: Numbers
    uniform: NDArray[np.bool_]  #: whether it is of the uniform part


def draw(chances: Numbers, weights: Numbers, cases: int, uniform: int) -> Drawn:
    """``cases`` of these rows, ``uniform`` of them uniformly; all, if there are no more. Of equal chances the earlier row goes first.

    >>> drawn = draw(np.array([0.1, 0.2, 0.3, 0.4]), np.array([1.0, 1.0, 4.0, 1.0]), 2, 1)
    >>> drawn.rows.tolist(), drawn.probability.tolist(), drawn.uniform.tolist()
    ([0, 2], [0.2, 0.8], [True, False])
    """
    uniform = min(uniform, cases)
    order = np.argsort(chances, kind="stable")
    if cases >= len(chances):
        return Drawn(order, np.ones(len(order)), np.arange(len(order)) < uniform)
    first, rest = order[:uniform], order[uniform:]
    priority = chances[rest] / weights[rest]
    by_priority = np.argsort(priority, kind="stable")
    weighted = cases - uniform
    chosen = by_priority[:weighted]
    tau = priority[by_priority[weighted]]
    second = rest[chosen]
    # of a row of the uniform part: without it, the row behind that part belongs to it
    follower = chances[rest[0]]
    tau_without = 0.0
    if weighted:
        others = by_priority[by_priority != 0][: weighted + 1]
        tau_without = float(priority[others[weighted - 1]])
    last = chances[first[-1]] if uniform else 0.0
    probability = np.concatenate((np.maximum(follower, weights[first] * tau_without), np.maximum(last, weights[second] * tau)))
    rows = np.concatenate((first, second))
    by_chance = np.argsort(chances[rows], kind="stable")
    part = np.arange(cases) < uniform
    return Drawn(rows[by_chance], np.minimum(1.0, probability)[by_chance], part[by_chance])


def needed(chances: Numbers, weights: Numbers, cases: int, uniform: int, grows: float = GROWS) -> NDArray[np.bool_]:
    """The rows of a part of a slot that `draw` of the whole slot may need, whatever the other parts hold, and though each weight may be up
    to ``grows`` times as great by then. In the mean some ``grows`` times ``cases`` rows.
    """
    most = cases + 2  # those drawn, the next ones of either part
    if len(chances) <= most:
        return np.ones(len(chances), dtype=np.bool_)
    priority = chances / weights
    bound = np.partition(priority, most - 1)[most - 1]
    first = np.partition(chances, uniform)[uniform]
    return np.asarray((priority / grows <= bound) | (chances <= first), dtype=np.bool_)
