"""Rows that wait for others of their id: a ring of rows, found through a two-choice index. Whole batches at a time, no loop over rows.

Rows enter at the head and leave at the tail, in the order in which they came. The index knows the youngest row of each id; each row knows
the next older one of its id, so an id may have any number. An id has two buckets of `SLOTS` slots (Azar, Broder, Karlin, Upfal, *Balanced
allocations*, SIAM J. Comput. 29, 1999) and lies in the emptier one. A slot holds a byte of the id, so that few rows are looked at in vain,
and where the row lies. An id that finds no slot lies apart.

Memory is one item of the rows' dtype and, at a load of `LOAD`, 8 bytes of the index a row. Both grow a little at a time, the rows in place.
"""

from typing import Any, NamedTuple

import numpy as np

from .groups import Ids, Rows, Spots, grouped
from .mixed import MIX, mixed

#: Of a bucket; and how full the index is at most. After many have come and gone one id in five thousand lies apart then, at 0.7 one in 600.
SLOTS, LOAD = 8, 0.65
#: Tries to place ids: whoever is third in its bucket tries again when the others lie, in the first half of them.
_TURNS = 6
#: By how much rows grow: little, for they need not move; and the index, which is made anew.
_ROWS_GROW, _INDEX_GROWS = 1 / 16, 1 / 3
#: Rows at a time: what is worked with stays small beside what is kept.
_BLOCK = 1 << 14
_FIRST = 1_024
#: Fewer than one in so many are there: give the memory back.
_EMPTY = 4
#: Every byte's lowest bit, and all but its highest.
_EACH, _LOW_BITS = np.uint64(0x0101010101010101), np.uint64(0x7F7F7F7F7F7F7F7F)
_HALF, _LOW_HALF, _ALL_BUT_A_BYTE, _ONE = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(56), np.uint64(1)


class Found(NamedTuple):
    """Pairs of an id that was asked for and a row that has it, each of shape (m,)."""

    asked: Spots  #: index into the ids
    spots: Spots  #: index into `Store.rows`


class _Homes(NamedTuple):
    buckets: Spots  # (n, 2)
    tag: Ids  # (n,), a byte; odd, for 0 marks a free slot


class _Slots(NamedTuple):
    which: Spots
    cells: Spots  # index into all slots, one bucket behind the other


class Store:
    """The rows, by id.

    Parameters
    ----------
    dtype
        Of a row: structured, with ``hi`` and ``lo``, the halves of its id, and ``older`` (u4), which belongs to the store.
    capacity
        Rows for which there is room before it grows.
    """

    def __init__(self, dtype: np.dtype[Any], capacity: int = _FIRST) -> None:  # fields of any type
        self.rows: Rows = np.zeros(max(capacity, 1), dtype)
        self.waiting = 0  #: rows that are there
        self._tail = 0
        self._index(0)

    @property
    def nbytes(self) -> int:
        """Of rows and index."""
        return self.rows.nbytes + self._words.nbytes + self._slots.nbytes

    def find(self, hi: Ids, lo: Ids) -> Found:
        """All rows of these ids, shape (n,) each: the youngest of every id, then the next, and so on."""
        found: list[Found] = []
        for start in range(0, len(hi) if self.waiting else 0, _BLOCK):
            asked, spots = self._youngest(hi[start : start + _BLOCK], lo[start : start + _BLOCK])
            asked += start
            while len(spots):  # once for each row that the id with most of them has
                found.append(Found(asked, spots))
                older = self.rows["older"][spots].astype(np.int64)
                more = self.ages(older) < self.ages(spots)
                asked, spots = asked[more], older[more]
        if len(found) == 1:
            return found[0]
        none = [np.zeros(0, dtype=np.int64)]
        return Found(np.concatenate([f.asked for f in found] or none), np.concatenate([f.spots for f in found] or none))

    def enter(self, new: Rows) -> Spots:
        """Put rows at the head; returns where they lie, until the next call of `enter` or `leave`."""
        if self.waiting + len(new) > len(self.rows):
            self._grow(self.waiting + len(new))
        at = self.at(np.arange(self.waiting, self.waiting + len(new)))
        self.rows[at] = new
        self.waiting += len(new)
        for start in range(0, len(at), _BLOCK):
            self._link(at[start : start + _BLOCK])
        return at

    def leave(self, rows: int) -> None:
        """Drop so many rows at the tail."""
        for start in range(0, rows, _BLOCK):
            at = self.at(np.arange(start, min(start + _BLOCK, rows)))
            hi, lo = self.rows["hi"][at], self.rows["lo"][at]
            homes = self._homes(hi, lo)
            which, cells = self._tagged(homes)
            cells = cells[self._slots[cells] == at[which]]
            self._tags[cells] = 0
            self._ids -= len(cells)
            if self._apart:
                gone = np.flatnonzero(np.isin(at, np.array(list(self._apart.values()))))
                for key in zip(hi[gone].tolist(), lo[gone].tolist(), strict=True):
                    del self._apart[key]
                self._ids -= len(gone)
        self._tail = (self._tail + rows) % len(self.rows)
        self.waiting -= rows
        if len(self.rows) > _FIRST and self.waiting * _EMPTY < len(self.rows):
            self._shrink(max(_FIRST, 2 * self.waiting))

    def at(self, ages: Spots) -> Spots:
        """Where the rows lie that so many older ones are before."""
        return (self._tail + ages) % len(self.rows)

    def ages(self, spots: Spots) -> Spots:
        """How many rows are older than the one there."""
        return (spots - self._tail) % len(self.rows)

    # -- the index

    def _index(self, ids: int) -> None:
        """An empty one with room for so many."""
        self._buckets = max(int(ids / LOAD / SLOTS) + 1, _FIRST // SLOTS)
        self._tags = np.zeros(0, dtype=np.uint8)
        for buckets in (0, self._buckets):  # given back before there is another
            self._words = np.zeros(buckets, dtype="<u8")  # a bucket's tags
            self._slots = np.zeros(buckets * SLOTS, dtype=np.uint32)
        self._tags = self._words.view(np.uint8)  # of each slot; 0: free
        self._apart: dict[tuple[int, int], int] = {}
        self._ids = 0

    def _homes(self, hi: Ids, lo: Ids) -> _Homes:
        x = mixed(hi, lo)
        count = np.uint64(self._buckets)
        buckets = np.empty((len(x), 2), dtype=np.int64)
        buckets[:, 0] = (x >> _HALF) * count >> _HALF
        buckets[:, 1] = (x & _LOW_HALF) * (count - _ONE) >> _HALF
        buckets[:, 1] += buckets[:, 1] >= buckets[:, 0]  # never one bucket twice
        return _Homes(buckets, (x * MIX >> _ALL_BUT_A_BYTE) | _ONE)

    def _tagged(self, homes: _Homes) -> _Slots:
        """Slots that bear the tag of an id, in its buckets; a bucket's eight bytes are looked at as one number."""
        words = self._words[homes.buckets] ^ (homes.tag * _EACH)[:, None]
        same = ~(((words & _LOW_BITS) + _LOW_BITS) | words | _LOW_BITS)  # the highest bit of each byte that is zero, and no other
        which, side = np.nonzero(same)
        found: list[_Slots] = []
        same = same[which, side]
        buckets = homes.buckets[which, side] * SLOTS
        while len(which):  # once for each slot of a bucket, at most
            found.append(_Slots(which, buckets + _lowest(same)))
            same &= same - _ONE
            more = np.flatnonzero(same)
            which, buckets, same = which[more], buckets[more], same[more]
        if len(found) == 1:
            return found[0]
        none = [np.zeros(0, dtype=np.int64)]
        return _Slots(np.concatenate([f.which for f in found] or none), np.concatenate([f.cells for f in found] or none))

    def _find(self, homes: _Homes, hi: Ids, lo: Ids) -> _Slots:
        """Which of these ids have a slot."""
        which, cells = self._tagged(homes)
        spots = self._slots[cells]
        same = (self.rows["hi"][spots] == hi[which]) & (self.rows["lo"][spots] == lo[which])
        return _Slots(which[same], cells[same])

    def _youngest(self, hi: Ids, lo: Ids) -> Found:
        which, cells = self._find(self._homes(hi, lo), hi, lo)
        spots = self._slots[cells].astype(np.int64)
        if self._apart:
            apart, keys = self._lying_apart(hi, lo)
            which = np.concatenate((which, apart))
            spots = np.concatenate((spots, np.array([self._apart[key] for key in keys], dtype=np.int64)))
        return Found(which, spots)

    def _lying_apart(self, hi: Ids, lo: Ids) -> tuple[Spots, list[tuple[int, int]]]:
        some = np.flatnonzero(np.isin(hi, np.array([key[0] for key in self._apart], dtype=np.uint64)))
        pairs = zip(some.tolist(), hi[some].tolist(), lo[some].tolist(), strict=True)
        found = [(which, (high, low)) for which, high, low in pairs if (high, low) in self._apart]
        return np.array([which for which, _ in found], dtype=np.int64), [key for _, key in found]

    def _link(self, at: Spots) -> None:
        """Let each row know the next older one of its id, and the index the youngest."""
        hi, lo = self.rows["hi"][at], self.rows["lo"][at]
        groups = grouped(hi, lo)
        sorted_at, firsts, youngest = at[groups.order], groups.firsts, at[groups.lasts]
        older = np.concatenate((sorted_at[:1], sorted_at[:-1]))
        older[groups.begins] = sorted_at[groups.begins]  # none: itself
        ids = hi[firsts], lo[firsts]
        homes = self._homes(*ids)
        which, cells = self._find(homes, *ids)
        older[groups.begins[which]] = self._slots[cells]
        self._slots[cells] = youngest[which]
        new = np.ones(len(firsts), dtype=bool)
        new[which] = False
        if self._apart:
            apart, keys = self._lying_apart(*ids)
            for group, key in zip(apart.tolist(), keys, strict=True):
                older[groups.begins[group]] = self._apart[key]
                self._apart[key] = int(youngest[group])
            new[apart] = False
        self.rows["older"][sorted_at] = older
        heads = youngest[new]
        if self._ids + len(heads) <= LOAD * SLOTS * self._buckets:
            self._place(heads, _Homes(homes.buckets[new], homes.tag[new]))
            return
        self._make_index(max(self._ids + len(heads), int(self._ids * (1 + _INDEX_GROWS))))
        self._place_anew(heads)

    def _place(self, at: Spots, homes: _Homes) -> None:
        """Give the ids of these rows, none of which has one, a slot each."""
        self._ids += len(at)
        left = np.arange(len(at))
        for turn in range(_TURNS):
            if not len(left):
                return
            buckets = homes.buckets[left]
            full = np.bitwise_count(self._words[buckets] & _EACH)
            home = np.where(full[:, 0] > full[:, 1], buckets[:, 1], buckets[:, 0])
            order = np.argsort(home, kind="stable")
            home, mine = home[order], left[order]
            begins = np.flatnonzero(np.concatenate(([True], home[1:] != home[:-1])))
            rank = np.arange(len(home)) - np.repeat(begins, np.diff(np.append(begins, len(home))))
            free = ~self._words[home] & _EACH
            for taken in range(min(int(rank.max()) + 1, 2 if turn < _TURNS // 2 else SLOTS)):
                those = np.flatnonzero((rank == taken) & (free != 0))
                cells = home[those] * SLOTS + _lowest(free[those])
                self._tags[cells] = homes.tag[mine[those]]
                self._slots[cells] = at[mine[those]]
                mine[those] = -1
                free &= free - _ONE
            left = mine[mine >= 0]
        for spot in at[left].tolist():
            self._apart[int(self.rows["hi"][spot]), int(self.rows["lo"][spot])] = spot

    def _make_index(self, ids: int) -> None:
        """The same in another size; what the former one knows is brought together in its place, so that little is held beside."""
        youngest, count, apart = self._slots, 0, np.array(list(self._apart.values()), dtype=np.int64)
        for start in range(0, len(youngest), _BLOCK):
            some = youngest[start : start + _BLOCK][self._tags[start : start + _BLOCK] != 0]
            youngest[count : count + len(some)] = some
            count += len(some)
        self._index(ids)
        for start in range(0, count, _BLOCK):
            self._place_anew(youngest[start : min(start + _BLOCK, count)].astype(np.int64))
        self._place_anew(apart)

    def _place_anew(self, at: Spots) -> None:
        self._place(at, self._homes(self.rows["hi"][at], self.rows["lo"][at]))

    # -- the ring

    def _grow(self, rows: int) -> None:
        """Make room for so many. What the ring holds behind its tail moves to the new end."""
        former = len(self.rows)
        capacity = max(rows, int(former * (1 + _ROWS_GROW)))
        self.rows.resize(capacity, refcheck=False)  # in place where the system can
        if self._tail + self.waiting > former:
            further = capacity - former
            for end in range(former, self._tail, -_BLOCK):
                start = max(end - _BLOCK, self._tail)
                self.rows[start + further : end + further] = self.rows[start:end]
            for start in range(0, capacity, _BLOCK):
                older = self.rows["older"][start : start + _BLOCK]
                older[older >= self._tail] += np.uint32(further)
            for start in range(0, len(self._slots), _BLOCK):
                slots = self._slots[start : start + _BLOCK]
                slots[slots >= self._tail] += np.uint32(further)
            self._apart = {key: spot + further * (spot >= self._tail) for key, spot in self._apart.items()}
            self._tail += further

    def _shrink(self, capacity: int) -> None:
        """Move all to the beginning of a smaller ring."""
        at = self.at(np.arange(self.waiting))
        age, older = np.arange(self.waiting), self.ages(self.rows["older"][at].astype(np.int64))
        self._slots[:] = self.ages(self._slots.astype(np.int64))
        self._apart = {key: (spot - self._tail) % len(self.rows) for key, spot in self._apart.items()}
        kept = self.rows[at]
        kept["older"] = np.where(older < age, older, age)
        self.rows = np.zeros(capacity, kept.dtype)
        self.rows[: self.waiting] = kept
        self._tail = 0
        self._make_index(self._ids)


def _lowest(words: Ids) -> Spots:
    """The byte of each that holds its lowest bit."""
    return (np.bitwise_count((words & (~words + _ONE)) - _ONE) // 8).astype(np.int64)
