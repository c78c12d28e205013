"""Rows that wait for a label: a ring of columns, found by id through a two-choice index. Whole batches at a time, no loop over rows.

Rows enter at the head and leave at the tail, in the order in which they came. Each id has two buckets of `SLOTS` places (Azar, Broder,
Karlin, Upfal, *Balanced allocations*, SIAM J. Comput. 29, 1999): a row goes into the emptier one. A place holds a byte of the id, so that few
rows are looked at in vain, and where the row lies. What finds no place, since one id has more rows than two buckets hold, lies apart.

Memory is one item of the rows' dtype and some 7 bytes for the index a row, at a load of `LOAD`; growing moves nothing but a part of the ring.
"""

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]  # structured; `hi` and `lo`, both uint64, are the id
Places = NDArray[np.int64]

#: Of a bucket; and how full the index is at most.
SLOTS, LOAD = 8, 0.7
#: Tries to place a batch: whoever is second in its bucket tries again when the others lie.
_TURNS = 6
#: By how much the ring grows.
_GROWTH = 0.5
_FIRST = 1_024


class Found(NamedTuple):
    """Pairs of an id that was asked for and a row that has it, each of shape (m,)."""

    asked: Places  #: index into the ids
    places: Places  #: index into `Store.rows`


class Store:
    """The rows, by id.

    Parameters
    ----------
    dtype
        Of a row: structured, with ``hi`` and ``lo``, the halves of its id.
    capacity
        Rows for which there is room before it grows.
    """

    def __init__(self, dtype: np.dtype[Any], capacity: int = _FIRST) -> None:  # fields of any type
        self.rows: Rows = np.zeros(max(capacity, 1), dtype)
        self.waiting = 0  #: rows that are there
        self._tail = 0
        self._apart: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        self._index(self._buckets_for(len(self.rows)))

    @property
    def nbytes(self) -> int:
        """Of rows and index."""
        return self.rows.nbytes + self._tags.nbytes + self._slots.nbytes

    def find(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> Found:
        """All rows of these ids, shape (n,) each; of one id in no order."""
        one, two, tag = self._homes(hi, lo)
        asked, places = [], []
        for home, other in ((one, None), (two, one)):
            which, slot = np.nonzero(self._tags[home] == tag[:, None])
            if other is not None:  # both are the same bucket: it was looked at
                apart = home[which] != other[which]
                which, slot = which[apart], slot[apart]
            place = self._slots[home[which], slot].astype(np.int64)
            same = (self.rows["hi"][place] == hi[which]) & (self.rows["lo"][place] == lo[which])
            asked.append(which[same])
            places.append(place[same])
        if self._apart:
            for which in np.flatnonzero(np.isin(hi, np.array([key[0] for key in self._apart], dtype=np.uint64))).tolist():
                more = self._apart.get((int(hi[which]), int(lo[which])), [])
                asked.append(np.full(len(more), which, dtype=np.int64))
                places.append(np.array(more, dtype=np.int64))
        return Found(np.concatenate(asked), np.concatenate(places))

    def enter(self, new: Rows) -> Places:
        """Put rows at the head; returns where they lie until the next call of `enter`."""
        if self.waiting + len(new) > len(self.rows):
            self._grow(self.waiting + len(new))
        at = (self._tail + self.waiting + np.arange(len(new))) % len(self.rows)
        self.rows[at] = new
        self.waiting += len(new)
        self._place(at)
        return at

    def oldest(self, most: int) -> Rows:
        """A copy of so many rows at the tail, or of all."""
        return self.rows[self._at_tail(min(most, self.waiting))]

    def leave(self, rows: int) -> None:
        """Drop so many rows at the tail."""
        at = self._at_tail(rows)
        one, two, _ = self._homes(self.rows["hi"][at], self.rows["lo"][at])
        left = np.ones(rows, dtype=bool)
        for home in (one, two):
            which, slot = np.nonzero((self._slots[home] == at[:, None]) & (self._tags[home] != 0))
            self._tags[home[which], slot] = 0
            left[which] = False
        for place in at[left].tolist():
            key = int(self.rows["hi"][place]), int(self.rows["lo"][place])
            self._apart[key].remove(place)
            if not self._apart[key]:
                del self._apart[key]
        self._tail = (self._tail + rows) % len(self.rows)
        self.waiting -= rows

    def _at_tail(self, rows: int) -> Places:
        return (self._tail + np.arange(rows)) % len(self.rows)

    @staticmethod
    def _buckets_for(rows: int) -> int:
        return int(np.ceil(rows / LOAD / SLOTS))

    def _index(self, buckets: int) -> None:
        self._tags = np.zeros((buckets, SLOTS), dtype=np.uint8)  # 0: free
        self._slots = np.zeros((buckets, SLOTS), dtype=np.uint32)

    def _homes(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> tuple[Places, Places, NDArray[np.uint8]]:
        buckets = np.uint64(len(self._tags))
        tag = ((hi >> np.uint64(56)) | np.uint64(1)).astype(np.uint8)
        return (lo % buckets).astype(np.int64), (hi % buckets).astype(np.int64), tag

    def _place(self, at: Places) -> None:
        hi, lo = self.rows["hi"][at], self.rows["lo"][at]
        one, two, tag = self._homes(hi, lo)
        left = np.arange(len(at))
        for turn in range(_TURNS):
            if not len(left):
                return
            fuller = (self._tags[one[left]] != 0).sum(axis=1) > (self._tags[two[left]] != 0).sum(axis=1)
            home = np.where(fuller, two[left], one[left])
            order = np.argsort(home, kind="stable")
            home, mine = home[order], left[order]
            begins = np.flatnonzero(np.concatenate(([True], home[1:] != home[:-1])))
            rank = np.arange(len(home)) - np.repeat(begins, np.diff(np.append(begins, len(home))))
            used = self._tags[home] != 0
            free = np.argsort(used, axis=1, kind="stable")
            fits = (rank < 2) | (turn >= _TURNS // 2)
            fits &= rank + used.sum(axis=1) < SLOTS
            slot = free[fits, rank[fits]]
            self._tags[home[fits], slot] = tag[mine[fits]]
            self._slots[home[fits], slot] = at[mine[fits]]
            left = mine[~fits]
        for row in left.tolist():
            self._apart[int(hi[row]), int(lo[row])].append(int(at[row]))

    def _grow(self, rows: int) -> None:
        """Make room for so many. The part of the ring that lies behind the tail moves to the new end; the index is made anew."""
        former = len(self.rows)
        capacity = max(rows, int(former * (1 + _GROWTH)))
        self.rows.resize(capacity, refcheck=False)  # in place where the system can
        if self._tail + self.waiting > former:
            end = capacity - (former - self._tail)
            self.rows[end:] = self.rows[self._tail : former]
            self._tail = end
        self._apart.clear()
        self._index(self._buckets_for(capacity))
        for start in range(0, self.waiting, 1 << 16):
            self._place((self._tail + np.arange(start, min(start + (1 << 16), self.waiting))) % capacity)
