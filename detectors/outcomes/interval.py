"""How sure a share is."""

import math
from typing import NamedTuple

#: Two-sided 95 %.
Z = 1.959963984540054


class Interval(NamedTuple):
    """Where a share lies."""

    low: float
    high: float


def wilson(rows: float, of: float, tau: float = 1.0, z: float = Z) -> Interval | None:
    """Wilson's interval (1927) of the share ``rows / of``, where ``tau`` rows that hang together count as one.

    >>> found = wilson(10, 100)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0552, 0.1744)
    >>> wilson(0, 0) is None, wilson(0, 10).low
    (True, 0.0)
    """
    if not (of > 0 and 0 <= rows <= of and tau > 0):
        return None
    n, share = of / tau, rows / of
    centre, wide = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    spread = 1 + z * z / n
    # Digits must not say that none, or all, is impossible where none, or all, was seen.
    low = 0.0 if rows == 0 else max((centre - wide) / spread, 0.0)
    return Interval(low, 1.0 if rows == of else min((centre + wide) / spread, 1.0))
