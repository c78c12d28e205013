"""Blocks that wait for their step: those that are due first in memory, as many as may be; the others stand on the topic alone.

One side of a join may be days ahead of the other. What is far ahead is fetched again when it is due, and with it what follows it on the
topic and is due soon.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from ...schemas.messages.block import Block

#: Bytes of rows that a process holds while they wait, in all partitions of the joins topic together.
MOST_BYTES = 64 * 1024 * 1024
#: Of a block, beside its rows.
_BESIDE = 2_000
#: Records between two wanted ones that are read rather than passed over: a read begins with a request.
_GAP = 1_000
#: Places of blocks in memory that are gone, which are forgotten when they are more than those that are there.
_FEW = 256

#: Of one that was not seen yet, with its rows.
_LIKELY = 16 * 1024

#: Of the topic's blocks from an offset to another those at these offsets.
Fetch = Callable[[int, int, Set[int]], Iterator[tuple[int, Block]]]


class Kept(NamedTuple):
    """A block without its rows: what is to be known of it until its step is due."""

    topic: str
    topic_id: str
    partition: int
    first: int
    bucket: int
    id: str

    @classmethod
    def of(cls, block: Block) -> "Kept":
        """What is kept of a block."""
        return cls(block.topic, block.topic_id, block.partition, block.first, block.bucket, block.id)


class _Awaited(NamedTuple):
    bucket: int
    size: int


class Blocks:
    """Those of one partition, by offset.

    Parameters
    ----------
    most
        Bytes that may be held.
    """

    def __init__(self, fetch: Fetch, most: int) -> None:
        self._fetch, self._most = fetch, most
        self._held: dict[int, Block] = {}
        self._last: list[tuple[int, int]] = []  # a heap of (-bucket, offset): whoever is due last goes first
        self._awaited: dict[int, _Awaited] = {}  # all that wait, held or not, by offset
        self.bytes = 0  #: held

    def __contains__(self, offset: int) -> bool:
        """Whether its rows are at hand."""
        return offset in self._held

    def put(self, offset: int, block: Block) -> None:
        """It waits from now on."""
        self._awaited[offset] = _Awaited(block.bucket, _size(block))
        self._hold(offset, block, -1)

    def await_(self, offset: int, bucket: int) -> None:
        """One of which the rows are not at hand waits."""
        self._awaited[offset] = _Awaited(bucket, _LIKELY)

    def take(self, offsets: Sequence[int]) -> list[Block]:
        """Those that are due, in this order; without those that are gone from the topic. They wait no more."""
        if missing := [offset for offset in offsets if offset not in self._held]:
            self._get(missing)
        taken = [self._drop(offset) for offset in offsets]
        for offset in offsets:
            self._awaited.pop(offset, None)
        if len(self._last) > _FEW + 2 * len(self._held):
            self._last = [(-block.bucket, offset) for offset, block in self._held.items()]
            heapq.heapify(self._last)
        return [block for block in taken if block is not None]

    def _get(self, missing: Iterable[int]) -> None:
        """Fetch those, and with them whatever is due next, as far as there is room."""
        wanted, room = set(missing), self._most
        due = max(self._awaited[offset].bucket for offset in wanted)
        for offset, one in sorted(self._awaited.items(), key=lambda each: (each[1].bucket, each[0])):
            room -= one.size
            if room < 0:
                break
            if offset not in self._held:
                wanted.add(offset)
        for start, end in _spans(sorted(wanted)):
            for offset, block in self._fetch(start, end, wanted):
                self._hold(offset, block, due)

    def _hold(self, offset: int, block: Block, due: int) -> None:
        """Keep the rows, and let go those that are due last where they become too many; none that is ``due`` by now."""
        self._held[offset] = block
        heapq.heappush(self._last, (-block.bucket, offset))
        self.bytes += _size(block)
        while self.bytes > self._most and self._last and -self._last[0][0] > due:
            self._drop(heapq.heappop(self._last)[1])

    def _drop(self, offset: int) -> Block | None:
        block = self._held.pop(offset, None)
        if block is not None:
            self.bytes -= _size(block)
        return block


def _spans(offsets: Iterable[int]) -> Iterator[tuple[int, int]]:
    """From where to where to read for these offsets, which are in order.

    >>> list(_spans([3, 5, 9_000]))
    [(3, 6), (9000, 9001)]
    """
    start = end = -1
    for offset in offsets:
        if end >= 0 and offset - end > _GAP:
            yield start, end
            start = offset
        elif end < 0:
            start = offset
        end = offset + 1
    if end >= 0:
        yield start, end


def _size(block: Block) -> int:
    columns = block.of, block.waters, block.offsets, block.values, block.scores, block.revisions
    return _BESIDE + len(block.ids) + len(block.carried) + sum(column.nbytes for column in columns) + sum(map(len, block.whole))
