"""When a scheduled evaluation is due: by what is complete, so by no wall clock."""

from typing import NamedTuple


class Slot(NamedTuple):
    """The newest slot that was reached, and how many lay between it and the one before."""

    end: int
    passed_over: int


def slot_reached(before: int | None, through: int, every: int) -> Slot | None:
    """The newest multiple of ``every`` within (before, through]: of several only that one is asked for. None: there is none.

    >>> slot_reached(1_000, 3_500, 1_000), slot_reached(3_000, 3_500, 1_000), slot_reached(None, 3_500, 1_000)
    (Slot(end=3000, passed_over=1), None, Slot(end=3000, passed_over=0))
    """
    end = through // every * every
    if before is None:
        return Slot(end, 0)
    first = before // every * every + every
    return Slot(end, (end - first) // every) if end >= first else None
