"""Whether one version is better than another, by what became of what both answered: the bet of `detectors.learning.contest`, by days.

Rows of one day hang together, and days that follow one another do. By how much is measured on the same clean days: what batches of them
come to, squared, against what independent rows would. As that is taken from zero, where two equal versions are, and not from the mean, a
swing that lasts as long as the comparison counts as a swing. A bet counts as one on so many fewer rows.
"""

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration.promotion import FEWEST_DAYS
from ...schemas.messages.contest import UNIT
from ...schemas.messages.promotion import Proof
from .versions import Pair

Integers = NDArray[np.int64]
#: The longest batch of days is such a part of all of them: with a seventh nothing could ever be shown, with a twentieth one of six equal
#: pairs whose days follow one another (.8) would be promoted.
LONGEST_BATCH = 9
#: Where so large a part of what batches come to, squared, is their mean, they differ too little for a swing: else one that wins each day,
#: by much, could never show it.
ALIKE = 0.9
#: A fault: from when to when; None: it is not over.
Window = tuple[int, int | None]


def clean(pair: Pair, faults: Collection[Window], now: int) -> list[int]:
    """Where the days begin that are over, and that no fault touched."""
    return [
        start
        for start in sorted(pair.days)
        if start + pair.day <= now and not any(begin < start + pair.day and (end is None or end > start) for begin, end in faults)
    ]


def tau(seen: Integers) -> float | None:
    """How many rows count as one independent one, at least 1; None: of so few days nobody knows.

    Parameters
    ----------
    seen
        Rows, the sum of what they came to, and of its squares, a row for every day in their order, shape (days, 3 or more).
    """
    if len(seen) < FEWEST_DAYS:
        return None
    rows, total, squares = (seen[:, column].astype(np.float64) / (1 if column == 0 else UNIT) for column in range(3))
    moment = squares.sum() / max(rows.sum(), 1.0)
    found = 1.0
    for length in range(1, max(1, len(seen) // LONGEST_BATCH) + 1):
        kept = len(seen) // length * length
        sums = total[-kept:].reshape(-1, length).sum(axis=1)
        if moment > 0:
            squared, batch_rows = float((sums**2).sum()), float(rows[-kept:].sum())
            alike = float(sums.sum()) ** 2 / len(sums) / squared if squared else 0.0
            agreeing = min(1.0, (1 - alike) / (1 - ALIKE))
            found = max(found, agreeing * squared / max(batch_rows * moment, 1.0))
    return found


def proof(pair: Pair, faults: Collection[Window], since: int, now: int, *, turned: bool) -> Proof:
    """What a bet of 1 on the first of two, or on the second where it is ``turned``, has become, on clean days that began since then."""
    asked = [start for start in clean(pair, faults, now) if start >= since]
    if not asked:
        return Proof()
    days = pair.seen(asked, turned=turned)
    together, seen = tau(days), days.sum(axis=0)
    rows, wealth = int(seen[0]), seen[4 : 4 + (len(seen) - 4) // 2] / UNIT
    gained = float(seen[3]) / UNIT / rows if rows else None
    if together is None:
        return Proof(rows=rows, days=len(asked), gained=gained)
    return Proof(evidence=_evidence(wealth / together), tau=together, rows=rows, days=len(asked), gained=gained)


def _evidence(tempered: NDArray[np.float64]) -> float:
    """The mean over stakes of what each has become; what no double holds is the largest that it does."""
    most = float(tempered.max())
    return math.exp(min(most + math.log(float(np.mean(np.exp(tempered - most)))), 700.0))
