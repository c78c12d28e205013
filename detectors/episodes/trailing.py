"""A reference that follows: the same model's own recent past, in the bins of the reference that it was built with.

Part of the fold: the counts of every `every` of record time are kept, and at its end those of the last `length`, less the newest `lag`,
become what is compared with. Rows of a signal whose change is important, and told, are left out: that becomes normal only where
somebody accepts it.
And the guard: what has slowly moved so far from the reference built that it is important opens an episode of its own.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Model, Trailing
from ...schemas.integers import packed, unpacked
from ..betting.mixture import FEWEST_ROWS, compiled
from ..betting.moving import Expected, at_counts
from ..betting.space import MOVING, Space
from ..counting.layout import CELLS, MOMENTS, Signal
from .windows import Bucket

Counts = NDArray[np.int64]
#: Of the episodes that the guard opens.
DETECTOR = "trailing"


class Piece(NamedTuple):
    """The counts of a stretch of record time; times in ms."""

    start: int
    end: int
    counts: Counts  #: in the pane's layout, its small numbers and then its wide ones


@dataclass
class Past:
    """What is remembered of the recent past."""

    pieces: list[Piece] = field(default_factory=list)  #: oldest first; the last one is still filling
    current: Counts | None = None  #: what is compared with; None: the reference itself

    def encoded(self) -> list[Any]:  # packed vectors and numbers
        """Plain numbers."""
        return [
            [[piece.start, piece.end, packed(piece.counts)] for piece in self.pieces],
            None if self.current is None else packed(self.current),
        ]

    @classmethod
    def decoded(cls, form: list[Any]) -> "Past":
        """What `encoded` wrote."""
        pieces, current = form
        return cls([Piece(start, end, unpacked(counts)) for start, end, counts in pieces], None if current is None else unpacked(current))


class Following:
    """The rules of one model's trailing reference."""

    def __init__(self, space: Space, settings: Model, trailing: Trailing, budget_rows: float | None) -> None:
        self._space, self._rules = space, trailing
        self._size = space.layout.size
        self.template = compiled(space, settings, budget_rows, aligned=True)
        self._signals = [signal for signal in space.signals if signal.group in MOVING]
        self._first = np.zeros(self._size, dtype=np.int64)
        for signal in self._signals:
            self._first[signal.span] = signal.reference_counts

        def at(counts: bytes) -> Expected:
            return at_counts(space, settings, budget_rows, self.template, np.frombuffer(counts, dtype=np.int64))

        self._at = lru_cache(maxsize=2)(at)

    def at(self, past: Past) -> Expected:
        """What is compared with now."""
        return self._at((self._first if past.current is None else past.current).tobytes())

    def add(self, past: Past, bucket: Bucket, vector: Counts, drifted: Collection[int]) -> Counts | None:
        """Take a bucket's counts, less those of signals that have drifted (indices among those tested).

        Where that changes what is compared with: the past that it is made of, as a vector of the space.
        """
        every = self._rules.every
        start = bucket.start // every * every
        moved = None
        if past.pieces and past.pieces[-1].start < start:
            moved = self._moved(past, start)
        if not past.pieces or past.pieces[-1].start < start:
            past.pieces.append(Piece(start, start + every, np.zeros(self._size + self._space.layout.wide, dtype=np.int64)))
        away = {self.template.signals[place].key for place in drifted}
        for signal in self._signals:
            if signal.key not in away:
                for own in _numbers(signal):
                    past.pieces[-1].counts[own if own.start < self._size else _shifted(own, self._size - self._space.small)] += vector[own]
        return moved

    def _moved(self, past: Past, now: int) -> Counts | None:
        newest = now - self._rules.lag
        oldest = newest - self._rules.length
        past.pieces[:] = [piece for piece in past.pieces if piece.end > oldest]
        held = [piece for piece in past.pieces if piece.end <= newest]
        if not held or past.pieces[0].start > oldest:
            return None  # the reference holds until a whole length has been seen
        window = np.zeros(self._space.length, dtype=np.int64)
        total = np.add.reduce([piece.counts for piece in held])
        window[: self._size], window[self._space.small : self._space.small + self._space.layout.wide] = (
            total[: self._size],
            total[self._size :],
        )
        current = self._first.copy() if past.current is None else past.current.copy()
        for signal in self._signals:
            if window[signal.span].sum() >= FEWEST_ROWS:
                current[signal.span] = window[signal.span]
        past.current = current
        return window


def _numbers(signal: Signal) -> Iterator[slice]:
    """All that a vector of the space holds of a signal."""
    yield signal.span
    if signal.cells is not None and signal.moments is not None:
        yield slice(signal.cells, signal.cells + CELLS)
        yield slice(signal.moments, signal.moments + MOMENTS)


def _shifted(numbers: slice, by: int) -> slice:
    return slice(numbers.start + by, numbers.stop + by)
