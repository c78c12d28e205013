"""Hours of the week, and of the day: a reference by season compares like with like."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Season = Literal["day", "week"]
#: Hours in each.
SLOTS: dict[Season, int] = {"day": 24, "week": 168}
_HOUR_MS = 3_600_000
#: 1 January 1970 was a Thursday; weeks begin on Monday.
_MONDAY = 3 * 24
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def slots_of(season: Season, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The hour of every time (ms, UTC).

    >>> slots_of("week", np.array([0])).tolist(), slots_of("day", np.array([0, 7_200_000])).tolist()
    ([72], [0, 2])
    """
    return np.asarray((times // _HOUR_MS + _MONDAY) % SLOTS[season], dtype=np.int64)


def slot_names(season: Season) -> tuple[str, ...]:
    """What the hours are called.

    >>> slot_names("week")[0], slot_names("day")[5]
    ('Mon 00', '05')
    """
    hours = (divmod(hour, 24) for hour in range(SLOTS[season]))
    return tuple(f"{_DAYS[day]} {hour:02}" if season == "week" else f"{hour:02}" for day, hour in hours)
