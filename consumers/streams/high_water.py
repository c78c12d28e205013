"""How far the records of a partition have brought its time: its high water H, record by record.

- A record at most ``lead`` above H raises H to its own time: the usual case.
- One further ahead raises nothing by itself: H is what *each* of the newest `NEWEST` records has reached. One clock that goes ahead, or
  a batch of three from one producer, holds up nobody; a real jump after a gap is believed with the fifth record behind it.
- An end record raises H at once: whoever writes one is known.

How many must agree: of a partition whose records come from several producers in turn, one of which has a share s of them and a clock far
ahead, a record is the last of five in a row of that producer with probability s^5: at a fifth of the traffic once in 3,000 records, with
three once in 125. More would make streams of a record per bucket wait longer (``tests/consumers/test_high_water.py`` simulates both).
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .buckets import Times

#: Records in a row that have to be ahead before time is.
NEWEST = 5
#: Records that are looked at together where time has jumped; twice as many where it goes on the same way.
_FEW = 64
_NEVER = -(1 << 62)


def waters(high_water: int, ahead: Sequence[int], times: Times, ends: NDArray[np.bool_], lead: int) -> Times:
    """H after each of the records.

    Parameters
    ----------
    high_water
        H in front of the first of them, ms.
    ahead
        What `still_ahead` says of the records in front of it.
    times, ends
        The records' times, ms, and which of them are end records, shape (n,).
    lead
        How far a single record may raise H, ms.
    """
    found = np.empty_like(times)
    behind = np.concatenate((np.full(NEWEST - 1 - len(ahead), _NEVER, dtype=np.int64), np.asarray(ahead, dtype=np.int64), times))
    at, total, span, follows = 0, len(times), len(times), True
    while at < total:
        stop = min(at + span, total)
        some, some_ends = times[at:stop], ends[at:stop]
        if follows:  # each is near what was reached before it
            reached = np.maximum.accumulate(np.concatenate(([high_water], some)))
            until, turned = _first((some > reached[:-1] + lead) & ~some_ends)
        else:  # each is far ahead, or late, up to one that is near what the newest have reached
            lowest = sliding_window_view(behind[at : stop + NEWEST - 1], NEWEST).min(axis=1)
            reached = np.maximum.accumulate(np.concatenate(([high_water], lowest)))
            until, turned = _first(((some > reached[1:]) & (some <= reached[1:] + lead)) | some_ends)
            if turned:
                reached[until + 1] = max(reached[until], some[until])
                until += 1
        found[at : at + until] = reached[1 : until + 1]
        high_water, at = int(reached[until]), at + until
        span, follows = (_FEW, not follows) if turned else (span * 2, follows)
    return found


def _first(which: NDArray[np.bool_]) -> tuple[int, bool]:
    """The place of the first one, and that there is one; else their number."""
    place = int(which.argmax())
    return (place, True) if which[place] else (len(which), False)


def still_ahead(ahead: Sequence[int], times: Sequence[int] | Times, high_water: int) -> tuple[int, ...]:
    """Of the newest records, those in a row that are above H: all that a successor has to know of them.

    >>> still_ahead((70,), [10, 90, 80], 50)
    (90, 80)
    """
    kept: list[int] = []
    for time in reversed([*ahead, *map(int, times[-NEWEST + 1 :])][-NEWEST + 1 :]):
        if time <= high_water:
            break
        kept.append(time)
    return tuple(reversed(kept))
