"""The vector that the tests look at: a bucket's panes summed over all segments, each segment's own, and the bucket as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import Reference
from ...schemas.text import CATEGORY, fitted
from ..counting.layout import CELLS, MOMENTS, Group, Layout, Signal, layout
from ..counting.numbers import Column, Numbers
from .localised import localised

Counts = NDArray[np.int64]
#: Expected counts are no whole numbers: they are kept in multiples of 2^-8.
EXPECTED_SCALE = 2.0**8
#: The groups of signals whose reference may move, and that are watched in every segment.
MOVING: tuple[Group, ...] = ("values", "availability")


class Derived(Protocol):
    """What is tested beside what was counted, as far as it is a function of a bucket's counts."""

    def add(self, vector: Counts) -> None:
        """Put it into a bucket's vector."""
        ...


@dataclass(frozen=True)
class Space:
    """All signals that are tested, and where their numbers stand.

    Small numbers first: those of all segments, of each segment, of the volume; then the wide ones in the same order.
    """

    layout: Layout
    signals: tuple[Signal, ...]
    segments: tuple[str, ...]
    counted: Numbers | None  #: where a bucket's rows are, if there is a volume
    small: int
    length: int
    expected: int | None = None  #: where the counts begin that the season lets expect; None: it has none
    derived: Derived | None = None

    def vector(self, counts: Counts, sums: Counts, segments: Sequence[tuple[str, Counts, Counts]], rows: int | None) -> Counts:
        """Of one bucket: its counts and sums over all segments, those of each, and its rows (None: not all of them are there)."""
        vector = np.zeros(self.length, dtype=np.int64)
        size, wide = self.layout.size, self.layout.wide
        vector[: len(counts)] = counts
        vector[self.small : self.small + len(sums)] = sums
        for name, own, own_sums in segments:
            if name in self.segments:
                place = self.segments.index(name) + 1
                vector[place * size : place * size + len(own)] = own
                vector[self.small + place * wide : self.small + place * wide + len(own_sums)] = own_sums
        if self.counted is not None and rows is not None:
            self.counted.add(np.array([[float(rows)]]), vector)
        if self.derived is not None:
            self.derived.add(vector)
        return vector

    def law(self, signal: Signal, vector: Counts) -> Counts:
        """What a signal's counts are compared with in a vector, or a sum of vectors."""
        if self.expected is None or signal.group not in MOVING:
            return signal.reference_counts
        return vector[self.expected + signal.start : self.expected + signal.start + signal.size]

    def expect(self, vector: Counts, shares: NDArray[np.float64]) -> None:
        """Put beside the counts of the values and availabilities what these shares of their rows come to."""
        assert self.expected is not None
        for signal in self.signals:
            if signal.group in MOVING:
                rows = int(np.maximum(vector[signal.span], 0).sum())
                place = self.expected + signal.start
                vector[place : place + signal.size] = np.rint(shares[signal.span] * (rows * EXPECTED_SCALE))


def space(reference: Reference, *, moving: bool = False) -> Space:
    """All that is tested of a reference; ``moving``: its counts are not always what is expected."""
    own = layout(reference)
    volume = reference.volume
    size, wide, blocks = own.size, own.wide, 1 + len(reference.segments)
    names = tuple(fitted(segment.name, CATEGORY) for segment in reference.segments)  # as panes have them
    bins = 0 if volume is None else len(volume.counts)
    small = size * blocks + (bins + CELLS if volume is not None else 0)
    length = small + wide * blocks + (MOMENTS if volume is not None else 0)

    expected = None
    if moving:
        expected, length = length, length + size
    signals = [_moved(signal, size, 0, small) for signal in own.signals]
    for place, segment in enumerate(reference.segments, start=1):
        counts = np.asarray(segment.counts, dtype=np.int64)
        for signal in _segmented(own):
            moved = _moved(signal, size, place * size, small + place * wide)
            share = segment.rows / max(reference.rows, 1)
            profile = localised(signal.profile, counts[signal.span])
            signals.append(replace(moved, group="segments", profile=profile, segment=names[place - 1], share=share))
    counted = None
    if volume is not None:
        start = size * blocks
        watched = Signal(
            "(volume)",
            "volume",
            "row",
            "traffic",
            volume,
            start,
            bins,
            slice(start, start + bins),
            None,
            small + wide * blocks,
            start + bins,
        )
        signals.append(watched)
        counted = Numbers([Column(volume, watched)])
    return Space(own, tuple(signals), names, counted, small, length, expected)


def _segmented(own: Layout) -> Iterator[Signal]:
    """What is watched in every segment by itself."""
    return (signal for signal in own.signals if signal.group in MOVING)


def _moved(signal: Signal, size: int, narrow: int, wide: int) -> Signal:
    """A pane's signal at the place of another block: its small numbers shifted so far, its wide ones to there."""

    def place(index: int) -> int:
        return index + narrow if index < size else index - size + wide

    return replace(
        signal,
        start=place(signal.start),
        rows=slice(place(signal.rows.start), place(signal.rows.stop - 1) + 1),
        moments=None if signal.moments is None else place(signal.moments),
        cells=None if signal.cells is None else place(signal.cells),
    )
