"""Counting numbers: bins, absences, sums and hashed counts of whole columns at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile
from .absent import INVALID, MISSING
from .layout import CELLS, Signal

#: Sums of z are of multiples of 2^-20, with z within +-1,000; those of its square of multiples of 2^-10: 8 billion rows fit 64 bits.
SCALE, SQUARE_SCALE = 2.0**20, 2.0**10
LARGEST_Z = 1_000.0
#: Rows at a time. 4,096 x 1,000 x 2^20 is below 2^53, up to where floats hold every integer: their sums are exact in any order.
BLOCK = 4_096
#: Knuth's multiplicative hash (TAOCP 6.4) of a number's folded bits; its highest bits are the cell.
_MULTIPLIER, _SHIFT = np.uint64(0x9E37_79B9_7F4A_7C15), np.uint64(64 - CELLS.bit_length() + 1)


class Column(NamedTuple):
    """Where one column of numbers is counted."""

    profile: NumericProfile | None  #: None: only its availability is
    signal: Signal | None
    available: int | None = None  #: index of *present* in the vector; None: nobody asks, all values are there


class Numbers:
    """Columns of numbers that are counted together."""

    def __init__(self, columns: Sequence[Column]) -> None:
        edges: list[NDArray[np.float64]] = []
        bins: list[int] = []
        for profile, signal, _ in columns:
            if profile is not None and signal is not None:
                _check(signal.name, profile)
            # A sorted column is asked for the ranks of these: -inf has rank 0, and NaN, which stands last, as many as there are values.
            edges.append(np.array([-np.inf, *(profile.edges if profile else ()), np.nan]))
            # Behind a column's last interval there is a step from its last rank to the next one's 0: it counts nowhere, as -1.
            bins += [*((signal.start + bin_ for bin_ in profile.bin_of) if profile and signal else [-1]), -1]
        self._edges, self._bins = edges, np.array(bins[:-1], dtype=np.int64)
        self._counted = np.flatnonzero(self._bins >= 0)
        self._last = np.cumsum([len(each) for each in edges], dtype=np.int64) - 1
        self._mean = np.array([[profile.mean if profile else 0.0] for profile, _, _ in columns])
        self._sd = np.array([[profile.sd if profile else np.inf] for profile, _, _ in columns])
        signals = [(place, signal) for place, (_, signal, _) in enumerate(columns) if signal is not None]
        self._with_signal = np.array([place for place, _ in signals], dtype=np.int64)
        self._moments = np.array([signal.moments for _, signal in signals], dtype=np.int64)
        self._cells = np.array([signal.cells for _, signal in signals], dtype=np.int64)[:, None] + np.arange(CELLS)
        availability = [(place, column.available) for place, column in enumerate(columns) if column.available is not None]
        self._with_availability = np.array([place for place, _ in availability], dtype=np.int64)
        self._availability = np.array([available for _, available in availability], dtype=np.int64)

    def add(self, numbers: NDArray[np.float64], vector: NDArray[np.int64]) -> None:
        """Count rows of numbers, shape [rows, columns]: what is no finite number is one of the NaNs of `absent`."""
        if not self._edges:
            return
        ranks = np.zeros(len(self._bins) + 1, dtype=np.int64)
        absent = np.zeros((4, len(self._edges)), dtype=np.int64)
        moments = np.zeros((2, len(self._edges)), dtype=np.int64)
        cells = np.zeros((len(self._edges), CELLS), dtype=np.int64)
        for start in range(0, len(numbers), BLOCK):
            rows = numbers[start : start + BLOCK]
            # To sort a column and look the edges up in it is three times as fast as to look every value up among the edges.
            block = np.array(rows.T, order="C")
            block.sort(axis=1)
            here = np.concatenate([column.searchsorted(edges) for column, edges in zip(block, self._edges, strict=True)])
            ranks += here
            present = here[self._last]
            gaps = np.flatnonzero(present < len(rows))
            if len(gaps):
                bits = rows[:, gaps].view(np.uint64)
                absent[2, gaps] += np.count_nonzero(bits == INVALID, axis=0)
                absent[3, gaps] += np.count_nonzero(bits == MISSING, axis=0)
            for j in gaps:
                block[j, present[j] :] = self._mean[j]
            z = self._standardised(block)
            for place, column in enumerate(z):  # one by one: a column stays in the processor's nearest cache
                cells[place] += _hashed(column[: present[place]])
            moments += _sums(z)
        vector += np.bincount(self._bins[self._counted], np.diff(ranks)[self._counted], len(vector)).astype(np.int64)
        vector[self._moments] += moments[0, self._with_signal]
        vector[self._moments + 1] += moments[1, self._with_signal]
        vector[self._cells] += cells[self._with_signal]
        absent[0] = ranks[self._last]
        absent[1] = len(numbers) - absent.sum(axis=0)
        for kind in range(4):
            vector[self._availability + kind] += absent[kind, self._with_availability]

    def _standardised(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """In reference sd from its mean. Overwrites the block."""
        with np.errstate(over="ignore"):  # what overflows is clipped
            z = np.divide(np.subtract(block, self._mean, out=block), self._sd, out=block)
        np.clip(z, -LARGEST_Z, LARGEST_Z, out=z)
        return np.asarray(z, dtype=np.float64)


def _sums(z: NDArray[np.float64]) -> NDArray[np.int64]:
    """Sums of z and of its square, in units of 1 / `SCALE` and 1 / `SQUARE_SCALE`, by column. Overwrites it."""
    squares = np.multiply(z, z)
    scaled = ((z, SCALE), (squares, SQUARE_SCALE))
    return np.stack([np.rint(np.multiply(each, scale, out=each), out=each).sum(axis=1) for each, scale in scaled]).astype(np.int64)


def _hashed(column: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values of a column fall into each cell of a hash, so that distinct values can be estimated from sums of counts."""
    bits = column.view(np.uint64)
    hashed = bits >> np.uint64(32)
    hashed ^= bits
    hashed *= _MULTIPLIER
    hashed >>= _SHIFT
    return np.bincount(hashed.view(np.int64), minlength=CELLS)


def _check(name: str, profile: NumericProfile) -> None:
    if len(profile.bin_of) != len(profile.edges) + 1:
        msg = f"{name}: {len(profile.edges)} edges make {len(profile.edges) + 1} intervals, but bin_of has {len(profile.bin_of)}"
        raise ValueError(msg)
