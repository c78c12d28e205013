"""How large values are, by the top bits of their floats: sign, exponent and a few bits of the mantissa, of any number there is.

Bins of a reference lose where values went when they leave them: after a change of unit all are below, above, or in one bin. A *cell* of
magnitude needs no reference and has no range; cells are in the order of the values, add up, and become coarser by a shift.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.stored.reference import NumericProfile

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Bits of the mantissa: 2^k cells to every power of two.
LEAST_MANTISSA, MOST_MANTISSA = 4, 9
#: Cells that lie between a column's 5 and 95 % quantiles, at least, as far as the bits allow.
_CELLS_WITHIN = 16
#: Rows that are looked at in a grain: more do not make quantiles, or what took a share of the values, any plainer.
LOOKED_AT = 20_000
#: Bits of a float's whole mantissa; all of a float's bits but the sign.
BITS, _MAGNITUDE = 52, np.int64((1 << 63) - 1)
_SMALLEST = float(np.finfo(np.float64).tiny)
_LARGEST = float(np.finfo(np.float64).max)
#: Where the 5 and 95 % quantiles stand among a profile's.
_Q05, _Q95 = 1, 5


class Magnitudes(NamedTuple):
    """How many values have each magnitude. Cells ascend."""

    cells: Integers
    rows: Integers


def cells_of(values: Floats, mantissa_: int) -> Integers:
    """The cell of every finite value, with so many bits of the mantissa.

    >>> cells_of(np.array([-2.0, -1.0, -0.0, 0.0, 1.0, 1.9, 2.0]), 1).tolist()
    [-2049, -2047, 0, 0, 2046, 2047, 2048]
    """
    return ordered_bits(values) >> (BITS - mantissa_)


def ordered_bits(values: Floats) -> Integers:
    """Floats as integers in the same order, with one zero: of negative ones all bits but the sign are turned over."""
    bits = (values + 0.0).view(np.int64)
    if (bits < 0).any():
        bits ^= (bits >> 63) & _MAGNITUDE
    return bits


def bounds_of(cells: Integers, mantissa_: int) -> tuple[Floats, Floats]:
    """Between which values those of each cell lie.

    >>> [bound.tolist() for bound in bounds_of(np.array([-2049, 2046]), 1)]
    [[-3.0, 1.0], [-2.0, 1.5]]
    """
    negative = cells < 0
    inner = np.where(negative, ~cells, cells)
    near, far = ((inner + step) << (BITS - mantissa_) for step in (0, 1))
    least, most = (np.minimum(bits.view(np.float64), _LARGEST) for bits in (near, far))
    return np.where(negative, -most, least), np.where(negative, -least, most)


def coarser(magnitudes: Magnitudes, by: int) -> Magnitudes:
    """With so many bits less.

    >>> [each.tolist() for each in coarser(Magnitudes(np.array([-3, 4, 5]), np.array([1, 2, 3])), 1)]
    [[-2, 2], [1, 5]]
    """
    cells, place = np.unique(magnitudes.cells >> by, return_inverse=True)
    rows = np.zeros(len(cells), dtype=np.int64)
    np.add.at(rows, place, magnitudes.rows)
    return Magnitudes(cells, rows)


def mantissa(profile: NumericProfile) -> int:
    """Bits by which a field's magnitudes are told apart: the fewest with 16 cells between its 5 and 95 % quantiles.

    Of an income 4 or 5; of a longitude, which is far from zero for how little it differs, 9.
    """
    low, high = (profile.quantiles[_Q05], profile.quantiles[_Q95]) if profile.quantiles else (profile.minimum, profile.maximum)
    level, spread = max(abs(low), abs(high)), high / 2 - low / 2  # halves, which do not overflow
    if spread <= 0:
        return MOST_MANTISSA
    enough = (bits for bits in range(LEAST_MANTISSA, MOST_MANTISSA) if spread * 2.0 ** (bits + 1) / _CELLS_WITHIN >= level)
    return next(enough, MOST_MANTISSA)


def quantiles(magnitudes: Magnitudes, mantissa_: int, shares: Floats) -> Floats:
    """Of the values, interpolated within cells; NaN where there are none. What is nearer to 0 than any normal number is 0: in its cell
    nearly all values are 0, and differences of such numbers nothing can be divided by.

    >>> quantiles(Magnitudes(cells_of(np.array([1.0, 2.0]), 4), np.array([1, 1])), 4, np.array([0.0, 0.25, 0.5, 1.0])).tolist()
    [1.0, 1.03125, 2.0, 2.125]
    """
    there = magnitudes.rows > 0
    if not there.any():
        return np.full(len(shares), math.nan)
    low, high = bounds_of(magnitudes.cells[there], mantissa_)
    behind = np.concatenate(([0], np.cumsum(magnitudes.rows[there])))
    wanted = shares * behind[-1]
    place = np.clip(np.searchsorted(behind, wanted, side="right") - 1, 0, len(low) - 1)
    within = (wanted - behind[place]) / (behind[place + 1] - behind[place])
    found = low[place] * (1 - within) + high[place] * within
    return np.where(np.abs(found) < _SMALLEST, 0.0, found)


def one_in(rate: float | None, grain_ms: int) -> int:
    """Of how many rows one is looked at, at a reference's rate in rows per second; of an unknown one all are.

    >>> one_in(None, 60_000), one_in(300.0, 60_000), one_in(1_000.0, 60_000)
    (1, 1, 3)
    """
    return 1 if rate is None else max(1, math.ceil(rate * grain_ms / 1000 / LOOKED_AT))


def most_looked_at(pane_ms: int, grain_ms: int) -> int:
    """Of how many rows of a pane, where more come than a reference knew.

    >>> most_looked_at(60_000, 60_000), most_looked_at(1_000, 60_000)
    (20000, 334)
    """
    return math.ceil(LOOKED_AT * pane_ms / grain_ms)
