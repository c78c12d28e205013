"""Rank space: a row's values as whole numbers, in which the squared distance of two rows is a whole number too, exact in any order.

A number becomes its mid-rank among the reference's, in [-1, 1]; beyond their range it lies at +-(`BEYOND` + min(log1p(excess), 3)), the
excess in units of their interdecile range. What is absent has a coordinate of its own; so has a number that a column of few values never
had. Categories differ by a distance that is larger the more seldom two rows of the reference differ, so that every field has the same mean
distance; unknown ones differ by more. Units are 1 / `SCALE`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Shorts = NDArray[np.int16]
Booleans = NDArray[np.bool_]

SCALE = 256
#: Where the range ends, and how far beyond it a number is told from another: at most exp(3) interdecile ranges.
BEYOND, MOST_BEYOND = 1.25, 3.0
#: The squared distance of two ranks that have nothing to do with each other: that of a category, or of absence, has the same mean.
MEAN = 2 / 3
#: Two rows of the reference differ in a category at least so often, for its distance: a constant one's would be infinite.
LEAST_MISMATCH = 0.2
#: By what the distance of a known category is multiplied for an unknown one: 1.5 of its length.
UNKNOWN = 1.5**2
#: Categories of a field with a place of their own, and of all fields together: the rarer ones are one more. Each is a coordinate.
MOST_CATEGORIES, MOST_TOGETHER, FEWEST = 64, 2_048, 8
#: A column is of few values if it has no more than these, and so large a part of its rows, at most, has a value that came once: a row has
#: a new value about as often (Good, Biometrika 40, 1953).
FEW, SELDOM = 512, 0.001
#: Of two numbers that differ by less, as a share of them, one may be the other, written with fewer digits.
SAME = 1e-6
#: Category codes: a value that the reference does not know, and none at all.
UNKNOWN_CODE, ABSENT_CODE = -1, 0

# Where log1p rounds to another whole number of 1 / SCALE. In steps of 2^-20: no processor's expm1 is off by as much.
_STEPS = np.array([round(math.expm1((place + 0.5) / SCALE) * 2**20) / 2**20 for place in range(int(MOST_BEYOND * SCALE))])
_BEYOND = round(BEYOND * SCALE)


class Coded(NamedTuple):
    """Rows in rank space, by field."""

    ranks: Shorts  #: [n, numeric], in 1 / `SCALE`; 0 where absent
    absent: Booleans  #: [n, numeric]
    unseen: Booleans  #: [n, numeric], a number that a column of few values never had
    categories: Shorts  #: [n, categorical]

    def at(self, rows: slice | Integers | Booleans) -> "Coded":
        """These of them."""
        return Coded(self.ranks[rows], self.absent[rows], self.unseen[rows], self.categories[rows])

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.ranks)

    @property
    def nothing(self) -> Booleans:
        """Rows of which no value is there."""
        found: Booleans = self.absent.all(axis=1) & (self.categories == ABSENT_CODE).all(axis=1)
        return found


class NumberField(NamedTuple):
    """How numbers of one field become ranks."""

    edges: Floats  #: [k]
    ranks: Shorts  #: [k + 1], between these
    low: float  #: the reference's smallest and largest; none: NaN
    high: float
    unit: float  #: of excess
    values: Floats  #: all that there are, of a column of few; else none
    absent: int  #: the coordinate of an absent value
    unseen: int  #: the squared distance of a number never seen, of a column of few values


class CategoryField(NamedTuple):
    """How texts of one field become codes, and how far these are from each other."""

    codes: Mapping[str, int]  #: of the commonest; 1 and up
    others: int  #: the code of all others that the reference knows; `UNKNOWN_CODE` where it knows all its values by name
    one: int  #: the coordinate of a known category, of the one-hot vector
    unknown: int  #: the square of an unknown one's


def number_field(values: Floats) -> NumberField:
    """From a reference's values; what is not finite is absent.

    >>> field = number_field(np.array([1.0, 2.0, 2.0, 4.0]))
    >>> field.ranks.tolist(), field.low, field.high
    ([-192, -128, 0, 128, 192], 1.0, 4.0)
    """
    finite = np.sort(values[np.isfinite(values)]) + 0.0
    absent = _coordinate(1 - len(finite) / max(len(values), 1))
    if not len(finite):
        return NumberField(np.zeros(0), np.zeros(1, dtype=np.int16), math.nan, math.nan, 1.0, np.zeros(0), absent, 0)
    n = len(finite)
    distinct, counts = np.unique(finite, return_counts=True)
    behind = np.cumsum(counts)
    with np.errstate(over="ignore"):  # nothing lies above the largest float
        edges = np.stack((distinct, np.nextafter(distinct, np.inf)), axis=1).ravel()[1:-1]
    at = np.stack((2 * behind - counts - n, 2 * behind - n), axis=1).ravel()[:-1]
    ranks = np.rint(at / n * SCALE).astype(np.int16)
    kept = np.flatnonzero(ranks[1:] != ranks[:-1])
    decile = finite[[math.ceil(0.1 * n) - 1, math.ceil(0.9 * n) - 1]]
    few = len(distinct) <= FEW and np.count_nonzero(counts == 1) <= SELDOM * n
    return NumberField(
        edges=edges[kept],
        ranks=ranks[np.append(0, kept + 1)],
        low=float(finite[0]),
        high=float(finite[-1]),
        unit=_unit(decile, finite),
        values=distinct if few else np.zeros(0),
        absent=absent,
        unseen=round(UNKNOWN * SCALE**2 * _squared(1 - float(np.sum((counts / n) ** 2)))) if few else 0,
    )


def _unit(decile: Floats, finite: Floats) -> float:
    """The interdecile range; where there is none the range, and of a constant its size."""
    with np.errstate(over="ignore"):
        for found in (decile[1] - decile[0], finite[-1] - finite[0], abs(finite[0])):
            if found > 0:
                return float(min(found, np.finfo(np.float64).max))
    return 1.0


def _squared(mismatch: float) -> float:
    """The squared distance of two categories that differ in this part of pairs of rows."""
    return MEAN / max(mismatch, LEAST_MISMATCH)


def _coordinate(absent: float) -> int:
    return round(SCALE * math.sqrt(_squared(2 * absent * (1 - absent))))


def category_field(values: Sequence[object], most: int = MOST_CATEGORIES) -> CategoryField:
    """From a reference's values, so many of them with a place; what is no text is absent.

    >>> category_field(["a", "b", "a", None])
    CategoryField(codes={'a': 1, 'b': 2}, others=-1, one=187, unknown=122317)
    """
    counts: dict[str, int] = {}
    for value in values:
        if isinstance(value, str):
            counts[value] = counts.get(value, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    kept = {name: code for code, name in enumerate(names[:most], start=1)}
    n = max(len(values), 1)
    others = sum(counts[name] for name in names[most:])
    sizes = [*(counts[name] for name in kept), others, n - sum(counts.values())]
    squared = _squared(1 - sum((size / n) ** 2 for size in sizes))
    one = round(SCALE * math.sqrt(squared / 2))
    return CategoryField(kept, len(kept) + 1 if others else UNKNOWN_CODE, one, round(UNKNOWN * SCALE**2 * squared) - one**2)


class Coordinates:
    """The fields of a table, numbers first."""

    def __init__(self, numbers: Sequence[NumberField], categories: Sequence[CategoryField]) -> None:
        self.numbers, self.categories = tuple(numbers), tuple(categories)

    @classmethod
    def of(cls, numeric: Floats, texts: Sequence[Sequence[object]]) -> "Coordinates":
        """From a reference's rows: numbers by row and field, texts by field."""
        most = max(FEWEST, min(MOST_CATEGORIES, MOST_TOGETHER // max(len(texts), 1)))
        return cls([number_field(column) for column in numeric.T], [category_field(column, most) for column in texts])

    @property
    def farthest(self) -> int:
        """No squared distance of two rows is larger."""
        numbers = ((2 * (BEYOND + MOST_BEYOND) * SCALE) ** 2 + field.absent**2 + field.unseen for field in self.numbers)
        return math.ceil(sum(numbers)) + sum(field.one**2 + max(field.one**2, field.unknown) for field in self.categories)

    def coded(self, numeric: Floats, texts: Sequence[Sequence[object]]) -> Coded:
        """Rows in rank space."""
        n, k = numeric.shape
        if k != len(self.numbers) or len(texts) != len(self.categories):
            msg = f"{k} numeric and {len(texts)} categorical fields, but the reference has {len(self.numbers)} and {len(self.categories)}"
            raise ValueError(msg)
        ranks, unseen = np.zeros((n, k), dtype=np.int16), np.zeros((n, k), dtype=np.bool_)
        absent = ~np.isfinite(numeric)
        for place, field in enumerate(self.numbers):
            there = ~absent[:, place]
            values = np.ascontiguousarray(numeric[there, place])
            ranks[there, place] = _ranks(field, values)
            if len(field.values):
                unseen[there, place] = ~_known(field.values, values)
        codes = np.empty((n, len(self.categories)), dtype=np.int16)
        for place, (known, column) in enumerate(zip(self.categories, texts, strict=True)):
            codes[:, place] = [known.codes.get(value, known.others) if isinstance(value, str) else ABSENT_CODE for value in column]
        return Coded(ranks, absent, unseen, codes)


def _ranks(field: NumberField, values: Floats) -> Integers:
    """Of finite values."""
    if not math.isfinite(field.low):
        return np.zeros(len(values), dtype=np.int64)
    found = field.ranks[np.searchsorted(field.edges, values, side="right")].astype(np.int64)
    with np.errstate(over="ignore"):
        below, above = (field.low - values) / field.unit, (values - field.high) / field.unit
    for sign, excess in ((-1, below), (1, above)):
        outside = np.flatnonzero(excess > 0)
        found[outside] = sign * (_BEYOND + np.searchsorted(_STEPS, excess[outside], side="right"))
    return found


def _known(known: Floats, values: Floats) -> Booleans:
    """Which values are among ascending ones, but for their last digits."""
    place = np.searchsorted(known, values)
    found = np.zeros(len(values), dtype=np.bool_)
    with np.errstate(over="ignore"):
        for neighbour in (np.minimum(place, len(known) - 1), np.maximum(place - 1, 0)):
            found |= np.abs(values - known[neighbour]) <= SAME * np.abs(values)
    return found
