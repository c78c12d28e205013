"""Pairs of served and offline values to the numbers of a pane: whole batches at a time, exact.

Differing numbers stand in reference sd from the reference's mean, in steps of 2^-12, clipped at 2^20 sd. Products of two such are up to
2^64: they are summed as two limbs, which no order of rows and no number of them shows in.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.outcome import NO_VALUE, class_code
from ...schemas.stored.reference import CategoricalProfile, NumericProfile
from .codes import numbers_of
from .compared import ComparedFeature
from .layout import CELLS, Layout

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
#: Steps in a reference sd, and the largest value in them.
UNIT, LARGEST = 2.0**12, 2.0**32
#: Bits of a product's low limb.
LOW_BITS = 40
_LOW = (1 << LOW_BITS) - 1
#: Knuth's multiplicative hash (TAOCP 6.4) of a value's folded bits; its highest bits are the cell.
_MULTIPLIER, _SHIFT, _HALF = np.uint64(0x9E37_79B9_7F4A_7C15), np.uint64(64 - CELLS.bit_length() + 1), np.uint64(32)


class Differing(NamedTuple):
    """Differing pairs, one a row: whose they are, of which feature, and the online value."""

    owner: Integers
    feature: Integers
    code: Integers


class _Binned:
    """One feature's values in the reference's bins."""

    def __init__(self, feature: ComparedFeature) -> None:
        profile = feature.profile
        if isinstance(profile, NumericProfile):
            self._edges, self._bin_of = np.array(profile.edges), np.array(profile.bin_of, dtype=np.int64)
            return
        assert isinstance(profile, CategoricalProfile)
        codes = np.array([class_code(text) for text in profile.categories], dtype=np.int64)
        order = np.argsort(codes)
        self._edges, self._bin_of = codes[order], order

    def of_numbers(self, numbers: Floats) -> Integers:
        """The bin of each."""
        return self._bin_of[np.searchsorted(self._edges, numbers, side="right")]

    def of_categories(self, codes: Integers) -> Integers:
        """The bin of each; *other* is the last."""
        other = len(self._bin_of)
        if not other:
            return np.zeros(len(codes), dtype=np.int64)
        place = np.minimum(np.searchsorted(self._edges, codes), other - 1)
        return np.where(self._edges[place] == codes, self._bin_of[place], other)


class Counting:
    """How pairs of these features are counted."""

    def __init__(self, features: Sequence[ComparedFeature]) -> None:
        self.features, self.layout = tuple(features), Layout(features)
        self._binned = [_Binned(one) for one in features]
        self._low = self.layout.low_limbs()

    def add(self, table: Integers, owner: Integers, served: Integers, offline: Integers, sign: int) -> Differing:
        """Add pairs, or take them back.

        Parameters
        ----------
        table
            Numbers, shape [owners, `Layout.size`]; changed in place.
        owner
            Which of them each row belongs to, shape [n].
        served, offline
            Codes of both sides, shape [n, features at least].
        sign
            1 or -1.
        """
        flat, size = table.reshape(-1), self.layout.size
        found = list[Differing]()
        for number, (one, place) in enumerate(zip(self.features, self.layout.places, strict=True)):
            there = np.flatnonzero(offline[:, number] != NO_VALUE)
            whose, x, y = owner[there], offline[there, number], served[there, number]
            base = whose * size
            np.add.at(flat, base + place.start, sign)
            missing = y == NO_VALUE
            np.add.at(flat, base[missing] + place.start + 2, sign)
            binned = self._binned[number]
            bins = binned.of_numbers(numbers_of(x)) if one.numeric else binned.of_categories(x)
            np.add.at(flat, base + place.offline + bins, sign)
            differing = np.flatnonzero(~missing & (_apart(one, x, y) if one.numeric else x != y))
            if not len(differing):
                continue
            base, x, y = base[differing], x[differing], y[differing]
            np.add.at(flat, base + place.start + 1, sign)
            np.add.at(flat, base + place.cells + cells_of(y), sign)
            if one.numeric:
                self._sum(flat, base + place.sums, _standardised(one, numbers_of(x)), _standardised(one, numbers_of(y)), sign)
            found.append(Differing(whose[differing], np.full(len(differing), number), y))
        table[:, self._low - 1] += table[:, self._low] >> LOW_BITS
        table[:, self._low] &= _LOW
        return Differing(*(np.concatenate([part[at] for part in found] or [np.zeros(0, dtype=np.int64)]) for at in range(3)))

    @staticmethod
    def _sum(flat: Integers, base: Integers, x: Integers, y: Integers, sign: int) -> None:
        limbs = (limb for a, b in ((x, x), (x, y), (y, y)) for limb in product(a, b))
        for at, values in enumerate((x, y, *limbs)):
            np.add.at(flat, base + at, sign * values)


def cells_of(codes: Integers) -> Integers:
    """The cell of each value."""
    bits = codes.view(np.uint64)
    return ((((bits >> _HALF) ^ bits) * _MULTIPLIER) >> _SHIFT).view(np.int64)


def product(a: Integers, b: Integers) -> tuple[Integers, Integers]:
    """The limbs of products of numbers up to 2^32 in size, none of which leaves 64 bits on the way.

    >>> high, low = product(np.array([-(2**32), 3]), np.array([2**32, -5]))
    >>> [(h << 40) + l for h, l in zip(high.tolist(), low.tolist())] == [-(2**64), -15]
    True
    """
    upper, lower = a * (b >> 16), a * (b & 0xFFFF)  # a b = upper 2^16 + lower
    rest = ((upper & 0xFF_FFFF) << 16) + lower
    return (upper >> 24) + (rest >> LOW_BITS), rest & _LOW


def _apart(one: ComparedFeature, x: Integers, y: Integers) -> NDArray[np.bool_]:
    """Which numbers differ by more than their tolerance: a share of the larger, or of the reference's sd where both are small."""
    profile = one.profile
    assert isinstance(profile, NumericProfile)
    a, b = numbers_of(x), numbers_of(y)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.abs(a - b) > one.tolerance * np.maximum(np.maximum(np.abs(a), np.abs(b)), profile.sd))


def _standardised(one: ComparedFeature, numbers: Floats) -> Integers:
    profile = one.profile
    assert isinstance(profile, NumericProfile)
    with np.errstate(over="ignore"):  # what overflows is clipped
        z = (numbers - profile.mean) / profile.sd * UNIT
    return np.rint(np.clip(z, -LARGEST, LARGEST)).astype(np.int64)
