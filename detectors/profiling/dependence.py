"""Dependence of a series on its own past: how many rows count as one independent row (tau), and whether the data show its cycles."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from ...schemas.integers import packed, unpacked

Floats = NDArray[np.float64]

#: Rows of the shortest batch; every other is four times as long as the one before.
SHORTEST, GROWTH = 8, 4
#: The lengths that are looked at where there are too many series for longer ones (words).
BATCHES = tuple(SHORTEST * GROWTH**power for power in range(5))
_FEWEST_BATCHES = 16
#: One batch length of one series in so many shows a dependence by chance.
_CHANCE = 1e-3
#: Rows that are looked at together, and batches that are kept in their order: from a quarter of so many up.
_PIECE, _KEPT = 2_048, 1_024
#: A cycle that the data show fewer than 16 times is too long for 16 batches: it is looked for among the lowest frequencies, as a peak
#: above the level of twice as many. By chance there is one in a feature of a thousand.
_CYCLES, _LEVEL, _PEAK = 16, 32, 15.0
#: A cycle's part of the power of all low frequencies: between two of them, it shows .8 of it in both.
_OF_LINE = 2 / 3
#: A cycle that comes 1.65 times shows so much of its power at one cycle in the data, as a part of that at two.
_BEFORE_TWO = 0.3
#: Where one series has a cycle, the others likely have it or its harmonics too: so much of each counts, seen or not. (Else with 2.5 cycles
#: the worst of 20 references gave nine times the false alarms allowed, all of them in skew.)
_UNSEEN = 4.0
#: Of the variance that a trend took, what is left must be more than this part to be told from rounding.
_NO_PART = 1e-9
#: B Var(batch means) / Var of a sine is largest, this part of its period, for batches of .37 periods.
_OF_PERIOD = 0.23


class Dependence:
    """The taus of several series in the order of time, each a function of the row's code: ``table[code]``, shape [codes, series].

    For every batch length B with at least 16 batches, B Var(batch means) / Var is about tau; the largest of these that exceeds what
    independent rows would give by chance is taken. Cycles too long for that are looked for in the periodogram. A heuristic, not a
    theorem: of what moves more slowly than the data are long, `swing` tells at most that it does. Sums are kept by pieces of fixed rows,
    so that the result does not depend on chunks.

    >>> day_and_night = Dependence(np.eye(2))
    >>> day_and_night.add(np.arange(100_000) // 100 % 2)
    >>> bool(day_and_night.tau()[0] > 20)
    True
    """

    def __init__(self, table: Floats) -> None:
        self._table = np.ascontiguousarray(table, dtype=np.float64)
        self._open: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._rows = 0
        series = self._table.shape[1]
        #: Sums of the rows and of their squares; the same of the batches of every length shorter than those kept.
        self._moments, self._shorter = np.zeros((2, series)), list[Floats]()
        #: Sums of the batches of the shortest length of which not too many had to be kept.
        self._kept, self._length = np.zeros((0, series)), SHORTEST

    def add(self, codes: NDArray[np.int64]) -> None:
        """The next rows."""
        self._rows += len(codes)
        codes = np.concatenate((self._open, codes))
        while len(codes) >= (piece := max(_PIECE, self._length)):
            self._moments, self._shorter, self._kept = self._after(codes[:piece])
            codes = codes[piece:]
            if len(self._kept) >= _KEPT:
                self._shorter.append(_moments(self._kept))
                self._kept, self._length = _joined(self._kept, GROWTH), self._length * GROWTH
        self._open = codes

    def encoded(self) -> list[Any]:  # numbers, and floats as bytes
        """What is remembered, as plain data: restored, it continues exactly."""
        floats = (self._moments, np.array(self._shorter), self._kept)
        return [packed(self._open), self._rows, self._length, *(each.astype("<f8").tobytes() for each in floats)]

    @classmethod
    def decoded(cls, table: Floats, form: list[Any]) -> "Dependence":
        """What `encoded` wrote, of series with this table."""
        self = cls(table)
        codes, self._rows, self._length, *floats = form
        self._open, series = unpacked(codes), self._table.shape[1]
        moments, shorter, kept = (np.frombuffer(each, dtype="<f8").astype(np.float64) for each in floats)
        self._moments, self._shorter = moments.reshape(2, series), list(shorter.reshape(-1, 2, series))
        self._kept = kept.reshape(-1, series)
        return self

    def _after(self, codes: NDArray[np.int64]) -> tuple[Floats, list[Floats], Floats]:
        """Moments of the rows and of shorter batches, and the batches kept, with these rows."""
        rows = self._table[codes]
        batches, shorter = _joined(rows, SHORTEST), list[Floats]()
        for so_far in self._shorter:
            shorter.append(so_far + _moments(batches))
            batches = _joined(batches, GROWTH)
        return self._moments + _moments(rows), shorter, np.concatenate((self._kept, batches))

    def tau(self) -> Floats:
        """One tau per series, at least 1; 1 for a series that never changes."""
        moments, shorter, kept = self._after(self._open)
        variance = self._variance(moments)
        largest = self._largest(variance, (*shorter, *_longer(kept)), np.zeros_like(variance))
        cycles = self._power(_spectrum(kept)[:_CYCLES], variance)
        slowest = self._slowest(cycles, kept, variance)
        # A sine that comes k times in n rows, with the power P, has 2 P / n of the variance, and a period of n / k.
        of_cycles = 2 * _OF_PERIOD * np.where(cycles > 0, np.maximum(cycles, _UNSEEN), 0.0) / np.arange(1, _CYCLES + 1)[:, None]
        return np.asarray(np.maximum(largest, of_cycles[slowest:].sum(axis=0)))

    def _calm(self) -> Floats:
        """One tau per series, as if the slowest movements, those of the lowest frequencies and a trend, were not there."""
        moments, shorter, kept = self._after(self._open)
        calm = _still(kept)
        taken = ((kept - kept.mean(axis=0) - calm) ** 2).mean(axis=0) / self._length**2
        left = self._variance(moments) - taken
        variance = np.where(left > _NO_PART * taken, left, np.inf)
        return self._largest(variance, (*shorter, *_longer(calm)), taken)

    def _largest(self, variance: Floats, moments: Iterable[Floats], known: Floats) -> Floats:
        """The largest ratio of batches whose ``moments`` are these that no chance makes; 1 where there is none.

        ``known``: a variance of the means that is not meant, where they are those of batches shorter than those kept.
        """
        largest = np.ones(len(variance))
        for power, (total, square) in enumerate(moments):
            length = SHORTEST * GROWTH**power
            batches = self._rows // length
            if batches < _FEWEST_BATCHES:
                break
            of_means = (square - total**2 / batches) / (batches - 1) / length**2
            ratio = length * (of_means - (known if length < self._length else 0.0)) / variance
            by_chance = chdtri(batches - 1, _CHANCE) / (batches - 1)
            largest = np.where(ratio > by_chance, np.maximum(largest, ratio), largest)
        return largest

    def _slowest(self, cycles: Floats, kept: Floats, variance: Floats) -> int:
        """Index of the lowest frequency of a cycle: one that stands out, and with a neighbour has most of all low frequencies' power.

        Weather, which changes with no period, has no such line; nor has a trend, whose power is lowest of all, and which `swing` tells.
        """
        highest = np.argmax(cycles, axis=0)
        beside = np.pad(cycles, ((1, 1), (0, 0)))
        series = np.arange(cycles.shape[1])
        line = cycles[highest, series] + np.maximum(beside[highest, series], beside[highest + 2, series])
        found = self._standing_out(cycles, kept, variance)[highest, series] > 0
        found &= (highest > 0) & (line >= _OF_LINE * cycles.sum(axis=0))
        return int(highest[found].min()) - 1 if found.any() else _CYCLES

    def swing(self) -> Floats:
        """Per series, how far it moved, in sd, by a trend or by a cycle of which the data show fewer than about two.

        0 where no such movement stands out. Where one does, the reference is not the whole law, and no budget can be kept with it.
        """
        moments, _, kept = self._after(self._open)
        variance = self._variance(moments)
        cycle, *shorter = self._standing_out(self._power(_spectrum(kept)[:_CYCLES], variance), kept, variance)
        fall = np.cos(np.pi * (np.arange(len(kept)) + 0.5) / max(len(kept), 1))[:, None]
        trend = self._standing_out(self._power(2 * (fall * kept).sum(axis=0) ** 2, variance), kept, variance)
        # From peak to peak, a sine with the power P in n rows moves 4 sqrt(P / n), a trend sqrt(12 P / n).
        squared = np.maximum(16 * cycle, 12 * trend) / max(self._rows, 1)
        others = np.max(shorter, axis=0)
        return np.where((cycle > _BEFORE_TWO * others) | (trend > others), np.sqrt(squared), 0.0)

    def swung(self, first: int | None = None) -> dict[str, float]:
        """The largest `swing` of any series, and, if there is one, the largest tau but for it, of the ``first`` ones alone or of all."""
        swing = float(self.swing().max())
        return {"swing": swing, "calm_tau": float(self._calm()[:first].max())} if swing else {"swing": swing}

    def _variance(self, moments: Floats) -> Floats:
        """Of the rows; infinite where they never change, so that nothing is seen there."""
        n = max(self._rows, 1)
        variance = moments[1] / n - (moments[0] / n) ** 2
        return np.where(variance > 1e-12, variance, np.inf)

    def _power(self, squares: Floats, variance: Floats) -> Floats:
        """Of waves of the batches kept, in units of what independent rows have."""
        return squares / (max(self._rows, 1) * variance)

    def _standing_out(self, power: Floats, kept: Floats, variance: Floats) -> Floats:
        """What is far above the level of the spectrum, and above what independent rows have; else 0."""
        if len(kept) <= 2 * _LEVEL:
            return np.zeros_like(power)
        level = np.median(self._power(_spectrum(kept), variance), axis=0) / np.log(2)  # an exponential variable's mean, from its median
        return np.where(power > _PEAK * np.maximum(level, 1.0), power, 0.0)


def _spectrum(sums: Floats) -> Floats:
    """The power at the lowest frequencies, above 0."""
    centred = sums - sums.sum(axis=0) / max(len(sums), 1)
    spectrum = np.fft.rfft(centred, n=max(len(sums), 2 * _LEVEL), axis=0)[1 : _LEVEL + 1]
    return np.asarray(spectrum.real**2 + spectrum.imag**2)


def _still(sums: Floats) -> Floats:
    """Sums without a trend, and without the waves of the lowest frequencies."""
    n = len(sums)
    along = np.arange(n)[:, None] - (n - 1) / 2
    centred = sums - sums.mean(axis=0)
    waves = np.fft.rfft(centred - along * (along * centred).sum(axis=0) / max(float((along**2).sum()), 1.0), axis=0)
    waves[: _CYCLES + 1] = 0.0
    return np.asarray(np.fft.irfft(waves, n=n, axis=0))


def _joined(sums: Floats, number: int) -> Floats:
    """Sums of so many neighbours; what is left over is left out."""
    whole = len(sums) // number
    return np.asarray(sums[: whole * number].reshape(whole, number, sums.shape[1]).sum(axis=1))


def _moments(sums: Floats) -> Floats:
    return np.stack((sums.sum(axis=0), (sums * sums).sum(axis=0)))


def _longer(batches: Floats) -> Iterator[Floats]:
    """Moments of these, and of ever longer ones."""
    while len(batches) >= _FEWEST_BATCHES:
        yield _moments(batches)
        batches = _joined(batches, GROWTH)
